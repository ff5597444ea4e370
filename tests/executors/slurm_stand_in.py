"""sbatch, srun, squeue and scancel of one machine, as far as submitit uses them: an array whose tasks are processes.

``install(folder)`` writes the four commands. $SLURM_STAND_IN/JOB_TASK holds a task's state, and its process' number
while it runs; $SLURM_STAND_IN/sent the arrays that were asked for. With $SLURM_STAND_IN/silent squeue does not answer.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

COMMANDS = ("sbatch", "srun", "squeue", "scancel")


def install(folder: Path) -> None:
    folder.mkdir()
    for name in COMMANDS:
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__)} {name} "$@"\n')
        file.chmod(0o755)


def sbatch(place: Path, file: str) -> None:
    (found,) = re.findall(r"--array=0-(\d+)%(\d+)", Path(file).read_text()) or [("0", "1")]
    number = 100 + len(list(place.glob("sent*")))
    (place / f"sent{number}").write_text(Path(file).read_text())
    for task in range(int(found[0]) + 1):
        (place / f"{number}_{task}").write_text("PENDING")
    copy = place / f"sent{number}"
    subprocess.Popen(
        [sys.executable, __file__, "array", str(number), str(copy), *found],
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    print(f"Submitted batch job {number}")


def array(place: Path, number: str, file: str, last: str, at_once: str) -> None:
    waiting, running = list(range(int(last) + 1)), dict[int, subprocess.Popen[bytes]]()
    while waiting or running:
        while waiting and len(running) < int(at_once):
            task = waiting.pop(0)
            names = {"JOB_ID": f"{number}{task}", "ARRAY_JOB_ID": number, "ARRAY_TASK_ID": str(task), "NTASKS": "1"}
            environment = os.environ | {f"SLURM_{name}": value for name, value in names.items()}
            running[task] = subprocess.Popen(
                ["bash", "-c", f"trap : TERM; . {file}"], env=environment, start_new_session=True
            )
            (place / f"{number}_{task}").write_text(f"RUNNING {running[task].pid}")
        task, process = next(iter(running.items()))
        try:
            code = process.wait(0.05)
        except subprocess.TimeoutExpired:
            running[task] = running.pop(task)
            continue
        del running[task]
        (place / f"{number}_{task}").write_text("FAILED" if code else "COMPLETED")


def srun(_: Path, *words: str) -> None:
    command = words[words.index(sys.executable) :]
    os.execv(command[0], command)


def squeue(place: Path, *words: str) -> None:
    if (place / "silent").exists():
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller")
    for file in sorted(place.glob("*_*")):
        if file.read_text().split()[0] in ("PENDING", "RUNNING"):
            print(file.name)


def scancel(place: Path, number: str) -> None:
    for file in place.glob(f"{number}_*"):
        state, *pid = file.read_text().split()
        if state == "RUNNING":
            os.killpg(int(pid[0]), signal.SIGTERM)


if __name__ == "__main__":
    place = Path(os.environ["SLURM_STAND_IN"])
    {"array": array, "sbatch": sbatch, "srun": srun, "squeue": squeue, "scancel": scancel}[sys.argv[1]](
        place, *sys.argv[2:]
    )  # type: ignore[operator]
