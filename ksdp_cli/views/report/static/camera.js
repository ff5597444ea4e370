// The view: a turntable with z up in 3D, a movable sheet in 2D. There is no perspective, so a view along an axis is the
// projection in the paper's figures.

const VIEWS = { "x–y": [-90, 90], "x–z": [-90, 0], "y–z": [0, 0] }; // azimuth and elevation in degrees

class Camera {
  constructor(dim, extent) {
    Object.assign(this, { dim, extent, aspect: 1 });
    this.reset();
  }

  reset() {
    Object.assign(this, this.dim === 3 ? { azimuth: -60, elevation: 20 } : { azimuth: -90, elevation: 90 });
    this.fit(this.extent);
    this.widest = this.half;
  }

  /** Show a box [[low, high], ...]; `half` is half the length of the picture's shorter side. */
  fit(extent) {
    const box = this.dim === 3 ? extent : [...extent, [0, 0]], [x, y, z] = box.map(([low, high]) => high - low);
    const wide = Math.max(this.aspect, 1), tall = Math.max(1 / this.aspect, 1);
    this.half = (this.dim === 3 ? 0.43 * Math.hypot(x, y, z) : 0.55 * Math.max(x / wide, y / tall)) || 1;
    this.centre = box.map(([low, high]) => (low + high) / 2);
  }

  look(name) {
    [this.azimuth, this.elevation] = VIEWS[name];
  }

  turn(right, up) {
    this.azimuth = (this.azimuth + right) % 360;
    this.elevation = Math.min(90, Math.max(-90, this.elevation + up));
  }

  /** Move the picture, in units of half its shorter side. */
  pan(right, up) {
    const [r, u] = this.rows();
    for (let i = 0; i < 3; i++) this.centre[i] -= this.half * (right * r[i] + up * u[i]);
  }

  /** Zoom about the point (right, up) of the picture, in units of half its shorter side. */
  zoom(factor, right = 0, up = 0) {
    const half = Math.min(Math.max(this.half / factor, this.widest / 1000), this.widest * 20);
    const rest = half / this.half - 1;
    this.pan(rest * right, rest * up);
    this.half = half;
  }

  /** Get or set the view as six numbers. */
  numbers() {
    return [this.azimuth, this.elevation, this.half, ...this.centre].map((value) => Number(value.toPrecision(6))).join(",");
  }

  put([azimuth, elevation, half, ...centre]) {
    if (this.dim === 3) Object.assign(this, { azimuth: azimuth % 360, elevation: Math.min(90, Math.max(-90, elevation)) });
    this.half = Math.min(Math.max(half, this.widest / 1000), this.widest * 20);
    this.centre = centre;
  }

  /** Return the unit vectors right, up, and towards the viewer. */
  rows() {
    const a = (this.azimuth * Math.PI) / 180, e = (this.elevation * Math.PI) / 180;
    const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)];
    return [[-sa, ca, 0], [-se * ca, -se * sa, ce], [ce * ca, ce * sa, se]];
  }

  get view() {
    return { turn: this.rows().flat(), centre: this.centre, half: this.half };
  }
}

/** Handle mouse, touch and keys on a pane; call `changed` after each move. */
function steer(pane, camera, changed) {
  const pointers = new Map();
  const place = (event) => {
    const box = pane.getBoundingClientRect(), unit = Math.min(box.width, box.height) / 2;
    return [(event.clientX - box.left - box.width / 2) / unit, -(event.clientY - box.top - box.height / 2) / unit];
  };
  const move = (event, dx, dy) => {
    if (camera.dim === 3 && !event.shiftKey) camera.turn(-90 * dx, -90 * dy);
    else camera.pan(dx, dy);
  };
  pane.addEventListener("pointerdown", (event) => {
    pane.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
  });
  pane.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event), other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]), middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      camera.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
      camera.zoom(apart(now) / Math.max(apart(before), 1e-3), ...middle);
    } else move(event, now[0] - before[0], now[1] - before[1]);
    pointers.set(event.pointerId, now);
    changed();
  });
  for (const end of ["pointerup", "pointercancel"]) pane.addEventListener(end, (event) => pointers.delete(event.pointerId));
  pane.addEventListener("wheel", (event) => {
    if (document.activeElement !== pane && !event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    camera.zoom(Math.exp(-event.deltaY / 500), ...place(event));
    changed();
  }, { passive: false });
  pane.addEventListener("keydown", (event) => {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (arrow) move(event, arrow[0] / 12, arrow[1] / 12);
    else if (event.key === "+" || event.key === "=") camera.zoom(1.2);
    else if (event.key === "-") camera.zoom(1 / 1.2);
    else if (event.key === "0" || event.key === "Home") camera.reset();
    else return;
    event.preventDefault();
    changed();
  });
}
