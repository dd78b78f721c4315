"""Child processes that never outlive the process that started them, and files for their owner alone.

Every child gets a process group of its own, so that Ctrl-C in a terminal reaches only the supervisor, which
then stops the children in order. On Linux the kernel signals a child when its parent dies, even by SIGKILL.
"""

import contextlib
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

LINUX = sys.platform.startswith("linux")
LIBC = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: a child may not import
_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_OVERRIDE = 1
_CLONE_NEWUSER = 0x10000000
_ENDLESS = 20
_LAST_WORDS = 5  # lines
_CANNOT = 126  # exit code of a child that could not take its account, as a shell's


class Process(Protocol):
    """What runs: a `subprocess.Popen`, or a program that was forked."""

    pid: int
    returncode: Any

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        ...

    def send_signal(self, sig: int, /) -> None:
        """Signal it, unless it has ended."""
        ...


class StackError(Exception):
    """Something about the local stack that the user can put right; the message says what, and what to do."""


class WrongUse(StackError):
    """Something was asked for that there is not."""


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account for programs that refuse to run as root.

    `reach` lets it pass folders that are closed to others (a checkout below root's 0700 home): the process
    then keeps the one capability CAP_DAC_OVERRIDE, instead of opening those folders to everybody.

    `masked` is for a root without the capabilities that all this takes: the program runs in a user namespace
    in which root's own files, which it may reach anyway, are the account's.
    """

    uid: int
    gid: int
    reach: bool = False
    masked: bool = False


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

    def spawn(self, stdin: int = subprocess.DEVNULL, stdout: int | None = None) -> "subprocess.Popen[bytes]":
        """Start it, output appended to the log. Only in the main thread: a child dies with that thread."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                list(self.argv),
                env=dict(self.env),
                cwd=self.cwd,
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                process_group=0,
                preexec_fn=_bind(self.account, self.orphaned),
            )

    def last_words(self) -> str:
        """The end of the log, for error messages."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LAST_WORDS:])


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


def kill_group(process: Process) -> None:
    """SIGKILL to the process and to whatever it started itself."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class Patience:
    """How long to wait for a process that starts: as long as it gets on, on however slow a machine.

    It gets on while it, or a child of it, uses the processor or writes to its log. A start without any of
    this for `idle_s` has failed, and so has one that takes twenty times as long.
    """

    def __init__(self, process: Process, program: Program, idle_s: float) -> None:
        self._process = psutil.Process(process.pid)
        self._program = program
        self._idle_s = idle_s
        self._began = self._looked = self._moved = time.monotonic()
        self._seen = self._look()

    def check(self) -> None:
        """StackError when there is no more hope."""
        now = time.monotonic()
        if now - self._looked < self._idle_s / 60:
            return
        self._looked = now
        if (seen := self._look()) != self._seen:
            self._seen, self._moved = seen, now
        if now - self._moved > self._idle_s or now - self._began > _ENDLESS * self._idle_s:
            words = self._program.last_words()
            raise StackError(
                f"{self._program.name} is not ready after {now - self._began:.0f} s and does nothing more; "
                f"its last words (of {self._program.log}):\n{words or '(none)'}"
            )

    def _look(self) -> tuple[float, ...]:
        used: list[float] = []
        with contextlib.suppress(psutil.Error):  # it ended, which others notice
            for each in (self._process, *self._process.children(recursive=True)):
                used += each.cpu_times()[:2]
        log = self._program.log
        return (log.stat().st_size if log.exists() else 0, *used)


def wait_until(
    ready: Callable[[], bool], process: "subprocess.Popen[bytes]", program: Program, idle_s: float
) -> None:
    """Wait until `ready`. StackError when the process ends, or does nothing more for `idle_s`."""
    patience = Patience(process, program, idle_s)
    while not ready():
        if process.poll() is not None:
            raise StackError(
                f"{program.name} ended at once (exit {process.returncode}):\n{program.last_words()}"
            )
        patience.check()
        time.sleep(0.02)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.touch(0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def kept_secret(path: Path) -> str:
    """The random secret in that file, made when there is none."""
    if not path.exists() or not path.stat().st_size:  # a full disk may have left an empty one
        write_private(path, secrets.token_hex(16))
    return path.read_text()


def _bind(account: Account | None, orphaned: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def in_child() -> None:
        if account is not None:
            try:
                _mask(account) if account.masked else _become(account)
            except OSError as error:  # raised, it would reach the parent without its message
                os.write(2, f"cannot take the account {account.uid}: {error}\n".encode())
                os._exit(_CANNOT)
        if LINUX:
            end_with(parent, orphaned)  # after setuid, which clears it

    return in_child


def end_with(parent: int, sig: int) -> None:
    """Have this process, whose parent that is, signalled when the parent ends. Linux only."""
    LIBC.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent:  # died while we forked: no signal will come
        os._exit(1)


def _become(account: Account) -> None:
    if account.reach:
        # Kept through setuid, and through access(2), which drops what setuid would have dropped.
        _check(LIBC.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "PR_SET_SECUREBITS")
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if account.reach:
        bit = 1 << _CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # LINUX_CAPABILITY_VERSION_3, this process
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
        _check(LIBC.capset(header, sets), "capset")
        raised = LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
        _check(raised, "PR_CAP_AMBIENT_RAISE")


def _mask(account: Account) -> None:
    _check(LIBC.unshare(_CLONE_NEWUSER), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{account.uid} 0 1"),
        ("gid_map", f"{account.gid} 0 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _check(failed: int, what: str) -> None:
    if failed:
        raise OSError(ctypes.get_errno(), f"{what} failed: {os.strerror(ctypes.get_errno())}")
