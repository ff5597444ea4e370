"""The exact distance as a metric: the one that ``N``, ``repeats`` and ``estimator`` are for."""

from __future__ import annotations

from ..base.shapes import Cloud
from ..base.threads import core_count
from ..errors import ConfigError
from .base import Distance, Transport
from .sizes import LARGEST_N, default_sizes
from .wasserstein import CERTIFIED_AXES, SECONDS_PER_PAIR, exact_transport, require_exact, require_references, w2_memory

#: Default N in more dimensions than the certified estimator has: the other takes seconds and 170 MB for that many.
LARGEST_DENSE = 2000


class Exact(Distance):
    """Exact W2^2 of equal sub-samples, equation (12), with a certificate or by POT's network simplex.

    In more than three dimensions it is always the latter, and N is 2000 at most where it is not given.
    """

    title, most = "exact W2", LARGEST_N

    def __init__(
        self,
        cloud: Cloud,
        reference: Cloud,
        second: Cloud | None = None,
        *,
        seed: int = 0,
        n: int | None = None,
        repeats: int | None = None,
        estimator: str = "certified",
    ) -> None:
        super().__init__(cloud, reference, second, seed=seed, n=n, repeats=repeats)
        self.estimator = "emd" if cloud.shape[-1] > CERTIFIED_AXES else estimator

    @property
    def label(self) -> str:
        return f"exact ({self.estimator})"

    def sizes(self) -> tuple[int, int]:
        """As `Distance.sizes`, or as asked.

        Raises `ConfigError`, `DataError` or `ResourceError` for what the estimator cannot take.
        """
        require_references(self.cloud, self.reference, self.second)
        size, count = super().sizes()
        if self.n is None and self.cloud.shape[1] > CERTIFIED_AXES and size > LARGEST_DENSE:
            own = (self.cloud, self.reference, self.second)
            size, count = default_sizes(*own, None, self.repeats, LARGEST_DENSE)
        if size < 1 or count < 1:
            raise ConfigError(f"N = {size} and repeats = {count}", "use at least 1 of each")
        for name, one in zip(("cloud", "reference", "second reference"), self.clouds, strict=False):
            if len(one) < size:
                raise ConfigError(f"the {name} has {len(one)} particles and N = {size}", f"use --N {len(one)} or less")
        require_exact(size, self.cloud.shape[1], self.estimator)
        return size, count

    def cost(self, n: int, solves: int) -> tuple[float, float]:
        cores = core_count()
        at_once = min(solves, cores + 1 if self.estimator == "certified" else 1)
        seconds = solves * SECONDS_PER_PAIR[self.estimator] * n * n / min(solves, cores)
        return seconds, at_once * w2_memory(n, self.estimator)

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        return exact_transport(x, y, self.estimator)
