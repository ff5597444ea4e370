// One cloud on the page: a canvas with its caption.

const SAMPLE = 4096; // particles that set the colour scale
const ENOUGH = 10_000; // least particles of a coarse picture

class Pane {
  constructor(title, camera, extent, changed) {
    Object.assign(this, { title, camera });
    this.extent = extent;
    this.canvas = node("canvas", {
      tabindex: 0,
      role: "img",
      "aria-describedby": "how",
      "aria-label": `${title}: density of the particles, from a direction that the arrow keys change`,
    });
    this.note = node("span", { class: "note" });
    this.figure = node("figure", { class: "pane" }, node("figcaption", {}, node("strong", {}, title), " ", this.note), this.canvas);
    this.count = 0;
    steer(this.canvas, camera, changed);
  }

  /** Return the rectangle of the picture within the canvas, in CSS pixels. */
  box() {
    const m = this.camera.dim === 2 ? MARGIN : { left: 0, bottom: 0, top: 0, right: 0 };
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    return { left: m.left, top: m.top, width: width - m.left - m.right, height: height - m.top - m.bottom };
  }

  /** Draw the pane. `coarse` is the side of a density pixel; above 1, as many times fewer particles are drawn. */
  draw(painter, brightest, coarse = 1) {
    const scale = Math.min(window.devicePixelRatio || 1, 2), pen = this.canvas.getContext("2d");
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (width < 80 || height < 80) return;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width !== w || this.canvas.height !== h) [this.canvas.width, this.canvas.height] = [w, h];
    const box = this.box();
    const style = getComputedStyle(this.canvas);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `12px ${style.fontFamily}`;
    const fine = scale / coarse, pixels = [box.width, box.height].map((side) => Math.round(side * fine));
    const count = Math.min(this.count, Math.max(ENOUGH, Math.ceil(this.count / coarse ** 2)));
    const image = painter.draw(this.buffer, count, ...pixels, this.camera.view, brightest, fine);
    pen.drawImage(image, box.left, box.top, box.width, box.height);
    if (this.camera.dim === 2) drawTicks(pen, box, this.camera.view, style.color);
    else drawBox(pen, box, this.camera, this.extent);
  }
}

/** Return the projected density that 95 % of the particles do not exceed in this view. */
function crowding(points, view) {
  const cell = view.half / 20, cells = new Map(), keys = [], turn = view.turn;
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [0, 1, 2].map((k) => points[i + k] - view.centre[k]);
    const u = Math.floor((turn[0] * x + turn[1] * y + turn[2] * z) / cell);
    const v = Math.floor((turn[3] * x + turn[4] * y + turn[5] * z) / cell);
    const key = 1e6 * u + v;
    keys.push(key);
    cells.set(key, (cells.get(key) || 0) + 1);
  }
  const found = Float64Array.from(keys, (key) => cells.get(key)).sort();
  return found[Math.floor(0.95 * found.length)] / keys.length / (cell * cell);
}

/** Return the box that holds all but a thousandth of the points along each axis. */
function extentOf(points, dim) {
  return [0, 1, 2].slice(0, dim).map((axis) => {
    const values = new Float32Array(points.length / 3);
    for (let i = 0; i < values.length; i++) values[i] = points[3 * i + axis];
    values.sort();
    const tail = Math.floor(values.length / 2000);
    return [values[tail], values[values.length - 1 - tail]];
  });
}
