"""Make the options of a command from the fields of its configuration, which hold name, text and default."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from typer.core import TyperCommand
from typer.models import OptionInfo

from ..config import PAPER_TRAINING, Settings, TrainConfig
from . import _components
from ._defaults import shown

Command = TypeVar("Command", bound=Callable[..., None])
#: Where options stand that no group names.
OTHERS = "Output"


def options_of(
    model: type[Settings], groups: Mapping[str, Sequence[str]], skip: Sequence[str] = ()
) -> Callable[[Command], Command]:
    """Give a command an option for each field of ``model`` except ``skip``; it receives them as ``**options``, as text.

    ``groups`` are sections of the help with their fields in order; the command's own options follow.
    """
    panels = {name: panel for panel, names in groups.items() for name in names}
    names = [*panels, *(name for name in model.model_fields if name not in panels)]

    def decorate(command: Command) -> Command:
        own = inspect.signature(command, eval_str=True)
        parameters = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        fields = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[str | None, _option(model, name, panels.get(name, OTHERS))],
            )
            for name in names
            if name not in skip and name not in own.parameters
        ]

        @wraps(command)
        def run(**given: object) -> None:
            command(**given)

        keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        run.__signature__ = own.replace(parameters=[*fields, *keyword])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*fields, *keyword]} | {"return": None}
        return run  # type: ignore[return-value]

    return decorate


def _option(model: type[Settings], name: str, panel: str) -> OptionInfo:
    field = model.model_fields[name]
    text = field.description or name
    words = ". ".join(filter(None, (text[:1].upper() + text[1:], _default(model, name, field))))
    names = filter(None, (f"--{name.replace('_', '-')}", _extra(field, "also")))
    option: OptionInfo = typer.Option(
        *names, metavar=_metavar(field), help=words, rich_help_panel=panel, autocompletion=_components.completion(name)
    )
    return option


def _extra(field: FieldInfo, key: str) -> str | None:
    extra = field.json_schema_extra
    value = extra.get(key) if isinstance(extra, dict) else None
    return str(value) if value is not None else None


def _metavar(field: FieldInfo) -> str:
    """Return the metavar of the field, the choices of a `Literal`, or the type of its value."""
    metavar = _extra(field, "metavar")
    kind = field.annotation
    if metavar is not None:
        return metavar
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    kinds = {get_args(part)[0] if get_origin(part) is Annotated else part for part in (kind, *get_args(kind))}
    if get_origin(kind) is tuple:
        return "SWEEP" if float in kinds else "NAMES"
    return "NUMBER" if kinds & {int, float} else "NAME"


def _default(model: type[Settings], name: str, field: FieldInfo) -> str:
    """Return ``Default 1e-4.``, or nothing if the default is empty."""
    stated = _extra(field, "default")
    default = stated if stated is not None else shown(field.default)
    paper = PAPER_TRAINING.get(name) if model is TrainConfig else None
    other = f"; paper {shown(paper)}" if paper is not None else ""
    return f"Default {default}{other}." if default else ""


class _Item:
    """A completion for the shell, like click's own."""

    def __init__(self, value: str, help: str) -> None:
        self.value, self.help, self.type = value, help, "plain"


class GroupedCommand(TyperCommand):
    """A command whose help lists its options under the headings of `options_of`.

    Help and completion include the parameters of the components on the command line.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["words"] = list(args)
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        items: list[Any] = list(super().shell_complete(ctx, incomplete))
        if incomplete.startswith("-"):
            for records in self._parameters(ctx).values():
                words = [(option.split()[0], text) for option, text in records]
                values = {item.value for item in items}
                items += [
                    _Item(word, text) for word, text in words if word.startswith(incomplete) and word not in values
                ]
        return items

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        components = self._parameters(ctx)
        names = {option.split()[0] for records in components.values() for option, _ in records}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and record[0].split()[0] not in names:
                usual = "Arguments" if parameter.param_type_name == "argument" else OTHERS
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or usual, []).append(record)
        first, *rest = sorted(sections.items(), key=lambda section: section[0] != "Arguments")
        for heading, records in [first, *components.items(), *rest]:
            with formatter.section(heading):
                formatter.write_dl(records)

    def _parameters(self, ctx: Any) -> dict[str, list[tuple[str, str]]]:
        return _components.parameters(ctx.meta.get("words", ())) if ctx.ignore_unknown_options else {}
