"""Kill `ksdp simulate` (-9) at random moments, repeat the command, and compare the frames with an undisturbed run.

    python benchmarks/kill_resume.py [--only particles|field] [--kills 20] [--seed 0] [--record]

Each kill hits a new process at a moment uniform over the run: after a random frame, and a random part of a frame's
time. Checkpoints come every 20 ms instead of every 10 s, so that most kills find one. Kills each run of `RUNS` that
often: the direct sum with two cases in a flow, the tree with its error control, and parabolic chemistry with c stored,
in the plane with two eps and in space. One thread and two must give the same run. Opens the store after each kill: a
visible frame that differs from the undisturbed one would be torn.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import Table, parser

from ksdp_cli import open_run
from ksdp_cli.api.checkpoints import Checkpoints
from ksdp_cli.errors import DataError

PROGRAM = """
import sys
from ksdp_cli.api import watch
from ksdp_cli.cli.app import main
watch.CHECKPOINT_SECONDS, watch.CHECKPOINT_COST = 0.02, 0.0
sys.argv[0] = "ksdp"
main()
"""
FIELD = "--chemistry parabolic --accuracy 1e-3 --delta2 0.02 --M 20 --store-field 16"
RUNS = {
    "direct sum": "--J 2000 --flow laminar2d --A 1,100 --scheme heun --T 0.02 --snapshots 0:0.02:21",
    "tree": "--J 4000 --engine tree --T 0.02 --snapshots 0:0.02:21",
    "field, 2D": f"{FIELD} --J 4000 --eps 0.1,1 --flow laminar2d --A 10 --scheme heun --T 0.02 --snapshots 0:0.02:21",
    "field, 3D": f"{FIELD} --J 4000 --dim 3 --eps 0.1 --T 0.02 --dt 2e-4 --snapshots 0:0.02:21",
}
#: What is recorded together.
TABLES = {"particles": ("direct sum", "tree"), "field": ("field, 2D", "field, 3D")}
FRAMES = 21


def start(name: str, path: Path, threads: int = 2) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, "simulate", *RUNS[name].split(), "-o", str(path), "--resume"]
    own = os.environ | {"KSDP_THREADS": str(threads)}
    return subprocess.Popen(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(name: str, path: Path, threads: int = 2) -> None:
    with start(name, path, threads) as process:
        _, said = process.communicate()
    if process.returncode:
        raise SystemExit(said.decode())


def frames(path: Path) -> list[bytes]:
    """The frames that a reader sees, case by case, with c where it is stored."""
    run = open_run(path)
    places = [(case, k) for k in range(len(run.times)) for case in range(len(run.cases))]
    return [run.frame(*at).tobytes() + (run.field(*at).tobytes() if run.grid else b"") for at in places]


def killed(name: str, kills: int, draw: random.Random, folder: Path) -> list[object]:
    """A row of the table: how often a resumed run was the undisturbed one, torn frames, checkpoints, frames then."""
    whole = folder / "whole.zarr"
    finish(name, whole)
    expected, length = frames(whole), float(open_run(whole).attrs["seconds"])
    identical = torn = saved = 0
    shown: list[int] = []
    for number in range(kills):
        path, moment = folder / f"{number}.zarr", draw.uniform(0, FRAMES)
        awaited = path / "time" / "c" / f"{int(moment) - 1}" if moment >= 1 else path
        with start(name, path) as process:
            while not awaited.exists() and process.poll() is None:
                time.sleep(0.0005)
            time.sleep(moment % 1 * length / FRAMES)
            process.kill()
        try:
            seen = frames(path)
        except DataError:  # what is shown cannot be read
            seen, torn = [], torn + 1
        torn += seen != expected[: len(seen)]
        shown.append(len(seen) * FRAMES // len(expected))
        saved += Checkpoints(path).of(0).exists()
        finish(name, path)
        identical += frames(path) == expected and open_run(path).complete
    finish(name, folder / "alone.zarr", threads=1)
    alike = "equal" if frames(folder / "alone.zarr") == expected else "DIFFER"
    return [f"{identical} of {kills}", torn, saved, f"{min(shown)} to {max(shown)} of {FRAMES}", alike]


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--only", choices=TABLES)
    arguments.add_argument("--kills", type=int, default=20, help="of each run")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    columns = ["", "resumed bit-equal", "torn frames", "with checkpoint", "frames at the kill", "1 and 2 threads"]
    draw = random.Random(asked.seed)
    for part, names in TABLES.items():
        if asked.only not in (None, part):
            continue
        table = Table("durability/kill-resume" + ("-field" if part == "field" else ""), columns, 18)
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                table.row(name, *killed(name, asked.kills, draw, Path(folder)))
        if asked.record:
            table.record()


if __name__ == "__main__":
    main()
