// The page: panes with one camera and one colour scale, controls, and a table.
// In the console: ksdp.set({A: 50}); await ksdp.ready(); ksdp.positions().

const data = JSON.parse(document.getElementById("data").textContent);
const COUNTS = [10_000, 100_000, 1_000_000], START = 100_000, MEASURED = 100_000;
const REST = 200, SLOW = 45, COARSEST = 4; // ms without a move; ms of a picture that is too slow for turning

class Page {
  constructor({ dim, frames, controls, network, extent, colours, titles }) {
    Object.assign(this, { dim, frames, controls, network });
    this.at = Object.fromEntries(controls.map((control) => [control.name, control.start]));
    this.painter = new Painter(bytes(colours));
    this.camera = new Camera(dim, extent);
    const pane = (title) => new Pane(title, this.camera, extent, () => this.turned());
    if (network) {
      this.generator = new Generator(this.painter, network, dim);
      this.made = pane(titles.network);
    }
    if (frames.length) this.stored = pane(titles.frames);
    this.panes = [this.made, this.stored].filter(Boolean);
    this.exposure = this.brightest = this.coarse = 1;
    this.settled = [];
    this.build();
    const { width, height } = this.panes[0].box();
    if (width > 0 && height > 0) this.camera.aspect = width / height;
    this.camera.reset();
    if (network) this.resize(Math.min(START, network.inputs.count ?? START));
    this.recall();
    this.moved();
    addEventListener("hashchange", () => {
      this.recall();
      this.moved();
    });
    new ResizeObserver(() => this.request()).observe(document.getElementById("panes"));
    this.painter.canvas.addEventListener("webglcontextlost", () => fail(new Error("the graphics device was lost; reload the page")));
  }

  build() {
    const place = (id, ...children) => document.getElementById(id).replaceChildren(...children);
    place("panes", ...this.panes.map((pane) => pane.figure));
    this.knobs = this.controls.map((control) => {
      const change = (value) => this.set({ [control.name]: value });
      return control.values ? discrete(control, change) : continuous(control, change);
    });
    const lists = [];
    if (this.network) {
      const most = this.network.inputs.count ?? Infinity;
      const counts = COUNTS.filter((n) => n < most).concat(Number.isFinite(most) ? [most] : []);
      lists.push(choice("Particles", counts.map((n) => [n.toLocaleString("en").replaceAll(",", " "), n]), (n) => this.resize(n), START));
      if (this.frames.length) {
        const said = (frame) => this.controls.map(({ name }) => `${name} = ${formatted(frame.at[name])}`).join(", ");
        this.cases = choice("Go to a stored cloud", [["", null], ...this.frames.map((frame) => [said(frame), frame])], (frame) => frame && this.set(frame.at));
        lists.push(this.cases);
      }
    }
    const views = this.dim === 3 ? Object.keys(VIEWS).map((name) => button(`Along ${{ "x–y": "z", "x–z": "y", "y–z": "x" }[name]}`, () => this.look(() => this.camera.look(name)))) : [];
    const fit = button("Fit to this cloud", () => this.look(() => this.camera.fit(extentOf(this.sample(), this.dim))));
    const reset = button("Reset view", () => this.look(() => this.camera.reset()));
    place("controls", ...this.knobs.map((knob) => knob.row));
    place("buttons", ...lists.map((list) => list.label), ...views, fit, reset);
    [this.middle, this.top] = [node("span", {}), node("span", {})];
    const colours = node("span", { class: "colours", role: "img", "aria-label": "white is empty, dark is dense, by the square root" });
    const bar = node("span", { class: "bar" }, colours, node("span", { class: "ticks" }, node("span", {}, "0"), this.middle, this.top));
    place("scale", bar, ` ${this.dim === 3 ? "projected density" : "density"} [1/length²], square-root scale`, brightness((value) => {
      this.exposure = value;
      this.label();
      this.request();
    }));
  }

  /** Choose parameters, by name. */
  set(values) {
    for (const [i, { name }] of this.controls.entries()) {
      if (!(name in values)) continue;
      this.at[name] = values[name];
      this.knobs[i].show(values[name]);
    }
    this.moved();
  }

  /** Read parameters and view from the address after "#"; ignore unknown names. */
  recall() {
    const said = new URLSearchParams(location.hash.slice(1)), values = {};
    for (const { name, values: stored } of this.controls) {
      const value = said.has(name) ? Number(said.get(name)) : NaN;
      if (Number.isFinite(value) && (!stored || stored.includes(value))) values[name] = value;
    }
    for (const [i, { name, log }] of this.controls.entries()) {
      if (!(name in values) || (log && values[name] <= 0)) continue;
      this.at[name] = values[name];
      this.knobs[i].show(values[name]);
    }
    const view = (said.get("view") ?? "").split(",").map(Number);
    if (view.length === 6 && view.every(Number.isFinite) && view[2] > 0) this.camera.put(view);
  }

  /** Write parameters and view into the address, to share it. */
  remember() {
    const said = new URLSearchParams(this.controls.map(({ name }) => [name, String(this.at[name])]));
    if (this.looked) said.set("view", this.camera.numbers());
    const address = `#${said.toString().replaceAll("%2C", ",")}`;
    if (address !== location.hash) history.replaceState(null, "", address);
  }

  resize(n) {
    this.generator.resize(n);
    this.coarse = 1;
    this.made.buffer = this.generator.output;
    this.moved();
  }

  /** After a move of the view: draw coarse pictures until it has been at rest for a moment. */
  turned() {
    clearTimeout(this.resting);
    this.moving = this.looked = true;
    this.resting = setTimeout(() => {
      this.moving = false;
      this.request();
    }, REST);
    this.request();
  }

  look(change) {
    change();
    this.looked = true;
    this.stale = true;
    this.request();
  }

  /** After a change of parameters or inputs: update the stored frame, the network from its first chunk, the table. */
  moved() {
    if (this.stored) this.showFrame();
    if (this.network) {
      this.generator.at(this.network.eta.map(({ name }) => this.at[name]));
      this.drawn = 0;
      this.showNetwork();
    }
    if (this.cases) this.cases.select(this.same ? this.frame : null);
    this.stale = true;
    this.unsettled = true;
    this.request();
  }

  showFrame() {
    const apart = ({ at }) =>
      Math.hypot(...this.controls.map((c) => {
        const scale = c.log ? Math.log : (v) => v;
        return (scale(at[c.name]) - scale(this.at[c.name])) / (scale(c.to) - scale(c.from) || 1);
      }));
    const [distance, chosen] = this.frames.map((frame) => [apart(frame), frame]).sort((a, b) => a[0] - b[0])[0];
    this.same = distance < 1e-7;
    if (chosen !== this.frame) {
      this.frame = chosen;
      chosen.cloud ??= positionsOf(chosen, this.dim);
      if (this.stored.buffer) this.painter.gl.deleteBuffer(this.stored.buffer);
      this.stored.buffer = this.painter.buffer(chosen.cloud);
      this.stored.count = chosen.cloud.length / 3;
    }
    const parts = this.controls.map(({ name }) => `${name} = ${formatted(chosen.at[name])}`);
    parts.push(this.stored.count < chosen.count ? `${this.stored.count} of its ${chosen.count} particles` : `${chosen.count} particles`);
    if (this.network && !this.same) parts.push("the nearest that is stored");
    this.stored.note.textContent = parts.join(", ");
    this.stored.figure.classList.toggle("other", Boolean(this.network) && !this.same);
  }

  showNetwork() {
    const { eta, command, seed } = this.network, parts = eta.map(({ name }) => `${name} = ${formatted(this.at[name])}`);
    parts.push(`${this.generator.n} particles`);
    const outside = eta.filter(({ name, low, high: most }) => this.at[name] < low * (1 - 1e-9) || this.at[name] > most * (1 + 1e-9));
    if (outside.length) parts.push(`extrapolation: trained on ${outside.map((one) => `${one.name} = ${formatted(one.low)} to ${formatted(one.high)}`).join(", ")}`);
    this.made.note.textContent = parts.join(", ");
    const options = eta.map(({ name }) => `--${name} ${this.at[name]}`);
    const words = [command, ...options, `--n ${this.generator.n}`, `--seed ${seed}`].flatMap((word) => [node("span", {}, word), " "]);
    document.getElementById("command").replaceChildren(...words.slice(0, -1));
  }

  /** Return at most `SAMPLE` particles of the network, or without one of the frame. */
  sample() {
    if (this.network && this.generator.filled) return this.painter.read(this.generator.output, Math.min(SAMPLE, this.generator.filled));
    return this.frame.cloud.subarray(0, 3 * SAMPLE);
  }

  expose() {
    const clouds = this.network && this.frame ? [this.sample(), this.frame.cloud.subarray(0, 3 * SAMPLE)] : [this.sample()];
    this.brightest = Math.max(...clouds.map((cloud) => crowding(cloud, this.camera.view)));
    this.label();
  }

  label() {
    const top = Number((this.brightest / this.exposure).toPrecision(2));
    this.top.textContent = formatted(top);
    this.middle.textContent = formatted(top / 4); // half way along a square root
  }

  /** Update the moments once the network is done. */
  settle() {
    this.unsettled = false;
    const columns = [];
    if (this.network) {
      const n = Math.min(MEASURED, this.generator.n), { mean, second, error } = momentsOf(this.painter.read(this.generator.output, n));
      columns.push({ title: this.made.title, n, mean: mean.slice(0, this.dim), second, error, at: this.at });
    }
    if (this.frame) columns.push({ title: this.stored.title, n: this.frame.count, ...this.frame });
    document.getElementById("moments").replaceChildren(momentTable(columns, this.controls));
  }

  /** Draw in the next animation frame; `picture` is false if only the network continues. */
  request(picture = true) {
    this.changed ||= picture;
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.advance();
    });
  }

  /** Evaluate the next chunk; draw a picture if something else changed, or the particles have doubled. */
  advance() {
    const one = this.generator;
    one?.advance();
    const filled = one ? one.filled : 1, done = !one || (one.complete && one.ready());
    const due = filled && (this.changed || filled >= 2 * this.drawn || (one?.complete && this.drawn < filled));
    if (this.idle() && due) this.draw();
    if (this.fence || !done) return this.request(false);
    if (this.unsettled) this.settle();
    if (this.moving) return;
    this.remember();
    for (const go of this.settled.splice(0)) go();
  }

  /** Whether the last picture is done; if it was slow while the view moved, the next are coarser. */
  idle() {
    const gl = this.painter.gl;
    if (!this.fence) return true;
    if (gl.getSyncParameter(this.fence, gl.SYNC_STATUS) !== gl.SIGNALED) return false;
    gl.deleteSync(this.fence);
    this.fence = null;
    if (this.moving && performance.now() - this.asked > SLOW) this.coarse = Math.min(2 * this.coarse, COARSEST);
    return true;
  }

  draw() {
    if (this.stale) {
      this.stale = false;
      this.expose();
    }
    if (this.network) this.made.count = this.drawn = this.generator.filled;
    const gl = this.painter.gl, coarse = this.moving ? this.coarse : 1;
    this.asked = performance.now();
    for (const pane of this.panes) pane.draw(this.painter, this.brightest / this.exposure, coarse);
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    this.changed = false;
    document.documentElement.dataset.drawn = "yes";
  }

  /** Resolves when all particles of the network are evaluated and the view is at rest. */
  ready() {
    return this.unsettled || this.moving || this.fence ? new Promise((done) => this.settled.push(done)) : Promise.resolve();
  }

  /** Return the positions (n, d) of the network, or without one of the frame, row by row. */
  positions() {
    const wide = this.network ? this.painter.read(this.generator.output, this.generator.filled) : this.frame.cloud;
    return wide.filter((_, i) => i % 3 < this.dim);
  }
}

function fail(error) {
  document.getElementById("view").dataset.failed = "yes";
  document.getElementById("why").textContent = error.message;
}

try {
  window.ksdp = new Page(data);
} catch (error) {
  fail(error);
}
