"""Metadata of files: one model for each kind, validated on reading.

An undamaged file may come from another program, or from a text editor. An entry with a name here must have its type;
entries with other names pass, so that a later version may add some.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Never, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import DataError
from .validation import first_error

Finite = Annotated[float, Field(allow_inf_nan=False)]
Values = Annotated[list[Finite], Field(min_length=1)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Size = Annotated[int, Field(ge=1, lt=2**63)]


class Record(BaseModel):
    """Base of the records: JSON types, without conversions."""

    model_config = ConfigDict(strict=True, extra="allow", defer_build=True)


Model = TypeVar("Model", bound=Record)


def as_record(model: type[Model], values: object) -> Model:
    """Validate ``values`` as a record. Raises `ValueError` with one line that names the entry and its value."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ValueError(first_error(error, model.__name__.lower())) from None


class FileEntries(dict[str, Any]):
    """Entries of a file; a missing one raises a `DataError` that names file and entry."""

    def __init__(self, entries: dict[str, object], file: object) -> None:
        super().__init__(entries)
        self.file = file

    def __missing__(self, name: str) -> Never:
        raise DataError(f"{self.file} has no entry {name!r}", "it is needed here; write the file again")


class Simulation(Record):
    """The configuration of a simulation; every entry may be absent."""

    flow: str = ""
    kernel: str = ""
    init: str = ""
    scheme: str = ""
    dtype: str = ""
    dim: Annotated[int, Field(ge=1, le=8)] = 2
    J: Size = 1
    T: Finite = 0.0
    dt: Finite = 1.0
    seed: Count | list[Count] = 0
    zip: list[str] = []
    snapshots: Values = [0.0]
    mu: Values = [0.0]
    chi: Values = [0.0]
    M: Values = [0.0]
    delta2: Values = [0.0]
    flow_params: dict[str, Values] = {}
    kernel_params: dict[str, Values] = {}
    init_params: dict[str, Finite | str] = {}


class Options(Record):
    """The entries that ksdp reads of the configuration of a training or of samples."""

    seed: Count = 0
    eta: dict[str, Finite] | list[str] = {}
    flow_params: dict[str, Any] = {}
    kernel_params: dict[str, Any] = {}
    init_params: dict[str, Any] = {}


class EngineReport(Record):
    engine: str = "?"
    error: Finite | None = None
    worst_error: Finite | None = None


class Looks(Record):
    """How concentrated a case was at its looks, a list of each number."""

    t: list[Finite]
    density: list[Finite | None]
    wide: list[Finite | None]
    within: list[Finite]
    radii: list[list[Finite]]
    critical_radius: list[Finite | None]

    @model_validator(mode="after")
    def _alike(self) -> Looks:
        if len({len(getattr(self, name)) for name in type(self).model_fields}) > 1:
            raise ValueError("entries differ in length")
        return self


class BlowUp(Record):
    """The blow-up time of a case, with the ends of its interval, and the radius it was estimated from."""

    t: Finite
    low: Finite
    high: Finite
    radius: Finite


class Origin(Record):
    """The frame that a run started from."""

    sha256: str
    t: Finite = 0.0
    generation: Count = 1


class Further(Record):
    """How samples were continued after the last trained time of their network."""

    method: Literal["simulate"]
    start: Finite = Field(alias="from")
    J: Size
    dt: Finite
    steps: Count
    engine: str
    seconds: Finite


class GridRecord(Record):
    """The grid on which c is stored."""

    points: Annotated[int, Field(ge=1, le=1 << 14)]
    low: Annotated[list[Finite], Field(min_length=1, max_length=3)]
    side: Annotated[Finite, Field(gt=0)]
    gradient: bool = False


class Stopped(Record):
    """A run that ended at its collapse, as was asked for."""

    t: Finite
    why: str
    not_reached: list[Finite]


class Attributes(Record):
    """The attributes of a store."""

    kind: Literal["simulation", "samples", "clouds"]
    particles: Size
    dim: Annotated[int, Field(ge=1, le=8)]
    times: Values
    cases: dict[str, Values]
    case_count: Size
    parameter_units: dict[str, str]
    config: dict[str, Any]
    complete: bool
    seed: Count | list[Count] | None = None
    versions: dict[str, str] = {}
    command: str = ""
    seconds: Finite | None = None
    network_seconds: Finite | None = None
    steps: Count | None = None
    hardware: str | None = None
    engine: list[EngineReport] | None = None
    t_b: list[BlowUp | None] = []
    no_t_b: list[str | None] = []
    followed: list[Looks | None] = []
    stopped: Stopped | None = None
    model: str | None = None
    model_sha256: str | None = None
    outside_trained_range: list[str] = []
    beyond: Further | None = None
    simulation: Simulation = Field(default_factory=Simulation)
    end_state: str | None = None
    origin: Origin = Origin(sha256="")
    contents: dict[str, str] = {}
    grid: GridRecord | None = None

    @model_validator(mode="after")
    def _config(self) -> Attributes:
        as_record(Options if self.kind == "samples" else Simulation, self.config)
        return self


class Shape(Record):
    """The header entry ``network`` of a model."""

    dim: Annotated[int, Field(ge=1, le=8)]
    eta_count: Annotated[int, Field(ge=1, le=64)]
    form: str = "paper"


class UnitsRecord(Record):
    """Half of the header entry ``units`` of a model."""

    length: Annotated[Finite, Field(gt=0)]
    origin: list[Finite]


class Eta(Record):
    """The header entry ``eta_map`` of a model."""

    names: list[str]
    low: Values
    high: Values
    log: list[bool]
    before: list[Finite] = []
    origin: list[Finite] = []

    @model_validator(mode="after")
    def _ranges(self) -> Eta:
        count, optional = len(self.names), {len(self.before), len(self.origin)}
        if {len(self.low), len(self.high), len(self.log)} != {count} or optional - {0, count}:
            raise ValueError("its lists have different lengths")
        if len(set(self.names)) != count or not all(self.names):
            raise ValueError(f"parameter names {self.names} are empty or repeated")
        for name, low, high, log in zip(self.names, self.low, self.high, self.log, strict=True):
            if low > high or (log and low <= 0):
                raise ValueError(f"{name} from {low:g} to {high:g}{' on a logarithmic scale' if log else ''}")
        return self


class Provenance(Record):
    """The header entry ``provenance`` of a model."""

    data: str = ""
    data_sha256: str = ""
    simulation: Simulation = Field(default_factory=Simulation)
    units: dict[str, str] = {}
    versions: dict[str, str] = {}
    command: str = ""
    result: dict[str, float | int | str | None] | None = None


class SavedArray(Record):
    """Type, shape and offset of an array in a checkpoint."""

    dtype: str
    shape: list[int]
    offset: int


class SavedHeader(Record):
    """The JSON of a checkpoint."""

    header: dict[str, Any]
    arrays: dict[str, SavedArray]


class Maker(Record):
    """Device and engine of a state."""

    device: str
    engine: str


class SavedPlace(Record):
    """The position of a case within a step that is halved."""

    model_config = ConfigDict(strict=True, extra="forbid")

    offset: Count = 0
    rate: Finite = 0.0
    taken: Count = 0
    finest: Count = 0
    farthest: Finite = 0.0
    shortest: Finite = 0.0


class SavedCase(Record):
    """The state of one case of a simulation, without its arrays."""

    run: str
    made_by: Maker
    seconds: Finite
    k: Count
    step: Count
    engine: dict[str, Any]
    collapsed: Finite | None = None
    followed: Looks | None = None
    halved: SavedPlace = SavedPlace()
    fastest: Finite = 0.0


class EndState(Record):
    """The part of the final states that the last frames do not hold; older stores have no ``made_by``."""

    run: str
    made_by: Maker = Maker(device="cpu", engine="")
    seconds: Finite
    k: Count
    engines: list[dict[str, Any]]
    collapsed: dict[str, Finite] = {}
    halved: list[SavedPlace] = []
    fastest: list[Finite] = []


class SavedTuner(Record):
    """State of an engine's accuracy tuner; errors are NaN before the first check."""

    rung: Count
    calls: Count
    due: Count
    rest: Count
    error: float
    largest: float
    checked: Annotated[int, Field(ge=-1, lt=2**63)]
    worst: float


class HistoryRow(Record):
    """Losses of a training at a step."""

    step: Count
    loss: Finite | None = None
    validation: Finite | None = None


class History(Record):
    """NAME.history.json."""

    command: str = ""
    history: list[HistoryRow]


class TrainerState(Record):
    step: Count
    history: list[HistoryRow]
    seconds: Finite
    best: Finite | None = None


class SavedTraining(Record):
    """The state of a training, without its arrays."""

    run: str
    device: str = "cpu"
    trainer: TrainerState
