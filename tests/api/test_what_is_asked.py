"""What `simulate` says of options that cannot be meant, before a byte is written; exact answers where there are any."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.base.signals import graceful
from ksdp_cli.errors import ConfigError, Interrupted
from ksdp_cli.metrics import moments
from ksdp_cli.particles.intervals import longest_step
from ksdp_cli.particles.problem import pose
from ksdp_cli.views import summary
from ksdp_cli.views.plotting import plot
from ksdp_cli.views.report.reporting import report


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mu": "1:2:1e12"}, "100000"),
        ({"snapshots": "0:1:1e9"}, "100000"),
        ({"mu": "1:2:400", "chi": "1:2:400"}, "160000"),
        ({"flow": "laminar2d", "flow_params": {"a": 50}}, "did you mean --A"),
        ({"flow": "laminar2d", "flow_params": {"zzz": 3}}, "'zzz'"),
        ({"kernel_params": {"q": 1}}, "kernel"),
        ({"flow_params": 3}, "flow_params = 3"),
        ({"kernel_params": [["q", 1]]}, "kernel_params = ["),
        ({"mu": -1}, "mu = -1 is negative"),
        ({"M": -1}, "M = -1 is negative"),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], told: str) -> None:
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        pose(options)
    assert told in str(caught.value)
    assert time.process_time() - began < 2.0


def test_an_unknown_parameter_is_answered_with_the_components_that_have_some() -> None:
    with pytest.raises(ConfigError) as error:
        pose({"flow": "laminar2d", "init": "annulus", "zzq": 3.0})
    assert re.findall("plugins show ([^']+)", str(error.value)) == ["ksdp:laminar2d", "ksdp:annulus"]


@pytest.mark.parametrize("dt", [1e-300, 5e-324])
def test_steps_beyond_every_number_are_refused(tmp_path: Path, dt: float) -> None:
    with pytest.raises(ConfigError, match="--dt"):
        ksdp.simulate(J=10, T=1e300, dt=dt, out=tmp_path / "a.zarr")


def test_the_longest_step_that_is_taken() -> None:
    assert longest_step((0.001,), 7.0) == 0.001
    assert longest_step((0.5, 1.0), 0.5) == 0.5
    assert longest_step((0.2, 0.9), 1.0) == pytest.approx(0.7)
    assert longest_step((0.0,), 1.0) == 0.0
    assert longest_step((10.0,), 0.1) == 0.1


def test_doubts_are_about_the_step_that_is_taken(tmp_path: Path) -> None:
    """dt = 7 with T = 0.001 takes one step of 0.001: said of it is that, and what is said of dt = 0.001."""
    of: dict[float, list[str]] = {7.0: [], 1e-3: []}
    for dt, said in of.items():
        ksdp.simulate(J=200, T=1e-3, dt=dt, M=3000, delta2=1e-5, out=tmp_path / f"{dt}.zarr", warn=said.append)
        ksdp.simulate(flow="kolmogorov", A=50, M=0, J=50, T=1e-3, dt=dt, out=tmp_path / f"{dt}k.zarr", warn=said.append)
    own = [word for word in of[7.0] if word.startswith("dt = 7 is longer")]
    assert len(own) == 2
    assert all("1 step;" in word for word in own)
    assert [word for word in of[7.0] if word not in own] == of[1e-3]
    assert any("one step of dt = 0.001" in word for word in of[1e-3])
    said = []
    ksdp.simulate(J=20, dt=7, snapshots=[0, 1e-3, 2e-3], out=tmp_path / "two.zarr", warn=said.append)
    assert any("2 steps;" in word for word in said)


@pytest.mark.parametrize("engine", ["direct", "tree"])
def test_repulsion_obeys_the_law_with_its_sign(tmp_path: Path, engine: str) -> None:
    """Slope 4 mu - chi M (J - 1) / (2 pi J) = 12 for chi = -1 and M = 16 pi, where delta is small.

    Without noise all but 1e-3 of it is exact: each pair gives g r^2 = 1 / (2 pi) up to delta^2 / r^2.
    """
    options = {"chi": -1, "mu": 0, "J": 500, "dt": 1e-4, "delta2": 1e-8, "engine": engine, "dtype": "float64"}
    run = ksdp.simulate(snapshots=[0, 4e-4], out=tmp_path / "a.zarr", **options)
    before, after = ((run.frame(0, k).astype(float) ** 2).sum(1).mean() for k in (0, 1))
    assert (after - before) / 4e-4 == pytest.approx(8 * 499 / 500, rel=0.02)
    with pytest.raises(ConfigError, match=r"(?i)accuracy"):
        ksdp.simulate(engine="tree", accuracy=1e-300, J=10, out=tmp_path / "b.zarr")


def test_one_particle_does_not_say_how_far_it_may_be_off(tmp_path: Path) -> None:
    m = moments(np.array([[3.0, 4.0]]))
    assert m.second_moment == 25.0
    assert math.isnan(m.second_moment_se)
    assert m.as_dict()["second_moment_se"] is None
    run = ksdp.simulate(J=1, snapshots=[0, 1e-3], out=tmp_path / "a.zarr")
    assert [row["se"] for row in summary.of_run(run)["frames"]] == [None, None]
    plot(run, out=tmp_path / "a.png")
    report(run.path, out=tmp_path / "a.html")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_acts_at_once_while_nothing_is_at_stake(number: int) -> None:
    def work() -> None:
        with graceful():
            os.kill(os.getpid(), number)
            time.sleep(5)

    with pytest.raises(Interrupted, match="signal") as caught:
        work()
    assert caught.value.exit_code == 128 + number
    with graceful() as stop:
        assert stop() is None
        os.kill(os.getpid(), number)
        assert stop() == number


def test_a_command_ends_at_once_before_its_first_step(tmp_path: Path) -> None:
    (tmp_path / "law.py").write_text(
        "import time\nprint('here', flush=True)\ntime.sleep(60)\nclass Law:\n    dims = (2,)\n    draw = None\n"
    )
    command = [
        sys.executable,
        "-c",
        "from ksdp_cli.cli.app import main; main()",
        "simulate",
        "--init",
        "law.py:Law",
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=300)
    assert process.returncode == 143
    assert "before the first step" in told


def test_ctrl_c_in_a_script_saves_and_the_same_call_goes_on(tmp_path: Path) -> None:
    """SIGINT after some steps, without a callback: `Interrupted`, a checkpoint, and the bits of a run left alone."""
    options: dict[str, Any] = {"J": 300, "T": 0.02, "dt": 1e-3, "M": 1.0}

    def press(stage: str, done: int, total: int, note: str = "") -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted) as caught:
        ksdp.simulate(out=tmp_path / "a.zarr", progress=press, **options)
    assert caught.value.exit_code == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = ksdp.simulate(out=tmp_path / "a.zarr", resume=True, **options)
    whole = ksdp.simulate(out=tmp_path / "b.zarr", **options)
    np.testing.assert_array_equal(again.frame(), whole.frame())
