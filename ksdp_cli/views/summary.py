"""Summarise a run for a table: moments of its clouds, and how it was made."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.files import JsonDict
from ..base.grids import SEED
from ..metrics import Moments, moments
from ..metrics.ensembles import ensemble_moments
from ..metrics.moments import finite
from ..store import Run

#: Particles in memory at once.
PIECE = 1 << 22


def of_run(run: Run) -> JsonDict:
    """Return path, size, timing, and for each case and snapshot the mean and second moment with standard errors.

    For several seeds, ``ensemble`` holds the means over seeds at the other parameters, with Student's 95 % intervals.
    """
    frames, runs = [], dict[tuple[float, ...], list[Moments]]()
    others = [name for name in run.cases[0] if name != SEED]
    for case, parameters in enumerate(run.cases):
        for k, t in enumerate(run.times):
            m = pool_moments([moments(run.rows(case, k, slice(i, i + PIECE))) for i in range(0, run.J, PIECE)])
            runs.setdefault((*(parameters[name] for name in others), float(t)), []).append(m)
            frames.append(
                {
                    "parameters": parameters,
                    "t": float(t),
                    "mean": [float(value) for value in m.mean],
                    "second_moment": float(m.second_moment),
                    "se": finite(float(m.second_moment_se)),
                }
            )
    return {
        "path": str(run.path),
        "kind": run.kind,
        "J": run.J,
        "d": run.dim,
        "seconds": float(run.attrs.get("seconds") or 0.0),
        "engine": _generator(run) if run.kind == "samples" else _engine(run.attrs.get("engine") or ()),
        "complete": run.complete,
        "cases": {"all": len(run.cases), "done": sum(frames == len(run.header.times) for frames in run.progress())},
        "frames": frames,
        **({"ensemble": _ensemble([*others, "t"], runs)} if len(runs) < len(frames) else {}),
    }


def _ensemble(names: list[str], runs: dict[tuple[float, ...], list[Moments]]) -> list[dict[str, object]]:
    rows = []
    for values, each in runs.items():
        ensemble, at = ensemble_moments(each), dict(zip(names, values, strict=True))
        t = at.pop("t")
        means, second = [one.mean for one in ensemble.mean], asdict(ensemble.second_moment)
        rows.append({"parameters": at, "t": t, "seeds": ensemble.seeds, "mean": means, "second_moment": second})
    return rows


def pool_moments(parts: list[Moments]) -> Moments:
    """Compute the moments of all particles of several clouds from the moments of each."""
    if len(parts) == 1:
        return parts[0]
    sizes = np.array([part.n for part in parts])
    total, weights = int(sizes.sum()), sizes / sizes.sum()

    def pool(each: ArrayLike, deviations: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values, roots = np.array(each), np.sqrt(np.maximum(sizes - 1, 1))
        errors = np.nan_to_num(np.array(deviations))  # a part of one particle has no spread
        spread = errors * roots.reshape(-1, *(1,) * (values.ndim - 1))  # standard deviations of the parts
        mean = np.tensordot(weights, values, 1)
        variance = np.tensordot(weights, spread**2 + (values - mean) ** 2, 1)
        return np.asarray(mean), np.asarray(np.sqrt(variance / max(total - 1, 1)))

    mean, mean_se = pool([part.mean for part in parts], [part.mean_se for part in parts])
    second, second_se = pool([p.second_moment for p in parts], [p.second_moment_se for p in parts])
    return Moments(total, mean, mean_se, float(second), float(second_se))


def _generator(run: Run) -> str:
    """Say what generated samples: the network, and the engine beyond its last trained time."""
    beyond = run.attrs.get("beyond")
    return f"network to t = {beyond['from']:g}, then {beyond['engine']} engine" if beyond else "network"


def _engine(reports: Any) -> str:
    if not reports:
        return ""
    first = reports[0]
    error = max((float(report["error"]) for report in reports if report.get("error") is not None), default=None)
    return str(first.get("engine", "?")) + (f", measured drift error {error:.1e}" if error is not None else "")
