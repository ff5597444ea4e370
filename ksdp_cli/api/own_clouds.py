"""The caller's own clouds as arrays, for comparison and training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.listener import Say, as_warning
from ..config import SimulateConfig
from ..errors import ConfigError, DataError
from ..initial.stored import StoredCloud
from ..store.foreign import arrays_of
from ..store.layout import MOST_AXES
from .clouds import initial_cloud, resolve_user_cloud
from .own_files import is_array, is_dataset, rounding_doubt

#: Names in the layout of `own_clouds` that are not parameters.
RESERVED = ("position", "time", "axis")


@dataclass(frozen=True)
class OwnClouds:
    """The interface of `Run` that training needs, for arrays; ``config`` has only the initial cloud and the time."""

    position: NDArray[np.float32]
    times: NDArray[np.float64]
    cases: list[dict[str, float]]
    config: dict[str, Any]
    path: Path = Path("own-clouds")
    kind: str = "simulation"
    complete: bool = True
    attrs: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    @property
    def J(self) -> int:
        return int(self.position.shape[2])

    @property
    def dim(self) -> int:
        return int(self.position.shape[3])

    def frame(self, case: int = 0, k: int = -1) -> NDArray[np.float32]:
        """Return positions (J, d) of a case and time."""
        return np.asarray(self.position[case, k])


def own_clouds(arrays: Mapping[str, object], init: object = None, warn: Say = as_warning) -> OwnClouds:
    """Wrap clouds at several values of parameters, in the layout of an .npz from ``ksdp export``.

    ``position`` is (case, time, particle, axis), or (case, particle, axis) for one time; ``time`` (time,) increases,
    default 0; every other entry is a parameter, (case,). ``init`` is the initial cloud of the network: a name, a class
    or a store, default the uniform ball. ``warn`` is told of clouds that float32 rounds.

    Raises `DataError` for arrays that do not fit together, `ConfigError` for an initial cloud of another dimension.
    """
    if "position" not in arrays:
        raise DataError(
            f"there is no 'position' among {', '.join(map(str, arrays)) or 'nothing'}", "name the clouds so"
        )
    position = np.asarray(arrays["position"])
    if position.dtype.kind not in "fiu" or position.ndim not in (3, 4) or not position.size:
        message = f"position is an array of {position.dtype} and shape {position.shape}"
        raise DataError(message, "give numbers (case, time, particle, axis)")
    position = position[:, None] if position.ndim == 3 else position
    if not 1 <= position.shape[3] <= MOST_AXES:
        raise DataError(
            f"position has shape {position.shape}", f"a network takes clouds in 1 to {MOST_AXES} dimensions"
        )
    times = np.atleast_1d(np.asarray(arrays.get("time", np.zeros(1)), np.float64))
    if times.shape != (position.shape[1],) or (np.diff(times) <= 0).any():
        raise DataError(f"time is {times.tolist()} for {position.shape[1]} clouds a case", "give increasing times")
    columns: dict[str, NDArray[np.float64]] = {}
    if "t" in arrays:
        raise DataError("the parameter t is the time", "call its array 'time', (time,)")
    for name in [name for name in arrays if name not in RESERVED]:
        values = np.asarray(arrays[name])
        if values.dtype.kind not in "fiu" or values.shape != (len(position),) or not np.isfinite(values).all():
            raise DataError(f"{name} has shape {values.shape} for {len(position)} cases", "give one number a case")
        columns[str(name)] = values.astype(np.float64)
    varying_columns = {name: values for name, values in columns.items() if len(np.unique(values)) > 1}
    cases = [{name: float(values[case]) for name, values in varying_columns.items()} for case in range(len(position))]
    if len({tuple(case.values()) for case in cases}) < len(cases):
        raise DataError(
            f"two of {len(cases)} cases have the same parameters", "give an array (case,) that tells them apart"
        )
    law = SimulateConfig.model_fields["init"].default if init is None else resolve_user_cloud(init)
    start, cloud = initial_cloud(law, position.shape[3])
    config = {"init": start, "T": float(times[-1]), "J": position.shape[2], "dim": position.shape[3]}
    config |= {name: float(values[0]) for name, values in columns.items() if name not in varying_columns}
    attrs = {"origin": {"sha256": cloud.digest}} if isinstance(cloud, StoredCloud) else {}
    for cloud in position.reshape(-1, *position.shape[2:]):
        if doubt := rounding_doubt(cloud, "clouds"):
            warn(doubt)
            break
    with np.errstate(over="ignore"):
        return OwnClouds(position.astype(np.float32), times, cases, config, attrs=attrs)


def require_mapping(value: object) -> Mapping[str, object]:
    """Return ``value`` if it is a mapping of arrays, an `xarray.Dataset` as a dict; else raise `ConfigError`."""
    if is_dataset(value) and "position" in value:  # type: ignore[operator]
        return arrays_of(value)  # type: ignore[arg-type]
    if not isinstance(value, Mapping):
        message = (
            "an array has no parameters to learn" if is_array(value) else f"a {type(value).__name__} is not a store"
        )
        raise ConfigError(
            message, "give a store, or a dict of arrays: position (case, time, particle, axis), NAME (case,)"
        )
    return value
