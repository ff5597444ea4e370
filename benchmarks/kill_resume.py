"""kill -9 at random moments of `ksdp simulate`, then the same command again: frames compared with an undisturbed run.

    python benchmarks/kill_resume.py [--kills 20] [--seed 0]

Every kill hits a process of its own, at a moment drawn uniformly over the run: after a random frame, and a random part
of the time that a frame takes. Checkpoints are taken every 20 ms instead of every 10 s, so that most kills find one.
Half of the runs use the direct sum and two cases in a flow, half the tree with its error control. After each kill the
store is opened as it stands: a frame that it shows and that differs from the undisturbed one would be torn.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ksdp_cli import open_run
from ksdp_cli.api.checkpoints import Checkpoints
from ksdp_cli.errors import DataError

PROGRAM = """
import sys
from ksdp_cli.api import integrating
from ksdp_cli.cli.app import main
integrating.CHECKPOINT_SECONDS, integrating.CHECKPOINT_COST = 0.02, 0.0
sys.argv[0] = "ksdp"
main()
"""
RUNS = {
    "direct": "--J 2000 --flow laminar2d --A 1,100 --scheme heun --T 0.02 --snapshots 0:0.02:21",
    "tree": "--J 4000 --engine tree --T 0.02 --snapshots 0:0.02:21",
}
FRAMES = 21


def start(name: str, path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, "simulate", *RUNS[name].split(), "-o", str(path), "--resume"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(name: str, path: Path) -> None:
    with start(name, path) as process:
        _, said = process.communicate()
    if process.returncode:
        raise SystemExit(said.decode())


def frames(path: Path) -> list[bytes]:
    """The frames that a reader sees, case by case."""
    run = open_run(path)
    return [run.frame(case, k).tobytes() for k in range(len(run.times)) for case in range(len(run.cases))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    identical = torn = saved = 0
    shown: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        whole, length = {}, {}
        for name in RUNS:
            path = Path(folder) / f"{name}.zarr"
            finish(name, path)
            whole[name], length[name] = frames(path), float(open_run(path).attrs["seconds"])
        for number in range(asked.kills):
            name = list(RUNS)[number % 2]
            path = Path(folder) / f"{number}.zarr"
            moment = draw.uniform(0, FRAMES)
            awaited = path / "time" / "c" / f"{int(moment) - 1}" if moment >= 1 else path
            with start(name, path) as process:
                while not awaited.exists() and process.poll() is None:
                    time.sleep(0.0005)
                time.sleep(moment % 1 * length[name] / FRAMES)
                process.kill()
            try:
                seen = frames(path)
            except DataError:  # what is shown cannot be read
                seen, torn = [], torn + 1
            torn += seen != whole[name][: len(seen)]
            shown.append(len(seen) * FRAMES // len(whole[name]))
            saved += Checkpoints(path).of(0).exists()
            finish(name, path)
            identical += frames(path) == whole[name] and open_run(path).complete
    print(f"bit-identical after resuming: {identical} of {asked.kills}")
    print(f"torn frames seen:             {torn}")
    print(
        f"kills that found a checkpoint: {saved}; frames of {FRAMES} at the kill: {', '.join(map(str, sorted(shown)))}"
    )


if __name__ == "__main__":
    main()
