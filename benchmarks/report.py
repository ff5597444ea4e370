"""Measure the report of a shipped model in headless Chromium with software graphics: size, first picture, rates.

    python benchmarks/report.py [--model kolmogorov-amplitude] [--J 10000] [--particles 100000]

The peer is the same network in typed arrays, 64 rows at a time, in the same page. ``--agreement`` instead opens the
page of every shipped model and prints how far its positions differ from those of `ksdp sample`: at the ends of the
trained range, between them, and at 1.3 times the upper end.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser

import ksdp_cli as ksdp
from ksdp_cli import pretrained as models
from ksdp_cli.api.paths import existing
from ksdp_cli.learning.model import Model
from ksdp_cli.views.report.reporting import report

FLAGS = [
    "--no-sandbox",
    "--disable-gpu-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

FRAMES = """(count) => {
  const pen = ksdp.panes[0].canvas.getContext("2d"), began = performance.now();
  for (let i = 0; i < count; i++) {
    ksdp.camera.turn(2, 0);
    ksdp.camera.pan(0.001, 0);
    ksdp.draw();
    pen.getImageData(0, 0, 1, 1);   // waits for the picture
  }
  return (1000 * count) / (performance.now() - began);
}"""

# as a hand turns it: at every frame of the browser a move, and a picture when the device is done with the last one
TURNING = """(seconds) => new Promise((done) => {
  const draw = ksdp.draw.bind(ksdp);
  let pictures = 0, began = null;
  ksdp.draw = () => { draw(); pictures++; };
  const move = (now) => {
    began ??= now;
    if (now - began > 1000 * seconds) return done([pictures / (seconds - 0.5), ksdp.coarse]);
    if (now - began < 500) pictures = 0;   // by then it has found how coarse to draw
    ksdp.camera.turn(2, 0);
    ksdp.turned();
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
})"""

SHADER = """async (n) => {
  if (ksdp.generator.n !== n) ksdp.resize(n);
  await ksdp.ready();
  const began = performance.now(), { generator } = ksdp;
  generator.at(ksdp.network.eta.map(({ name }) => ksdp.at[name]));
  generator.chunk = 1 << 16;
  while (!generator.complete || !generator.ready())
    if (!generator.advance()) await new Promise((go) => setTimeout(go, 1));
  ksdp.positions();
  return (performance.now() - began) / 1000;
}"""

ARRAYS = """(n) => {
  const raw = atob(ksdp.network.theta), buffer = new Uint8Array(raw.length), sizes = ksdp.network.sizes, B = 64;
  for (let i = 0; i < raw.length; i++) buffer[i] = raw.charCodeAt(i);
  const theta = new Float32Array(buffer.buffer), out = new Float32Array(3 * n), began = performance.now();
  let a = new Float64Array(B * 32), b = new Float64Array(B * 32);
  for (let start = 0; start < n; start += B) {
    const m = Math.min(B, n - start);
    for (let k = 0; k < B * sizes[0]; k++) a[k] = Math.sin(start + k);
    let at = 0;
    for (let level = 1; level < sizes.length; level++) {
      const ins = sizes[level - 1], outs = sizes[level], bias = at + outs * ins;
      for (let o = 0; o < outs; o++)
        for (let i = 0; i < m; i++) {
          let sum = theta[bias + o];
          for (let k = 0; k < ins; k++) sum += theta[at + o * ins + k] * a[k * B + i];
          b[o * B + i] = level < sizes.length - 1 ? Math.tanh(sum) : sum;
        }
      at = bias + outs;
      [a, b] = [b, a];
    }
    for (let k = 0; k < sizes.at(-1); k++) for (let i = 0; i < m; i++) out[3 * (start + i) + k] = a[k * B + i];
  }
  return (performance.now() - began) / 1000;
}"""


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", default="kolmogorov-amplitude")
    arguments.add_argument("--J", type=int, default=10_000)
    arguments.add_argument("--particles", type=int, default=100_000)
    arguments.add_argument("--agreement", action="store_true")
    options = arguments.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or "chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        tab.set_default_timeout(600_000)
        if options.agreement:
            table = Table("report/agreement", ["model", "largest difference"])
            for name in models.names():
                table.row(f"`{name}`", f"{agreement(name, tab, Path(folder)):.1e}")
        else:
            table = costs(options, tab, Path(folder))
        browser.close()
    if options.record:
        table.record()


def costs(options: argparse.Namespace, tab: Any, folder: Path) -> Table:
    """Size and times of one page."""
    table = Table("report/report", ["what", "measured"], 16)
    page, seconds, size = write(options.model, options.J, folder)
    table.row("size, with clouds at 16 bits and pictures", f"{size / 1e6:.2f} MB")
    table.row("time to write it", f"{seconds:.1f} s")
    began = time.perf_counter()
    tab.goto(page.as_uri())
    tab.wait_for_function("document.documentElement.dataset.drawn === 'yes'", polling=5)
    table.row("first picture after", f"{time.perf_counter() - began:.2f} s")
    tab.evaluate("ksdp.ready()")
    table.row("all particles of the network after", f"{time.perf_counter() - began:.1f} s")
    n = options.particles
    shader, arrays = (min(tab.evaluate(script, n) for _ in range(3)) for script in (SHADER, ARRAYS))
    table.row(f"network at {n} particles, by vertex shader", f"{shader:.2f} s")
    table.row("the same by typed arrays in JavaScript", f"{arrays:.2f} s")
    table.row("pictures at rest, two panes of 500 x 440 pixels", f"{tab.evaluate(FRAMES, 20):.1f} a second")
    rate, coarse = tab.evaluate(TURNING, 4)
    table.row(f"turning the same, cells of {coarse} pixel(s)", f"{rate:.1f} frames/s")
    return table


def agreement(name: str, tab: Any, folder: Path, n: int = 10_000) -> float:
    """Largest difference of a coordinate [length] between the page and `ksdp sample`."""
    model = Model.load(existing(name))
    tab.goto(report(name, out=folder / f"{name}.html").path.as_uri())
    tab.wait_for_function("document.documentElement.dataset.drawn === 'yes'")
    tab.evaluate("(n) => ksdp.resize(n)", n)
    low, high = np.array(model.eta_map.low), np.array(model.eta_map.high)
    worst = 0.0
    for point in (low, (2 * low + high) / 3, (low + 2 * high) / 3, high, 1.3 * high):
        values = dict(zip(model.eta_map.names, point.tolist(), strict=True))
        tab.evaluate("(values) => ksdp.set(values)", values)
        shown = tab.evaluate("async () => { await ksdp.ready(); return Array.from(ksdp.positions()); }")
        made = ksdp.sample(model, n=n, out=folder / "samples.zarr", overwrite=True, **values).frame()
        worst = max(worst, float(np.abs(np.reshape(shown, made.shape) - made).max()))
    return worst


def write(name: str, J: int, folder: Path) -> tuple[Path, float, int]:
    """The report of a shipped model beside the simulation that it learned, with J particles; seconds and bytes."""
    model = Model.load(existing(name))
    simulation = model.provenance["simulation"]
    options = {name: simulation[name] for name in ("flow", "kernel", "dim", "snapshots")} | simulation["flow_params"]
    run = ksdp.simulate(out=folder / "reference.zarr", J=J, dt=1e-3, **options)
    began = time.perf_counter()
    done = report(name, out=folder / "report.html", references=[run.path])
    return done.path, time.perf_counter() - began, done.bytes


if __name__ == "__main__":
    main()
