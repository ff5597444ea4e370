"""What the checks share: one way to fail, and the clauses about dimensions and parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from ..base.validation import first_error
from ..config import SimulateConfig

UNIT = re.compile(r"\[[^\]]+\]")


def require(holds: object, broken: str) -> None:
    """Raise `AssertionError` with the sentence ``broken`` unless ``holds``; works under ``python -O`` too."""
    if not holds:
        raise AssertionError(broken)


def name_of(component: object) -> str:
    return str(getattr(component, "__name__", type(component).__name__))


def require_dims(component: object) -> tuple[int, ...]:
    """The class attribute ``dims``, a tuple of 2, 3 or both."""
    dims = getattr(component, "dims", None)
    require(
        isinstance(dims, tuple) and dims and set(dims) <= {2, 3},
        f"{name_of(component)}.dims is {dims!r}: it must be (2,), (3,) or (2, 3)",
    )
    return dims  # type: ignore[return-value]


def require_params(component: object, values: Mapping[str, object] | None, *, texts: bool = False) -> BaseModel:
    """An instance of ``Params`` with ``values``, after its fields: numbers with defaults, described with a unit;
    ``texts`` are allowed of a component that is never swept.
    """
    name, model = name_of(component), getattr(component, "Params", None)
    require(
        inspect.isclass(model) and issubclass(model, BaseModel),
        f"{name}.Params is {model!r}: it must be a pydantic model; derive it from ksdp_cli.plugin.Params",
    )
    assert model is not None
    for field_name, field in model.model_fields.items():
        where = f"{name}.Params.{field_name}"
        require(
            field_name not in SimulateConfig.model_fields,
            f"{where} can never be set: --{field_name} is an option of 'ksdp simulate' itself; give it another name",
        )
        require(
            isinstance(field.default, (int, float, str) if texts else (int, float))
            and not isinstance(field.default, bool),
            f"{where} has the default {field.default!r}: every parameter is a number with a default",
        )
        require(
            field.description and UNIT.search(field.description),
            f"{where} is described by {field.description!r}: say what it is and its unit in brackets, as "
            "'flow amplitude [length / time]', or [1] for a pure number",
        )
    try:
        parameters: BaseModel = model(**(values or {}))
        return parameters
    except ValidationError as error:
        raise AssertionError(f"{name}.Params refuses {first_error(error)}") from None
