"""The exact distance as a metric, with the options ``N``, ``repeats`` and ``estimator``."""

from __future__ import annotations

from ..assignment.certified import AXES
from ..base.shapes import Cloud
from ..base.threads import core_count
from ..errors import ConfigError
from .base import Distance, Transport
from .sizes import LARGEST_N, default_sizes
from .wasserstein import SECONDS_PER_PAIR, exact_transport, require_exact, require_references, w2_memory

#: Largest default N for the estimator "emd", which takes seconds and 170 MB for it.
LARGEST_DENSE = 2000


class Exact(Distance):
    """Exact W2^2 of equal sub-samples, equation (12), by the certified solver or by POT's network simplex ("emd").

    In more than three dimensions the estimator is "emd", and the default N is at most 2000.
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
        self.estimator = "emd" if cloud.shape[-1] > AXES else estimator

    @property
    def label(self) -> str:
        return f"exact ({self.estimator})"

    def sizes(self) -> tuple[int, int]:
        """As `Distance.sizes`. Raises `ConfigError`, `DataError` or `ResourceError` for sizes that the estimator cannot
        solve."""
        require_references(self.cloud, self.reference, self.second)
        size, count = super().sizes()
        if self.n is None and self.cloud.shape[1] > AXES and size > LARGEST_DENSE:
            clouds = self.cloud, self.reference, self.second
            size, count = default_sizes(*clouds, None, self.repeats, LARGEST_DENSE)
        if size < 1 or count < 1:
            raise ConfigError(f"N = {size} and repeats = {count}", "use at least 1 of each")
        for name, one in zip(("cloud", "reference", "second reference"), self.clouds, strict=False):
            if len(one) < size:
                raise ConfigError(
                    f"the {name} has {len(one)} particles, fewer than N = {size}", f"use --N {len(one)} or less"
                )
        require_exact(size, self.cloud.shape[1], self.estimator)
        return size, count

    def cost(self, n: int, solves: int) -> tuple[float, float]:
        cores = core_count()
        at_once = min(solves, cores if self.estimator == "certified" else 1)
        seconds = solves * SECONDS_PER_PAIR[self.estimator] * n * n / min(solves, cores)
        return seconds, at_once * w2_memory(n, self.estimator)

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        return exact_transport(x, y, self.estimator)
