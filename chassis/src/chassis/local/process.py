"""Child processes that never outlive the process that started them.

Every child gets a process group of its own, so that Ctrl-C in a terminal reaches only the supervisor, which
then stops the children in order. On Linux the kernel signals a child when its parent dies, even by SIGKILL.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LINUX = sys.platform.startswith("linux")
_LIBC = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: a child may not import
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE = 1


class StackError(Exception):
    """Something about the local stack that the user can put right; the message says what, and what to do."""


class WrongUse(StackError):
    """Something was asked for that there is not."""


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account for programs that refuse to run as root.

    `reach` lets it pass folders that are closed to others (a checkout below root's 0700 home): the process
    then keeps the one capability CAP_DAC_OVERRIDE, instead of opening those folders to everybody.
    """

    uid: int
    gid: int
    reach: bool


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how it ends: `stop` asks it to end, `orphaned` is sent when this process dies."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path | None = None
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGKILL

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start it, output appended to the log. Only in the main thread: a child dies with that thread."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                list(self.argv),
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_bind(self.account, self.orphaned),
            )

    def last_words(self, lines: int = 5) -> str:
        """The end of the log, for error messages."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def run(program: Program) -> None:
    """Run it to its end. StackError when it fails."""
    process = program.spawn()
    if process.wait() != 0:
        raise StackError(f"{program.name} failed (exit {process.returncode}):\n{program.last_words()}")


def stop(process: "subprocess.Popen[bytes]", sig: signal.Signals, timeout_s: float) -> bool:
    """Ask the process to end; kill its group when it does not in time. True when it ended by itself."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        process.wait()
        return False
    return True


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the process and to whatever it started itself."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_until(
    ready: Callable[[], bool], process: "subprocess.Popen[bytes]", program: Program, timeout_s: float
) -> None:
    """Wait until `ready`. StackError when the process ends, or is not ready in time."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if process.poll() is not None:
            raise StackError(
                f"{program.name} ended at once (exit {process.returncode}):\n{program.last_words()}"
            )
        if time.monotonic() > deadline:
            raise StackError(f"{program.name} was not ready within {timeout_s:.0f} s, see {program.log}")
        time.sleep(0.02)


def _bind(account: Account | None, orphaned: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def in_child() -> None:
        if account is not None:
            _become(account)
        if _LINUX:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(orphaned), 0, 0, 0)  # after setuid, which clears it
            if os.getppid() != parent:  # died while we forked: no signal will come
                os._exit(1)

    return in_child


def _become(account: Account) -> None:
    if account.reach:
        _LIBC.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if account.reach:
        bit = 1 << _CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
        failed = _LIBC.capset(header, sets)
        if failed or _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0):
            raise OSError(ctypes.get_errno(), "cannot keep CAP_DAC_OVERRIDE")
