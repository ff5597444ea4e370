"""Mini-batches of Algorithm 1: data sets and particles, a function of (seed, number of the mini-batch).

The paper's sub-samples are random. A stratified sub-sample takes one particle from each group of neighbours. It
represents all parts of a cloud in nearly the right proportion, so that 2000 particles do the work of many more random
ones.

Inputs are fresh particles of the initial law. If the runs started from a stored cloud there are no fresh particles:
then inputs are drawn from its rows, and validation uses rows that training never uses.
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

#: Default fraction of every cloud, its last rows, that validation uses and training never.
HELD_OUT = 0.2
#: Number of initial particles drawn for each particle of a stratified sub-sample.
FINER = 4
#: Largest number of particles and of data sets in one validation.
VALIDATED, VALIDATED_SETS = 1000, 8
#: Streams of the initial cloud: set r of mini-batch b draws from stream `STREAMS` b + r (with more sets than `STREAMS`,
#: from sets * b + r); validation draws from `VALIDATION_STREAM` on.
STREAMS, VALIDATION_STREAM = 1000, 1 << 30


@dataclass(frozen=True)
class Batch:
    """``inputs`` (sets, N, d + padding), see `EtaMap.padding`, and unmatched ``targets`` (sets, N, d)."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]


def training_particles(particles: int, held_out: float) -> int:
    """How many of the ``particles`` of a cloud train."""
    return particles - int(held_out * particles)


class Batches:
    """Draws mini-batches and validation sets from the training data.

    ``n`` is N, ``sets`` the number of data sets in a mini-batch (0: the default). Raises `ConfigError` for N above the
    number of training particles.
    """

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
        self.kept, self.most = training_particles(particles, held_out), validated
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
            # rows other than those of the held-out particles, so that validation compares independent samples
            held_out_rows = data.source[min(self.kept, particles - n) : max(particles - n, 1)]
            training = Points(np.delete(data.source, slice(self.kept, particles), axis=0))
            self.sources = training, Points(held_out_rows) if len(held_out_rows) else training

    def draw(self, number: int) -> Batch:
        """Draw mini-batch ``number``: all data sets or a random choice of them, each with fresh sub-samples.

        Raises `ConfigError` if the mini-batches need more streams of random numbers than there are.
        """
        streams = max(STREAMS, self.sets)
        if (number + 1) * streams > VALIDATION_STREAM:
            raise ConfigError(
                f"mini-batch {number} of {self.sets} data sets exceeds the streams of random numbers",
                "use a larger --renew-batch",
            )
        generator = np.random.Generator(np.random.Philox(key=[self.seed, number]))
        total = len(self.data.clouds)
        members = np.sort(generator.permutation(total)[: self.sets])
        inputs, targets = [], []
        for i, r in enumerate(members):
            x = self._fresh(self.drawn, streams * number + i)
            if self.stratified:
                if r not in self.orders:
                    self.orders[r] = neighbours(self.data.clouds[r][: self.kept])
                rows = one_of_each(self.orders[r], self.n, generator)
                x = x[one_of_each(neighbours(x), self.n, generator)]
            else:
                rows = generator.permutation(self.kept)[: self.n]
            inputs.append(self._pad(self.data.eta[r], x))
            targets.append(self.data.clouds[r][rows])
        return Batch(np.stack(inputs), np.stack(targets))

    def validation(self) -> Batch | None:
        """Return inputs and held-out particles for validation, the same at every call; None if there are none.

        They come from up to `VALIDATED_SETS` data sets spread over the grid, or from the runs given for validation.
        """
        clouds, eta, n = self._validation_sets()
        if not n:
            return None
        inputs = [self._pad(values, self._fresh(n, VALIDATION_STREAM + i)) for i, values in enumerate(eta)]
        return Batch(np.stack(inputs), np.stack([cloud[-n:] for cloud in clouds]))

    def others(self) -> NDArray[np.float32]:
        """Return as many other particles of the same clouds (sets, n, d); their distance is the noise floor."""
        clouds, _, n = self._validation_sets()
        return np.stack([cloud[-2 * n : -n] for cloud in clouds])

    def validated_on(self) -> str:
        """Describe the particles of `validation` in words."""
        clouds, _, n = self._validation_sets()
        if not n:
            return "nothing"
        return f"{n} held-out particles of {len(clouds)} data sets" if self.data.validation is None else (
            f"{n} particles of {len(clouds)} clouds of other runs"
        )  # fmt: skip

    def _fresh(self, n: int, stream: int) -> NDArray[np.float32]:
        """Draw ``n`` particles (n, d) of the initial law; streams from `VALIDATION_STREAM` on are for validation."""
        if self.sources is None:
            return self.data.draw(n, stream)
        source = self.sources[stream >= VALIDATION_STREAM]
        return source.draw(n, source.dims[0], self.seed, stream=stream)

    def _validation_sets(self) -> tuple[NDArray[np.float32], NDArray[np.float64], int]:
        """Return the clouds whose last 2 n particles are for validation, their parameters, and n (0 without any)."""
        if self.data.validation is not None:
            clouds, eta = self.data.validation
            return clouds, eta, min(self.most, clouds.shape[1] // 2)
        total, held_out = len(self.data.clouds), self.data.clouds.shape[1] - self.kept
        members = np.unique(np.linspace(0, total - 1, min(total, VALIDATED_SETS)).round().astype(int))
        return self.data.clouds[members], self.data.eta[members], min(self.most, held_out // 2)

    def _pad(self, eta: NDArray[np.float64], x: NDArray[np.floating]) -> NDArray[np.float32]:
        padding = self.eta_map.padding(self.form, eta)
        return np.concatenate([x, np.broadcast_to(padding, (len(x), len(padding)))], 1).astype(np.float32)


def neighbours(points: NDArray[np.floating]) -> NDArray[np.int64]:
    """An order (n,) of ``points`` (n, d) by the cells of a k-d tree, in which consecutive points are close."""
    order: NDArray[np.int64] = spatial_order(np.ascontiguousarray(points, np.float64), FINER)
    return order


def one_of_each(order: NDArray[np.int64], n: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """A stratified sub-sample (n,): one random entry from each of ``n`` equal parts of ``order``, in random order."""
    edges = np.arange(n + 1) * len(order) // n
    picks = edges[:-1] + (generator.random(n) * np.diff(edges)).astype(np.int64)
    return generator.permutation(order[picks])
