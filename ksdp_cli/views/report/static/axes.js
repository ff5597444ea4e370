// Draws axes over a pane: ticks along the edges in 2D; in 3D the bounding box of the clouds, its letters and a scale
// bar. Edges behind the clouds are dashed, because front and back look alike without perspective.

const MARGIN = { left: 46, bottom: 34, top: 8, right: 12 };

/** Return a step, 1, 2 or 5 times a power of ten, that divides `length` into about `parts`. */
function niceStep(length, parts) {
  const raw = length / parts, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= raw * 0.999);
}

/** Format a number with four digits. */
function formatted(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return (size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)))).replace("-", "−");
}

function drawTicks(pen, box, view, ink) {
  const perLength = Math.min(box.width, box.height) / 2 / view.half;
  pen.fillStyle = pen.strokeStyle = ink;
  pen.lineWidth = 1;
  pen.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
  for (const [axis, letter] of [[0, "x"], [1, "y"]]) {
    const side = axis ? box.height : box.width, reach = side / 2 / perLength, middle = view.centre[axis];
    const step = niceStep(2 * reach, side / 70), first = Math.ceil((middle - reach) / step);
    pen.textAlign = axis ? "right" : "center";
    pen.textBaseline = axis ? "middle" : "top";
    for (let k = first; k * step <= middle + reach; k++) {
      const off = (k * step - middle) * perLength, text = formatted(Number((k * step).toPrecision(6)));
      const x = axis ? box.left : box.left + box.width / 2 + off, y = axis ? box.top + box.height / 2 - off : box.top + box.height;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x - (axis ? 4 : 0), y + (axis ? 0 : 4));
      pen.stroke();
      pen.fillText(text, x - (axis ? 7 : 0), y + (axis ? 0 : 7));
    }
    if (!axis) pen.fillText(`${letter} [length]`, box.left + box.width / 2, box.top + box.height + 21);
    else {
      pen.save();
      pen.translate(8, box.top + box.height / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText(`${letter} [length]`, 0, 0);
      pen.restore();
    }
  }
}

function drawBox(pen, box, camera, extent) {
  const view = camera.view, rows = camera.rows(), unit = Math.min(box.width, box.height) / 2 / view.half;
  const seen = (p) => rows.map((row) => row.reduce((sum, r, i) => sum + r * (p[i] - view.centre[i]), 0));
  const screen = ([x, y]) => [box.left + box.width / 2 + unit * x, box.top + box.height / 2 - unit * y];
  const corner = (bits) => extent.map((side, i) => side[(bits >> i) & 1]);
  const back = [0, 1, 2, 3, 4, 5, 6, 7].sort((a, b) => seen(corner(a))[2] - seen(corner(b))[2])[0];
  pen.save();
  pen.beginPath();
  pen.rect(box.left, box.top, box.width, box.height);
  pen.clip();
  for (let axis = 0; axis < 3; axis++)
    for (let bits = 0; bits < 8; bits++) {
      if ((bits >> axis) & 1) continue;
      const hidden = bits === back || (bits | (1 << axis)) === back;
      pen.setLineDash(hidden ? [3, 5] : []);
      pen.strokeStyle = hidden ? "rgba(0,0,0,.25)" : "rgba(0,0,0,.5)";
      pen.beginPath();
      pen.moveTo(...screen(seen(corner(bits))));
      pen.lineTo(...screen(seen(corner(bits | (1 << axis)))));
      pen.stroke();
    }
  pen.setLineDash([]);
  pen.restore();
  drawTriad(pen, box, rows);
  drawScale(pen, box, unit);
}

function drawTriad(pen, box, rows) {
  const [x0, y0] = [box.left + 40, box.top + box.height - 40];
  pen.fillStyle = pen.strokeStyle = "black";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const [i, letter] of ["x", "y", "z"].entries()) {
    const [dx, dy] = [rows[0][i], rows[1][i]];
    if (Math.hypot(dx, dy) < 0.15) continue; // it points at the viewer
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x0 + 22 * dx, y0 - 22 * dy);
    pen.stroke();
    pen.fillText(letter, x0 + 31 * dx, y0 - 31 * dy);
  }
}

function drawScale(pen, box, unit) {
  const step = niceStep(box.width / unit, 6), [x1, y1] = [box.left + box.width - 14, box.top + box.height - 16];
  pen.fillStyle = pen.strokeStyle = "black";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(x1 - step * unit, y1);
  pen.lineTo(x1, y1);
  pen.stroke();
  pen.lineWidth = 1;
  pen.textAlign = "right";
  pen.textBaseline = "bottom";
  pen.fillText(`${formatted(step)} length`, x1, y1 - 5);
}
