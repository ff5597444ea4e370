"""What create does with a place that is taken."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.store import create, layout, open_run

creating = sys.modules["ksdp_cli.store.create"]  # the function has its name


def test_a_taken_place_is_left_alone(tmp_path: Path, header, store) -> None:
    path = store(tmp_path / "a.zarr", header())
    with pytest.raises(DataError, match="exists") as caught:
        create(path, header())
    assert "--resume" in (caught.value.hint or "")
    assert open_run(path).complete
    assert os.listdir(tmp_path) == ["a.zarr"]
    with pytest.raises(ConfigError, match="exclude"):
        create(path, header(), overwrite=True, resume=True)


def test_overwrite_replaces_our_store_even_a_damaged_one(tmp_path: Path, header, store) -> None:
    path = store(tmp_path / "a.zarr", header())
    (path / "A" / "c" / "0").write_bytes(b"")
    store(path, header(config={"other": 1}), overwrite=True)
    assert open_run(path).config == {"other": 1}
    assert os.listdir(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize("option", ["overwrite", "resume"])
@pytest.mark.parametrize("foreign", ["empty folder", "folder", "file", "other zarr"])
def test_what_ksdp_did_not_make_is_never_removed(tmp_path: Path, header, option: str, foreign: str) -> None:
    path = tmp_path / "thesis"
    if foreign == "file":
        path.write_text("precious")
    else:
        path.mkdir()
    if foreign == "folder":
        (path / "chapter").write_text("precious")
    if foreign == "other zarr":
        (path / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}))
    before = sorted(str(file) for file in tmp_path.rglob("*"))
    with pytest.raises(DataError, match="-o"):
        create(path, header(), **{option: True})
    assert sorted(str(file) for file in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("sibling", [".a.zarr.ksdp-new", ".a.zarr.ksdp-old"])
def test_a_foreign_folder_with_a_hidden_name_of_ours_is_not_removed(tmp_path: Path, header, store, sibling) -> None:
    store(tmp_path / "a.zarr", header())
    (tmp_path / sibling).mkdir()
    (tmp_path / sibling / "precious").write_text("x")
    with pytest.raises(DataError, match=r"ksdp-new|ksdp-old"):
        create(tmp_path / "a.zarr", header(), overwrite=True)
    assert (tmp_path / sibling / "precious").exists()


@pytest.mark.parametrize("place", ["2024/11/28", "axis/0"])
@pytest.mark.parametrize("has_file", [False, True])
def test_a_foreign_tree_of_numbers_with_a_hidden_name_of_ours_is_not_removed(
    tmp_path: Path, header, place: str, has_file: bool
) -> None:
    tree = tmp_path / ".a.zarr.ksdp-new" / place
    tree.mkdir(parents=True)
    if has_file:
        (tree / "1").write_text("precious")
    with pytest.raises(DataError, match="not write it"):
        create(tmp_path / "a.zarr", header())
    assert tree.exists()


def test_a_store_may_be_resumed_under_the_name_of_a_file(tmp_path: Path, header, store) -> None:
    """Which versions before this one allowed; a new one may not be called so."""
    with pytest.raises(ConfigError, match="is a folder"):
        create(tmp_path / "run.h5", header())
    store(tmp_path / "a.zarr", header(), frames=1).rename(tmp_path / "run.h5")
    with create(tmp_path / "run.h5", header(), resume=True) as writer:
        assert writer.committed == 1


def test_a_part_of_a_run_is_not_read_as_the_whole(tmp_path: Path, header, store) -> None:
    run = open_run(store(tmp_path / "a.zarr", header()))
    assert os.fspath(run.part(range(len(run.cases)), range(len(run.times)))) == os.fspath(run)
    for part in (run.part([0], [0, 1, 2]), run.part([0, 1], [2]), run.part([1], [0]).part([0], [0])):
        with pytest.raises(ConfigError, match="part of"):
            open_run(part)


def test_what_a_writer_left_before_its_mark_is_removed(tmp_path: Path, header, store) -> None:
    """As after Ctrl-C while the store is laid out: zarr's own thread writes one more file into the removed folder."""
    store(tmp_path / "a.zarr", header())
    os.renames(tmp_path / "a.zarr" / "axis", tmp_path / ".b.zarr.ksdp-new" / "axis")
    create(tmp_path / "b.zarr", header()).__exit__()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]


def test_a_late_file_does_not_bring_back_a_folder_that_was_given_up(
    tmp_path: Path, header, monkeypatch: pytest.MonkeyPatch
) -> None:
    def laid_out(new: Path, *_: object) -> None:
        late = threading.Timer(0.01, (new / "axis").mkdir, [], {"parents": True, "exist_ok": True})
        late.start()
        raise KeyboardInterrupt

    monkeypatch.setattr(creating, "_lay_out", laid_out)
    with pytest.raises(KeyboardInterrupt):
        create(tmp_path / "a.zarr", header())
    assert not list(tmp_path.iterdir())


def test_a_link_to_a_store_is_followed(tmp_path: Path, header, store) -> None:
    store(tmp_path / "a.zarr", header(), frames=1)
    (tmp_path / "link.zarr").symlink_to(tmp_path / "a.zarr")
    with create(tmp_path / "a.zarr", header(), resume=True), pytest.raises(DataError, match=str(os.getpid())):
        create(tmp_path / "link.zarr", header(), resume=True)
    store(tmp_path / "link.zarr", header(config={"n": 1}), overwrite=True)
    assert (tmp_path / "link.zarr").is_symlink()
    assert open_run(tmp_path / "a.zarr").config == {"n": 1}


def test_a_folder_that_cannot_be_written_is_a_data_error(tmp_path: Path, header) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write"):
        create(tmp_path / "file" / "a.zarr", header())


def test_others_may_read_a_store(tmp_path: Path, header, store) -> None:
    (tmp_path / "plain").mkdir()
    path = store(tmp_path / "a.zarr", header())
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_resume_starts_goes_on_and_finds_complete(tmp_path: Path, header, frame, store) -> None:
    about, path = header(), tmp_path / "deep" / "a.zarr"
    store(path, about, frames=1, resume=True)
    with create(path, about, resume=True) as writer:
        assert (writer.committed, writer.times) == (1, about.times)
    store(path, about, resume=True)
    content = (path / "zarr.json").read_bytes()
    with create(path, about, resume=True) as writer:
        assert writer.committed == 3
        writer.finish()
    assert (path / "zarr.json").read_bytes() == content
    assert np.array_equal(open_run(path).frame(0, 2), frame(2, about)[0])


def test_resume_lists_what_differs(tmp_path: Path, header, store) -> None:
    path = store(tmp_path / "a.zarr", header(), frames=1)
    other = {"flow": "none", "J": 50, "T": 0.3, "flow_params": {"A": [1.0, 20.0]}, "device": "cuda", "new": 1}
    with pytest.raises(ConfigError) as caught:
        create(path, header(config=other, cases={"A": (1.0, 20.0), "mu": (1.0, 2.0)}), resume=True)
    message = caught.value.message
    for part in (
        "flow: laminar3d -> none",
        "flow_params.A: [1.0, 10.0] -> [1.0, 20.0]",
        "cases.A: [1.0, 10.0] -> [1.0, 20.0]",
        "new: none -> 1",
    ):
        assert part in message
    assert "T:" not in message
    assert "device" not in message


@pytest.mark.parametrize("frames", [1, None])
def test_more_snapshots_are_accepted(tmp_path: Path, header, frame, store, frames: int | None) -> None:
    path = store(tmp_path / "a.zarr", header(), frames=frames)
    longer = header(times=(0.0, 0.1, 0.2, 0.3), config={**header().config, "T": 0.3})
    with create(path, longer, resume=True) as writer:
        assert writer.committed == (frames or 3)
        assert not open_run(path).complete
    store(path, longer, resume=True)
    run = open_run(path)
    assert (run.complete, run.times.tolist(), run.config["T"]) == (True, [0.0, 0.1, 0.2, 0.3], 0.3)
    assert all(np.array_equal(run.frame(1, k), frame(k, longer)[1]) for k in range(4))
    assert os.listdir(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize("times", [(0.0, 0.1), (0.0, 0.15, 0.2), (0.3,)])
def test_other_snapshots_are_refused(tmp_path: Path, header, store, times: tuple[float, ...]) -> None:
    path = store(tmp_path / "a.zarr", header())
    with pytest.raises(ConfigError, match="--snapshots"):
        create(path, header(times=times), resume=True)
    assert open_run(path).complete


def test_extending_where_the_disk_has_no_links(tmp_path: Path, header, store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    path = store(tmp_path / "a.zarr", header())
    monkeypatch.setattr(os, "link", refuse)
    store(path, header(times=(0.0, 0.1, 0.2, 0.3)), resume=True)
    assert len(open_run(path).times) == 4


def test_a_store_of_another_format_is_named(tmp_path: Path, header, store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store(tmp_path / "a.zarr", header())
    monkeypatch.setattr(layout, "FORMATS", (7, 8))
    with pytest.raises(DataError, match=r"format 2.* 7, 8"):
        open_run(path)
