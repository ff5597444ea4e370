"""The command line in processes that are forked from one that has imported everything already.

Reads one request a line: {"arguments", "folder", "files", "env", "hooks"}; prints the exit code of each, minus the
signal for one that was killed. Hooks: checkpoints at every step, death at the n-th system call that changes the disk,
a signal to itself or a long sleep after a step, fewer cores. Before a fork no plugin is loaded and no thread started.
"""

import json
import os
import signal
import sys
import time
import traceback

from ksdp_cli.api import watch
from ksdp_cli.cli.app import main

#: Seconds that a command may take; then SIGALRM ends it.
PATIENCE = 300


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
    real = watch.Watch.after_step

    def after_step(self, done):
        if done == number:
            action()
        real(self, done)

    watch.Watch.after_step = after_step


def child(request):
    signal.alarm(0 if request["hooks"].get("sleep") else PATIENCE)
    os.chdir(request["folder"])
    os.environ.update(request["env"])
    sys.path[1:1] = [path for path in request["env"].get("PYTHONPATH", "").split(os.pathsep) if path]
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for handle, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{request['files']}.{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), handle)
    hooks = request["hooks"]
    if hooks.get("checkpoints"):
        watch.CHECKPOINT_SECONDS = watch.CHECKPOINT_COST = 0.0
    if "cores" in hooks:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: hooks["cores"]])
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
    # what children would each load again

    from ksdp_cli.base import rng
    from ksdp_cli.kernels.blob import Blob
    from ksdp_cli.kernels.gaussian import Gaussian
    from ksdp_cli.particles.engines.direct_cpu import DirectCPU

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
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(99)
    code = pid if request["hooks"].get("sleep") else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(code, flush=True)
