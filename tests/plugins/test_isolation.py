"""Plugins that are broken in every way known, installed together beside good ones: each is named, the rest works."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ksdp_cli import open_run

HEAD = "from ksdp_cli.plugin import Component, hookimpl\n\n\n"
HOOK = HEAD + "@hookimpl\ndef ksdp_flows():\n    return "
FLOW = """
from ksdp_cli.plugin import Params, namespace


class Swirl:
    dims = (2,)
    Params = Params

    def __init__(self, params, dim):
        pass

    def velocity(self, x, t):
        return namespace(x).stack([-x[:, 1], x[:, 0]], 1)


class Still(Swirl):
    velocity = None


class Faulty(Swirl):
    def velocity(self, x, t):
        return self.amplitude * x


class Taken(Swirl):
    class Params(Params):
        mu: float = 1.0


class Bare:
    dims = (2,)
"""
ODD = FLOW.replace("Params = Params", "class Params(Params):\n        a: slice = slice(0)")
GOOD = 'Component("swirl", "swirls:Swirl", "solid rotation")'

#: Manifest of each distribution that must fail, and what is said about it.
BROKEN = {
    "no-library": ("import petsc_that_is_not_there", "ModuleNotFoundError: No module named 'petsc_that_is_not_there'"),
    "syntax": ("def ksdp_flows(:", "SyntaxError: invalid syntax (syntax.py, line 1)"),
    "quitting": ("import sys\nsys.exit('go away')", "SystemExit: go away"),
    "misspelt": (
        HEAD + "@hookimpl\ndef ksdp_flow():\n    return []",
        "AttributeError: unknown hook 'ksdp_flow': a hook",
    ),
    "unmarked": ("def ksdp_flows():\n    return []", "AttributeError: ksdp_flows lacks its decorator @hookimpl"),
    "empty": ("", "AttributeError: no hook in empty: one of ksdp_flows"),
    "silent": (
        HEAD + "@hookimpl\ndef ksdp_flows():\n    pass",
        "TypeError: ksdp_flows returned None instead of a list",
    ),
    "single": (HOOK + GOOD, "TypeError: ksdp_flows returned Component(name='swirl'"),
    "strings": (HOOK + "['swirl']", "TypeError: ksdp_flows returned 'swirl', which is not a Component"),
    "misnamed": (HOOK + "[Component('a b', 'swirls:Swirl', '')]", "ValueError: a component is called 'a b'"),
    "mistargeted": (HOOK + "[Component('s', 'swirls.Swirl', '')]", "ValueError: the target of 's' is 'swirls.Swirl'"),
    "twice": (HOOK + f"[{GOOD}, {GOOD}]", "ValueError: ksdp_flows offers 'swirl' twice"),
    "greedy": (
        HEAD + "@hookimpl\ndef ksdp_flows(app):\n    return []",
        "PluginValidationError: Plugin 'greedy:greedy'",
    ),
    "raising": (HOOK + "1 / 0", "ZeroDivisionError: division by zero"),
    "bracketed": ("raise ValueError('[red]not\\nmarkup')", "ValueError: [red]not markup"),
}
COMMANDS = """
@hookimpl
def ksdp_commands(app):
    @app.command()
    def {}():
        print("hello from a plugin")
"""
#: Distributions whose commands are left out, and why.
LEFT_OUT = {
    "replacing": (HEAD + COMMANDS.format("simulate"), "ValueError: there is a command 'simulate' already"),
    "halfway": (HEAD + COMMANDS.format("halfway") + "    raise OSError('no terminal')\n", "OSError: no terminal"),
}


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Any]) -> Any:
    made = make_site()
    for name, (manifest, _) in (BROKEN | LEFT_OUT).items():
        made.add(name, manifest)
    made.add("lost", "", target="module_that_is_not_there")
    made.add("first-swirl", HOOK + f"[{GOOD}]", swirls=FLOW)
    made.add("second-swirl", HOOK + f"[{GOOD}]")
    made.add("greeter", HEAD + COMMANDS.format("hello_there"))
    wrong = ["absent:X", "swirls:Absent", "swirls:Bare", "swirls:Still", "swirls:Faulty", "swirls:Taken"]
    wrong.append("odds:Odd")
    components = [f"Component({target.partition(':')[2].lower()!r}, {target!r}, '')" for target in wrong]
    made.add("hollow", HOOK + f"[{', '.join(components)}]", odds=ODD.replace("Swirl", "Odd"))
    return made


@pytest.fixture(scope="module")
def listed(site: Any) -> dict[str, Any]:
    done = site.ksdp("plugins", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", [*BROKEN, *LEFT_OUT])
def test_each_broken_one_is_named_with_its_reason(listed: dict[str, Any], name: str) -> None:
    reasons = [failure["reason"] for failure in listed["failures"] if failure["origin"] == name]
    assert len(reasons) == 1
    assert reasons[0].startswith((BROKEN | LEFT_OUT)[name][1])
    assert "\n" not in reasons[0]


def test_nothing_else_fails_and_nothing_of_the_broken_ones_is_kept(listed: dict[str, Any]) -> None:
    assert {failure["origin"] for failure in listed["failures"]} == {*BROKEN, *LEFT_OUT, "lost"}
    origins = {one["origin"] for one in listed["components"]}
    assert {"ksdp", "first-swirl", "second-swirl", "hollow"} <= origins
    assert not origins & set(BROKEN)
    (swirl,) = [one for one in listed["components"] if one["origin"] == "first-swirl"]
    assert swirl == {
        "name": "swirl", "kind": "flow", "origin": "first-swirl", "version": "1.2.0", "summary": "solid rotation",
    }  # fmt: skip


def test_the_table_shows_the_same(site: Any, listed: dict[str, Any]) -> None:
    told = site.ksdp("plugins", COLUMNS="200").stdout
    assert "failed to load" in told
    assert "[red]not markup" in told
    assert all(failure["origin"] in told for failure in listed["failures"])


def test_commands_of_plugins(site: Any) -> None:
    done = site.ksdp("hello-there")
    assert done.stdout == "hello from a plugin\n"
    for name, (_, reason) in LEFT_OUT.items():
        assert f"ksdp: warning: commands of plugin {name} left out: {reason}" in done.stderr
    told = site.ksdp("--help").stdout
    assert "halfway" not in told
    assert "\n  simulate " in told
    assert "\n  hello-there" in told


def test_one_name_of_two_packages(site: Any) -> None:
    done = site.ksdp("simulate", "--flow", "second-swirl:swirl", "--J", "50", "--T", "1e-3", "-o", "run.zarr")
    assert done.returncode == 0, done.stderr
    assert open_run(site.folder / "run.zarr").config["flow"] == "second-swirl:swirl"
    shown = json.loads(site.ksdp("plugins", "show", "swirl", "--json").stdout)
    assert [one["name"] for one in shown["components"]] == ["first-swirl:swirl", "second-swirl:swirl"]


#: What is said when a flow is used that is not what it should be.
WRONG = {
    "swirl": "first-swirl:swirl, second-swirl:swirl; use the long name",
    "absent": "AttributeError: module 'swirls' has no attribute 'Absent'",
    "bare": "flow 'hollow:bare': Bare has no Params; ksdp_cli.testing.check_flow",
    "still": "flow 'hollow:still' fails: TypeError: 'NoneType' object is not callable",
    "faulty": "swirls.py: AttributeError: 'Faulty' object has no attribute 'amplitude'",
    "odd": "flow 'hollow:odd' cannot be loaded from 'odds:Odd': PydanticSchemaGenerationError",
    "taken": "hollow:taken has a parameter 'mu'",
    "swirly": "did you mean 'swirl'? ('ksdp plugins' lists all, and why bracketed, empty, greedy,",
}
POSE = """
import json
from ksdp_cli.errors import ConfigError
from ksdp_cli.particles.problem import pose

said = {{}}
for name in {names}:
    try:
        pose({{"flow": name, "J": 50}})
    except ConfigError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(site: Any) -> dict[str, str]:
    return json.loads(site.python(POSE.format(names=list(WRONG))).stdout)


@pytest.mark.parametrize("name", WRONG)
def test_a_class_that_is_wrong_is_an_error_of_its_package_when_it_is_used(said: dict[str, str], name: str) -> None:
    assert WRONG[name] in said[name]


def test_a_module_that_cannot_be_imported_ends_the_command_with_one_line(site: Any) -> None:
    done = site.ksdp("simulate", "--flow", "x", "-o", "wrong.zarr")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("ksdp: warning: commands of")]
    assert line == (
        "ksdp: error: flow 'hollow:x' cannot be loaded from 'absent:X': ModuleNotFoundError: No module named 'absent'; "
        "correct or uninstall hollow"
    )
    assert not (site.folder / "wrong.zarr").exists()


def test_KSDP_PLUGINS(site: Any) -> None:
    listed = json.loads(site.ksdp("plugins", "--json", KSDP_PLUGINS="none").stdout)
    assert listed["failures"] == []
    assert {one["origin"] for one in listed["components"]} == {"ksdp"}
    listed = json.loads(site.ksdp("plugins", "--json", KSDP_PLUGINS="First_Swirl, nowhere").stdout)
    assert {one["origin"] for one in listed["components"]} == {"ksdp", "first-swirl"}
    (failure,) = listed["failures"]
    assert failure["origin"] == "nowhere"
    assert "no such distribution offers a ksdp plugin" in failure["reason"]
