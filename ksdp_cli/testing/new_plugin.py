"""The files of a plugin with one flow, to start from."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

from ..errors import ConfigError, Taken

#: Where each template goes; ``$package`` in a path is the name of the package.
FILES = {
    "pyproject.toml.in": "pyproject.toml",
    "plugin.py.in": "$package/plugin.py",
    "flow.py.in": "$package/flow.py",
    "test_flow.py.in": "tests/test_flow.py",
}


def flow_of(name: str) -> str:
    """The name of the flow in the package ``name``."""
    return name.removeprefix("ksdp-").removesuffix("-flow") or name


def new_plugin(name: str, folder: Path | None = None) -> list[Path]:
    """Write a package called ``name`` (as my-flow) into ``folder``, ./NAME where none is given; its files.

    Raises `ConfigError` for what is no name of a package, `Taken` where the folder is there already.
    """
    package = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(package):
        raise ConfigError(f"{name!r} is no name for a package", "use lower-case words with '-' between them: my-flow")
    root = Path(name) if folder is None else folder
    if root.exists():
        raise Taken(f"{root} exists", "use another name, or another -o")
    flow = flow_of(name)
    cls = "".join(map(str.capitalize, flow.split("-")))
    words = {"name": name, "package": package, "flow": flow, "cls": cls if cls[0].isalpha() else f"Flow{cls}"}
    files = []
    for template, place in FILES.items():
        path = root / Template(place).substitute(words)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = resources.files(__package__).joinpath("new_flow", template).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8")
        files.append(path)
    init = root / package / "__init__.py"
    init.write_text(f'"""The flow {flow} for ksdp."""\n', encoding="utf-8")
    return [*files, init]
