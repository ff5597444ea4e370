"""Whole runs: against the CPU, against themselves, stopped and resumed, to a blow-up; then how long they take."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import ksdp_cli as ksdp
from ksdp_cli.errors import Interrupted, NumericalError
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation

from .harness import Bench

DT = 1e-4


def moved(
    options: dict[str, Any], device: str, stop: int | None = None, state: Any = None
) -> tuple[Any, list[Any], Any]:
    """Last frame (case, J, d), the engines' reports, and with ``stop`` the state after so many steps."""
    simulation = Simulation(pose(options), device)
    if state is None:
        simulation.start()
    else:
        for run, saved in zip(simulation.runs, state, strict=True):
            run.restore(saved)
    frames: dict[int, Any] = {}
    kept: list[Any] = []

    def after_step(done: int) -> None:
        if stop is not None and done >= stop and not kept:
            kept.append([replace(state, engine=dict(state.engine)) for state in simulation.snapshot()])

    simulation.run(lambda k, frame: frames.update({k: np.array(frame)}), after_step)
    return frames[max(frames)], [run.stepper.report() for run in simulation.runs], kept[0] if kept else None


def laws(bench: Bench) -> None:
    """Runs of 20 to 120 steps, compared."""
    few = bench.size(4000, 40)
    base = {"J": few, "T": bench.size(120, 2) * DT, "dt": DT}
    runs = {
        "laminar2d, Euler": base | {"flow": "laminar2d", "A": 10},
        "kolmogorov, Heun": base | {"flow": "kolmogorov", "A": 10, "scheme": "heun"},
        "sweep of 3, laminar2d, Euler": base | {"flow": "laminar2d", "A": (1, 10, 100)},
        "none, 3D, Euler": base | {"dim": 3},
        "tree, Euler": base | {"J": bench.size(20_000, 300), "T": bench.size(20, 2) * DT, "engine": "tree"},
    }
    for name, options in list(runs.items())[: bench.size(5, 3)]:  # the interpreter takes a minute for the others
        bench.row_guard(name, lambda n=name, o=options: _one(bench, n, o))  # type: ignore[misc]
    bench.row_guard("cases of a sweep alone", lambda: _alone(bench, runs["sweep of 3, laminar2d, Euler"]))
    bench.row_guard("blow-up", lambda: _blow_up(bench, few))
    if not bench.smoke:
        bench.row_guard("resume from the disk", lambda: _from_disk(bench, runs["laminar2d, Euler"]))


def _one(bench: Bench, name: str, options: dict[str, Any]) -> None:
    steps = round(options["T"] / DT)
    short = options | {"T": min(20, steps) * DT}
    far, reports, _ = moved(short, "cuda")
    here, *_ = moved(short, "cpu")
    report = reports[0]
    told = "captured" if report.get("captured") else f"not captured: {report.get('why', 'no reason told')}"
    # 20 steps of 1e-4; where the tree is aimed at 1e-4 its errors stay far below the positions' 1e-4
    bench.check(f"{name}: GPU against CPU", float(np.abs(far - here).max()), 1e-4, told)
    one, _, state = moved(options, "cuda", stop=max(1, steps // 2))
    two, reports, _ = moved(options, "cuda")
    captured = reports[0].get("captured")
    must = not bench.smoke and options.get("engine") != "tree"
    note = f"captured: {captured} {reports[0].get('why', '')}".strip()
    bench.check(
        f"{name}: bits of two equal runs that differ", float((one != two).sum()), 0, note, bool(captured) or not must
    )
    resumed, *_ = moved(options, "cuda", state=state)
    bench.check(f"{name}: stopped and resumed", float((resumed != one).sum()), 0, f"at step {steps // 2} of {steps}")


def _alone(bench: Bench, options: dict[str, Any]) -> None:
    together, *_ = moved(options, "cuda")
    alone, *_ = moved(options | {"A": options["A"][0]}, "cuda")  # the first case: streams are numbered by case
    bench.check(
        "a case of a sweep and the same alone", float((together[0] != alone[0]).sum()), 0, "numbers that differ"
    )


def _blow_up(bench: Bench, few: int) -> None:
    told = {}
    for device in ("cpu", "cuda"):
        try:
            moved({"J": few, "T": 20 * DT, "flow": "hyperbolic", "A": 3e4}, device)
            told[device] = "no blow-up"
        except NumericalError as error:
            told[device] = error.message[:110]
    when = [text.split(":")[0] for text in told.values()]
    same = when[0] == when[1] and "blow-up after t" in when[0]
    bench.check("blow-up told at the CPU's step", 0.0 if same else 1.0, 0, f"{told['cuda']} | CPU: {when[0]}")


def _from_disk(bench: Bench, options: dict[str, Any]) -> None:
    """Through checkpoint and store, as a user does it."""
    with tempfile.TemporaryDirectory() as folder:
        whole = ksdp.simulate(**options, device="cuda", out=Path(folder) / "whole.zarr")
        calls = iter([None, 15])
        try:
            ksdp.simulate(**options, device="cuda", out=Path(folder) / "cut.zarr", stop=lambda: next(calls, None))
            note = "was not stopped"
        except Interrupted as error:
            note = error.message[:60]
        cut = ksdp.simulate(**options, device="cuda", out=Path(folder) / "cut.zarr", resume=True)
        bench.check("resumed from the disk", float((whole.frame() != cut.frame()).sum()), 0, note, "stopped" in note)


def times(bench: Bench) -> None:
    """The paper's run, and steps at 1e5 to 1e7 as the difference of two lengths, so that starts are left out."""
    bench.row_guard("the paper's run", lambda: _paper(bench))
    big = (
        ("step, direct, J = 1e5, 2D", 100_000, 2, "direct", (20, 120), 4.0, {}),
        ("step, auto, J = 1e5, 2D", 100_000, 2, "auto", (20, 120), 4.0, {}),
        ("step, tree 1e-4, J = 1e6, 2D", 1_000_000, 2, "tree", (4, 24), 12.0, {}),
        ("step, tree 1e-3, J = 1e6, 3D", 1_000_000, 3, "tree", (4, 16), 30.0, {"accuracy": 1e-3}),
        ("step, auto, J = 1e6, 2D", 1_000_000, 2, "auto", (4, 24), 12.0, {}),
        ("step, tree 1e-4, J = 1e7, 2D", 10_000_000, 2, "tree", (2, 6), 150.0, {}),
    )
    for what, particles, dim, engine, lengths, goal, more in big[:: 3 if bench.smoke else 1]:
        options = {"J": bench.size(particles, 60), "dim": dim, "engine": engine, "dt": DT} | more
        steps = lengths if not bench.smoke else (1, 2)
        if particles > 5_000_000 and bench.left() < 30 and not bench.smoke:
            bench.tell(what, f"left out: {bench.left():.0f} s left")
            continue
        bench.row_guard(what, lambda w=what, o=options, s=steps, g=goal: _step(bench, w, o, s, g))  # type: ignore[misc]


def _paper(bench: Bench) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for name in ("first", "second", "third"):
            options: dict[str, Any] = {"device": "cuda", "out": Path(folder) / f"{name}.zarr"}
            if bench.smoke:
                options = {"J": 30, "T": 5 * DT, "device": "cpu", "out": Path(folder) / f"{name}.zarr"}
            run = ksdp.simulate(**options)
            seconds.append(float(run.attrs["seconds"]))
        report = run.attrs["engine"][0]
    bench.goal("paper's run, J = 1e4, 1000 steps: the first", seconds[0], "s", note="with what Triton had to compile")
    note = f"captured {report.get('captured')} {report.get('why', '')}; second {seconds[1]:.3f}, third {seconds[2]:.3f}"
    bench.goal("paper's run, again", min(seconds[1:]), "s", 0.1, note)


def _step(bench: Bench, what: str, options: dict[str, Any], lengths: tuple[int, int], goal: float) -> None:
    """(T2 - T1) / steps between, after a first run that compiles: starts and captures are left out."""
    seconds = []
    for steps in (lengths[0], *lengths):
        simulation = Simulation(pose(options | {"T": steps * DT}), "cuda")
        simulation.start()
        _wait(bench)
        began = time.perf_counter()
        simulation.run(lambda k, frame: None, lambda done: None)
        _wait(bench)
        seconds.append(time.perf_counter() - began)
    report = simulation.runs[0].stepper.report()
    shown = {name: report[name] for name in ("engine", "captured", "why", "error", "order") if name in report}
    each = (seconds[2] - seconds[1]) / (lengths[1] - lengths[0])
    told = ", ".join(f"{part:.3f}" for part in seconds)
    bench.goal(
        what, 1e3 * each, "ms", goal, f"runs of {lengths[0]}, {lengths[0]}, {lengths[1]} steps: {told} s; {shown}"
    )


def _wait(bench: Bench) -> None:
    if not bench.smoke:
        import torch

        torch.cuda.synchronize()
