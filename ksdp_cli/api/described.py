"""What `ksdp_cli.info` returns: an object of JSON with these names."""

from __future__ import annotations

from typing import NotRequired, TypedDict, final


class StateInfo(TypedDict):
    """How far a case is, as `ksdp_cli.api.case_states.CaseState`."""

    case: int
    parameters: dict[str, float]
    frames: int
    state: str
    by: str | None


class HeavyInfo(TypedDict):
    """A heavy particle at the end of a run with ``--merge delta``."""

    mass: float
    centre: list[float]


class EngineInfo(TypedDict, total=False):
    """What the pair sum of a case says; engines and chemistries of others may say more.

    ``modes`` are those of the shortest axes of the first box, and ``stretch`` times as many along each axis; it is
    missing where they are equal.
    """

    engine: str
    error: float | None
    target: float | None
    met: bool
    steps_taken: int
    shortest_step: float
    heavy: list[HeavyInfo]
    modes: int
    boxes: int
    stretch: list[int]
    image_error: float
    delta_error: float | None
    aliasing_error: float
    warnings: list[str]


@final
class RunInfo(TypedDict):
    """A store. What is not required stands only where the store says it."""

    path: str
    kind: str
    particles: int
    dimension: int
    cases: list[dict[str, float]]
    times: list[float]
    complete: bool
    states: NotRequired[list[StateInfo]]
    megabytes: float
    seed: NotRequired[int | list[int]]
    origin: NotRequired[dict[str, object]]
    grid: NotRequired[dict[str, object]]
    collapsed_from: NotRequired[float | list[float | None]]
    t_b: NotRequired[object]
    blow_up: NotRequired[object]
    stopped: NotRequired[object]
    versions: NotRequired[dict[str, str]]
    seconds: NotRequired[float]
    network_seconds: NotRequired[float]
    hardware: NotRequired[str]
    engine: NotRequired[list[EngineInfo]]
    model: NotRequired[str]
    outside_trained_range: NotRequired[list[str]]
    beyond: NotRequired[dict[str, object]]
    config: dict[str, object]
    command: str


@final
class ModelInfo(TypedDict):
    """A network. ``eta`` holds the range of each of its parameters as text."""

    path: str
    kind: str
    dimension: int
    network: str
    eta: dict[str, str]
    sha256: str
    data: NotRequired[str]
    data_sha256: NotRequired[str]
    result: NotRequired[dict[str, object]]
    versions: NotRequired[dict[str, str]]
    simulation: NotRequired[dict[str, object]]
    config: dict[str, object]
    command: str
