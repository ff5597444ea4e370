"""The contract of an initial cloud, `ksdp_cli.initial.base.InitialCloud`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .contract import name_of, require, require_dims, require_params

COUNT = 1000


def check_initial_cloud(cloud: object, parameters: dict[str, object] | None = None) -> None:
    """Check the class of an initial cloud in each of its dimensions, with ``parameters`` instead of the defaults.

    ``Params``, where there is one, has numbers or texts with defaults and described units. A ``second_moment`` is that
    of 1000 particles within six standard errors.

    ``placed``, where there is one, gives particles of the same law. ``draw`` gives (n, dim) finite float32; a call
    repeats to the bit; particles ``start`` to ``start + n`` are those rows of the whole cloud, whatever the cut;
    another seed, and another stream, is another cloud; no two particles coincide in any of them, as they would where a
    law runs out of random numbers.

    Raises `AssertionError`.
    """
    name = name_of(cloud)
    law: Any = cloud
    require_dims(cloud)
    if isinstance(cloud, type):
        values = require_params(cloud, parameters, texts=True) if hasattr(cloud, "Params") else None
        law = cloud(values) if values is not None else cloud()
    for dim in require_dims(law):
        whole = law.draw(COUNT, dim, 5)
        require(isinstance(whole, np.ndarray), f"{name}.draw gives a {type(whole).__name__} and no NumPy array")
        require(whole.shape == (COUNT, dim), f"{name}.draw({COUNT}, {dim}, seed) has shape {whole.shape}, not (n, dim)")
        require(whole.dtype == np.float32, f"{name}.draw gives {whole.dtype}, not float32")
        require(np.isfinite(whole).all(), f"{name}.draw gives positions that are not finite")
        require(np.array_equal(whole, law.draw(COUNT, dim, 5)), f"{name}.draw of one seed differs from call to call")
        for start, n in ((0, 1), (1, 300), (301, COUNT - 301)):
            require(
                np.array_equal(law.draw(n, dim, 5, start=start), whole[start : start + n]),
                f"{name}.draw({n}, {dim}, seed, start={start}) is not rows {start} to {start + n} of the whole cloud",
            )
        others = {"seed": law.draw(COUNT, dim, 6), "stream": law.draw(COUNT, dim, 5, stream=1)}
        for what, other in others.items():
            require(not (other == whole).all(1).any(), f"{name}.draw repeats particles under another {what}")
        distinct = len(np.unique(whole, axis=0))
        require(distinct == COUNT, f"{name}.draw gives {distinct} different particles instead of {COUNT}")
        if hasattr(law, "second_moment"):
            squares = (whole.astype(np.float64) ** 2).sum(1)
            apart = abs(float(squares.mean()) - law.second_moment(dim))
            require(
                apart <= 6 * float(squares.std()) / COUNT**0.5,
                f"{name}.second_moment({dim}) is {law.second_moment(dim):.4g}, and {COUNT} particles have "
                f"{squares.mean():.4g}",
            )
        if hasattr(law, "placed"):
            _check_placed(name, law, whole, dim)


def _check_placed(name: str, made: Any, drawn: np.ndarray, dim: int) -> None:
    """Compare the quartiles of coordinates, of their sums and differences, and of |X| with those that were ``drawn``.

    Half of the particles at a quartile count as below it, so that a law may have atoms.
    """
    placed = made.placed(np.random.default_rng(9).random((COUNT, dim + 1)), dim)
    require(
        placed.shape == drawn.shape and placed.dtype == np.float32,
        f"{name}.placed(u, {dim}) has shape {placed.shape} and type {placed.dtype}, not those of draw",
    )
    theirs, ours = _functions(drawn), _functions(placed)
    for what, values in theirs.items():
        for at in np.quantile(values, (0.25, 0.5, 0.75), method="inverted_cdf"):
            of_draw, part = (float(((one < at) + 0.5 * (one == at)).mean()) for one in (values, ours[what]))
            middle = (of_draw + part) / 2
            require(
                abs(part - of_draw) <= 6 * (2 * middle * (1 - middle) / COUNT) ** 0.5,
                f"{name}.placed(u, {dim}) has {part:.0%} of its particles at {what} < {at:.4g}, and draw {of_draw:.0%}",
            )


def _functions(x: np.ndarray) -> dict[str, np.ndarray]:
    """Functions of the particles ``x`` (n, d) whose laws tell the law of a particle from another, by name."""
    axes = dict(zip("xyz", x.astype(np.float64).T, strict=False))
    pairs = list(itertools.combinations(axes, 2))
    sums = {f"{a} + {b}": axes[a] + axes[b] for a, b in pairs} | {f"{a} - {b}": axes[a] - axes[b] for a, b in pairs}
    return axes | sums | {"|X|": np.linalg.norm(x.astype(np.float64), axis=1)}
