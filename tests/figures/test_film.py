"""Films: one frame of axes and one scale of colours for all pictures, made whole, and known as ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

import ksdp
from ksdp_cli import figures
from ksdp_cli.errors import ConfigError, KsdpError, ResourceError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ksdp.Run:
    out = tmp_path_factory.mktemp("film") / "s.zarr"
    return ksdp.simulate(J=200, T=4e-3, dt=1e-3, snapshots="0:4e-3:3", mu="1,2", out=out)


def pictures(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        return [np.asarray(one.convert("RGB"), np.int64) for one in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_a_film_over_the_time_of_a_store(run: ksdp.Run, tmp_path: Path, suffix: str) -> None:
    film = tmp_path / f"f.{suffix}"
    ksdp.plot(run, out=film, mu=2)
    shown = pictures(film)
    assert len(shown) == 3
    assert len({one.shape for one in shown}) == 1
    assert figures.is_own_picture(film)
    with pytest.raises(KsdpError, match="exists"):
        ksdp.plot(run, out=film, mu=2)
    ksdp.plot(run, out=film, mu=2, overwrite=True)


def test_clouds_that_are_equal_give_equal_pictures_and_others_differ(tmp_path: Path) -> None:
    """The frame, the numbers on its axes and the colours do not depend on the cloud that is shown."""
    x = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    figures.film([("a", x), ("a", 2 * x), ("a", x)], tmp_path / "f.webp")
    first, wide, last = pictures(tmp_path / "f.webp")
    assert np.abs(first - last).mean() < 2  # WebP is lossy
    assert np.abs(first - wide).mean() > 5
    assert np.abs(first - wide)[:, :30].mean() < 2  # the upright axis with its numbers


def test_a_film_shows_heavy_particles_by_their_mass(tmp_path: Path) -> None:
    """Discs in their colour, twice as large for twice the mass, and the rest of the cloud in colours of its own."""
    x = np.random.default_rng(0).normal(size=(4000, 2)).astype(np.float32)
    one, two = x.copy(), x.copy()
    one[:1000], two[:2000] = 0, 0
    figures.film([("a", x), ("b", one), ("c", two)], tmp_path / "f.gif")
    blue = [int((np.abs(frame - (0x00, 0x72, 0xB2)).sum(2) < 60).sum()) for frame in pictures(tmp_path / "f.gif")]
    assert blue[0] == 0
    assert blue[2] == pytest.approx(2 * blue[1], rel=0.25)
    dark = [int((frame[40:-40, 60:-120].sum(2) < 600).sum()) for frame in pictures(tmp_path / "f.gif")]
    assert dark[2] > dark[0] / 2


def test_a_film_of_a_network(tmp_path: Path) -> None:
    ksdp.plot("ks2d-time", out=tmp_path / "f.gif", t="0.01,0.05,0.1", n=500)
    assert len(pictures(tmp_path / "f.gif")) == 3


def test_a_film_of_an_ensemble(tmp_path: Path) -> None:
    """All seeds in each picture of a time or a parameter; of seeds alone a picture each."""
    small = {"J": 50, "T": 2e-3, "dt": 1e-3, "flow": "laminar2d", "out": tmp_path / "s.zarr", "overwrite": True}
    for options, shown, note in (
        ({"A": "1,10,100", "seed": "1,2"}, 3, "2 seeds"),
        ({"A": "1", "seed": "1,2,3,4", "snapshots": "0:2e-3:3"}, 3, "4 seeds"),
        ({"A": "1", "seed": "1,2,3,4"}, 4, "all that varies"),
        ({"A": "1,10", "seed": "1,2", "zip": "A,seed"}, 2, ""),
    ):
        run = ksdp.simulate(**small, **options)
        done = ksdp.plot(run, out=tmp_path / "f.gif", overwrite=True)
        assert len(pictures(tmp_path / "f.gif")) == shown
        assert note in "; ".join(done.notes)
        assert "Student" not in "; ".join(done.notes)  # no moments are drawn


def test_what_is_no_film_is_refused(run: ksdp.Run, tmp_path: Path) -> None:
    out = tmp_path / "f.gif"
    for at in ({}, {"mu": 1, "t": 4e-3}):  # two parameters vary, and none
        with pytest.raises(ConfigError):
            ksdp.plot(run, out=out, **at)
    with pytest.raises(ConfigError):
        ksdp.plot(run, run, out=out, mu=1)
    with pytest.raises(ConfigError):
        ksdp.plot("ks2d-time", out=out, t=0.05)
    assert list(tmp_path.iterdir()) == []


def test_mp4_needs_ffmpeg(run: ksdp.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "f.mp4"
    if shutil.which("ffmpeg"):
        ksdp.plot(run, out=out, mu=1)
        assert out.read_bytes()[4:8] == b"ftyp"
        assert figures.is_own_picture(out)
        out.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ResourceError, match=r"\.gif"):
        ksdp.plot(run, out=out, mu=1)
    assert list(tmp_path.iterdir()) == []
