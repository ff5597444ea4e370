"""The command line in processes that may be killed: each is forked from one that has imported everything already."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: Reads one request a line. Hooks: checkpoints at every step, death at the n-th system call that changes the disk,
#: a signal to itself or a long sleep after a step, fewer cores.
SERVER = """
import json, os, signal, sys, time
import zarr, zarr.codecs, ksdp_cli.store.durable, ksdp_cli.particles.engines.direct_cpu, ksdp_cli.particles.tree.engine
from ksdp_cli.api import integrating; from ksdp_cli.views import summary
from ksdp_cli.cli.app import main

def die_at_call(number):
    left = [number]
    def counted(real):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        return call
    for name in ("fsync", "replace", "rename", "link", "unlink", "rmdir", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))

def at_step(number, action):
    real = integrating.Watch.after_step
    def after_step(self, done):
        if done == number:
            action()
        real(self, done)
    integrating.Watch.after_step = after_step

def child(request):
    os.chdir(request["folder"])
    for handle, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{request['files']}.{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), handle)
    hooks = request["hooks"]
    if hooks.get("checkpoints"):
        integrating.CHECKPOINT_SECONDS = integrating.CHECKPOINT_COST = 0.0
    if "cores" in hooks:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:hooks["cores"]])
    if "signal" in hooks:
        at_step(hooks["step"], lambda: os.kill(os.getpid(), hooks["signal"]))
    if "sleep" in hooks:
        at_step(hooks["step"], lambda: (open("asleep", "w").close(), time.sleep(hooks["sleep"])))
    if "call" in hooks:
        die_at_call(hooks["call"])
    sys.argv = ["ksdp", *request["arguments"]]
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code or 0)

def warm_up():
    # what children would each load again; nothing here starts a thread, which a fork would lose
    import rich.table, numpy
    from ksdp_cli.base import rng
    from ksdp_cli.particles.engines.direct_cpu import DirectCPU
    from ksdp_cli.kernels.blob import Blob
    from ksdp_cli.kernels.gaussian import Gaussian
    for kernel, dtype in ((Blob, "float32"), (Gaussian, "float64")):
        DirectCPU(kernel, (1e-3,), 2, dtype)(rng.normals(0, 0, 0, 0, 10, 2, dtype))
    rng.uniforms(0, 0, 0, 0, 10, 2)

warm_up()
for line in sys.stdin:
    request = json.loads(line)
    pid = os.fork()
    if pid == 0:
        try:
            child(request)
        finally:
            os._exit(99)
    code = pid if request["hooks"].get("sleep") else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(code, flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a process ended: exit code, or minus the number of the signal that killed it; what it said."""

    code: int
    out: str
    err: str


class Ksdp:
    """``ksdp("simulate", "--J", "100")`` in ``folder``; hooks are those of the server."""

    def __init__(self, server: subprocess.Popen[str], folder: Path, files: Path) -> None:
        self.server, self.folder, self.files = server, folder, files

    def __call__(self, *arguments: str, **hooks: Any) -> Done:
        for ending in (".out", ".err"):  # a process that is not waited for may not have opened them yet
            self.files.with_suffix(ending).write_text("")
        request = {"arguments": arguments, "hooks": hooks, "folder": str(self.folder), "files": str(self.files)}
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        return Done(code, self.files.with_suffix(".out").read_text(), self.files.with_suffix(".err").read_text())


@pytest.fixture(scope="session")
def server() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def ksdp(server: subprocess.Popen[str], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Ksdp:
    return Ksdp(server, tmp_path, tmp_path_factory.mktemp("said") / "last")
