"""Mini-batches of Algorithm 1: which data sets, which particles. A function of (seed, number of the mini-batch).

The paper's sub-samples are random. Stratified ones, a particle of every few neighbours, have the shares of all parts of
a cloud nearly right, so that 2000 particles stand for the cloud as many more random ones would.

Inputs are fresh particles of the initial law. Where the runs started from a stored cloud there are no fresh ones: then
they are drawn from its rows, and the held-out particles start from rows that are never trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..assignment.certified.geometry import spatial_order
from ..errors import ConfigError
from ..initial.points import Points
from .data import TrainingData
from .eta_map import EtaMap

#: The last fifth of every cloud is kept for validation and never trained on, unless another part is asked for.
HELD_OUT = 0.2
#: Particles of the initial cloud that are drawn for each one of a stratified sub-sample.
FINER = 4
#: Particles and data sets of one validation.
VALIDATED, VALIDATED_SETS = 1000, 8
#: Streams of the initial cloud: mini-batch b, set r draws from 1000 b + r, or more where there are more sets;
#: validation from here on.
STREAMS, VALIDATION_STREAM = 1000, 1 << 30


@dataclass(frozen=True)
class Batch:
    """``inputs`` (sets, N, d + padding), see `EtaMap.padding`, ``targets`` (sets, N, d), not yet matched."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]


class Batches:
    """Draws mini-batches and the validation sets from the training data."""

    def __init__(
        self,
        data: TrainingData,
        eta_map: EtaMap,
        n: int,
        sets: int,
        seed: int,
        form: str = "paper",
        stratified: bool = False,
        validated: int = VALIDATED,
        held_out: float = HELD_OUT,
    ) -> None:
        total, particles = data.clouds.shape[:2]
        self.kept, self.most = particles - int(held_out * particles), validated
        if n > self.kept:
            raise ConfigError(
                f"N = {n} sub-samples need {n} training particles; the store has J = {particles}, of which "
                f"{self.kept} train and {particles - self.kept} validate",
                f"use --N {self.kept} or less, a smaller --held-out, or simulate with a larger --J",
            )
        self.data, self.eta_map, self.n, self.seed, self.form = data, eta_map, n, seed, form
        self.sets = min(sets, total) if sets else (total if total <= 11 else 8)
        self.stratified, self.drawn = stratified, min(FINER * n, particles) if stratified else n
        self.orders: dict[int, NDArray[np.int64]] = {}
        self.sources: tuple[Points, Points] | None = None
        if data.source is not None:
            n = min(self.most, max((particles - self.kept) // 2, 1))
            # not the very rows from which the held-out particles came: their floor is that of independent ones
            held = data.source[min(self.kept, particles - n) : max(particles - n, 1)]
            trained = Points(np.delete(data.source, slice(self.kept, particles), axis=0))
            self.sources = trained, Points(held) if len(held) else trained

    def draw(self, number: int) -> Batch:
        """Mini-batch ``number``: all data sets, or a random choice of them, each with fresh sub-samples.

        Raises `ConfigError` for more mini-batches than there are streams of random numbers.
        """
        streams = max(STREAMS, self.sets)
        if (number + 1) * streams > VALIDATION_STREAM:
            raise ConfigError(
                f"mini-batch {number} of {self.sets} data sets is one too many", "use a larger --renew-batch"
            )
        generator = np.random.Generator(np.random.Philox(key=[self.seed, number]))
        total = len(self.data.clouds)
        chosen = np.sort(generator.permutation(total)[: self.sets])
        inputs, targets = [], []
        for i, r in enumerate(chosen):
            x = self._fresh(self.drawn, streams * number + i)
            if self.stratified:
                if r not in self.orders:
                    self.orders[r] = neighbours(self.data.clouds[r][: self.kept])
                rows = one_of_each(self.orders[r], self.n, generator)
                x = x[one_of_each(neighbours(x), self.n, generator)]
            else:
                rows = generator.permutation(self.kept)[: self.n]
            inputs.append(self._inputs(r, x))
            targets.append(self.data.clouds[r][rows])
        return Batch(np.stack(inputs), np.stack(targets))

    def validation(self) -> Batch | None:
        """What the network is compared with, the same at every call; None where there is nothing.

        Held-out particles of up to eight data sets spread over the grid, or those of the runs to validate on.
        """
        chosen, eta, n = self._validated()
        if not n:
            return None
        inputs = [self._padded(values, self._fresh(n, VALIDATION_STREAM + i)) for i, values in enumerate(eta)]
        return Batch(np.stack(inputs), np.stack([cloud[-n:] for cloud in chosen]))

    def others(self) -> NDArray[np.float32]:
        """As many other particles of the same clouds: their distance is the noise floor of validation."""
        chosen, _, n = self._validated()
        return np.stack([cloud[-2 * n : -n] for cloud in chosen])

    def validated_on(self) -> str:
        """`validation` in words."""
        chosen, _, n = self._validated()
        if not n:
            return "nothing"
        return f"{n} held-out particles of {len(chosen)} data sets" if self.data.validation is None else (
            f"{n} particles of {len(chosen)} clouds of other runs"
        )  # fmt: skip

    def _fresh(self, n: int, stream: int) -> NDArray[np.float32]:
        """``n`` particles of the initial law; streams from `VALIDATION_STREAM` on are those of the validation."""
        if self.sources is None:
            return self.data.draw(n, stream)
        source = self.sources[stream >= VALIDATION_STREAM]
        return source.draw(n, source.dims[0], self.seed, stream=stream)

    def _validated(self) -> tuple[NDArray[np.float32], NDArray[np.float64], int]:
        """Clouds whose last 2 n particles serve the validation, their parameters, and n, 0 where there are none."""
        if self.data.validation is not None:
            clouds, eta = self.data.validation
            return clouds, eta, min(self.most, clouds.shape[1] // 2)
        total, held = len(self.data.clouds), self.data.clouds.shape[1] - self.kept
        chosen = np.unique(np.linspace(0, total - 1, min(total, VALIDATED_SETS)).round().astype(int))
        return self.data.clouds[chosen], self.data.eta[chosen], min(self.most, held // 2)

    def _inputs(self, r: int, x: NDArray[np.floating]) -> NDArray[np.float32]:
        return self._padded(self.data.eta[r], x)

    def _padded(self, eta: NDArray[np.float64], x: NDArray[np.floating]) -> NDArray[np.float32]:
        padding = self.eta_map.padding(self.form, eta)
        return np.concatenate([x, np.broadcast_to(padding, (len(x), len(padding)))], 1).astype(np.float32)


def neighbours(points: NDArray[np.floating]) -> NDArray[np.int64]:
    """An order of ``points`` (n, d) in which those that follow one another are near: that of a k-d tree's cells."""
    order: NDArray[np.int64] = spatial_order(np.ascontiguousarray(points, np.float64), FINER)
    return order


def one_of_each(order: NDArray[np.int64], n: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """A stratified sub-sample of ``n``: a random one of each of n runs of ``order``, in random order."""
    edges = np.arange(n + 1) * len(order) // n
    places = edges[:-1] + (generator.random(n) * np.diff(edges)).astype(np.int64)
    return generator.permutation(order[places])
