"""What a run says of itself in a table: moments of its clouds, and how it was made."""

from __future__ import annotations

from typing import Any

from ..metrics import moments
from ..store import Run


def of_run(run: Run) -> dict[str, Any]:
    """Path, size, timing, and for every case and snapshot the mean and second moment with standard errors."""
    frames = []
    for case, parameters in enumerate(run.cases):
        for k, t in enumerate(run.times):
            m = moments(run.frame(case, k))
            frames.append(
                {
                    "parameters": parameters,
                    "t": float(t),
                    "mean": [float(value) for value in m.mean],
                    "second_moment": float(m.second_moment),
                    "se": float(m.second_moment_se),
                }
            )
    return {
        "path": str(run.path),
        "kind": run.kind,
        "J": run.J,
        "d": run.dim,
        "seconds": float(run.attrs.get("seconds", 0.0)),
        "engine": _engine(run.attrs.get("engine")),
        "complete": run.complete,
        "frames": frames,
    }


def _engine(reports: Any) -> str:
    if not reports:
        return "network" if reports is None else ""
    first = reports[0]
    error = max((float(report["error"]) for report in reports if report.get("error") is not None), default=None)
    return str(first.get("engine", "?")) + (f", measured drift error {error:.1e}" if error is not None else "")
