"""Python programs that start together: what all of them import is imported once, and the rest after a fork.

Four services that import alone take twice as long to start on two cores. `python -m
rapport_tools.local.nursery` imports while PostgreSQL and NATS start, is told the programs, forks each, tells
their process ids, and ends.
Linux then gives its children to the supervisor, their nearest "subreaper": as if it had started them
itself. A restart starts a program alone, with the code as it then is.
"""

import asyncio
import gc
import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rapport_testing.engines.process import LIBC, LINUX, Program, StackError, end_with

# None may start a thread, nor gRPC's core, when it is imported: those do not survive a fork.
SHARED = (
    "chassis.lifecycle",
    "rapport_tools.local.spans",
    "chassis.service",
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc",
)
_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36


class Forked:
    """A program that a nursery started, with what `subprocess.Popen` has for it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """Starts programs of this Python, `python -m MODULE ...`, once. It imports from its making on."""

    def __init__(self, log: Path) -> None:
        argv = [sys.executable, "-m", "rapport_tools.local.nursery"]
        self._program = Program("nursery", argv, log)
        self._process = self._program.spawn(stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    async def start(self, programs: Sequence[Program]) -> dict[str, Forked]:
        """Start the programs and return them by name. StackError when what they share cannot be imported."""
        LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        told = json.dumps([os.getpid(), [_described(program) for program in programs]])
        try:
            pids, _ = await asyncio.to_thread(self._process.communicate, told.encode())
        finally:
            LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        if self._process.returncode:
            raise StackError(f"The services cannot be started:\n{self._program.last_words()}")
        return {program.name: Forked(pid) for program, pid in zip(programs, json.loads(pids), strict=True)}

    def kill(self) -> None:
        """End it, when what it should start is wanted no more."""
        self._process.kill()


def open_nursery(log: Path) -> Nursery | None:
    """A nursery where there are subreapers; elsewhere None, and programs start each by itself."""
    return Nursery(log) if LINUX else None


def _described(program: Program) -> dict[str, Any]:
    module, *arguments = program.argv[2:]
    return {
        "module": module,
        "arguments": arguments,
        "env": dict(program.env),
        "log": str(program.log),
        "orphaned": int(program.orphaned),
    }


def _become(program: Mapping[str, Any], nursery: int, supervisor: int) -> None:
    """Make of this process what `Program.spawn` makes of a new one."""
    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(program["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    LIBC.prctl(_PR_SET_NAME, program["module"].rpartition(".")[2].encode(), 0, 0, 0)  # for `top`
    os.environ.clear()
    os.environ.update(program["env"])
    sys.argv[1:] = program["arguments"]
    while os.getppid() == nursery:  # which ends now; its death is not that of the supervisor
        time.sleep(0.001)
    end_with(supervisor, program["orphaned"])


def _run() -> None:
    for module in SHARED:
        import_module(module)
    supervisor, programs = json.load(sys.stdin)
    gc.freeze()  # or the first collection of each child would copy all of this
    nursery, pids = os.getpid(), []
    for program in programs:
        pid = os.fork()
        if pid == 0:
            _become(program, nursery, supervisor)
            runpy.run_module(program["module"], run_name="__main__", alter_sys=True)
            return
        pids.append(pid)
    json.dump(pids, sys.stdout)


if __name__ == "__main__":
    _run()
