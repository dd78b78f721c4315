"""A server of ours, from its start to its end."""

import signal
import subprocess
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from rapport_testing.engines import process
from rapport_testing.engines.process import Program


class Engine(ABC):
    """One server as a child process: `with` starts it, waits until clients are accepted, and ends it."""

    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0
    idle_timeout_s: float = 30.0
    process: "subprocess.Popen[bytes] | None" = None

    @abstractmethod
    def prepare(self) -> None:
        """Write what it starts with."""

    @abstractmethod
    def program(self) -> Program:
        """The server as a program for a supervisor."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether clients are accepted."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Prepare, start, and wait until clients are accepted."""
        self.prepare()
        self.spawn()
        self.wait()

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the process without waiting. Call it in the main thread."""
        self.process = self.program().spawn()
        return self.process

    def wait(self) -> None:
        """Wait until clients are accepted. StackError when it ended or does nothing more."""
        assert self.process is not None, "spawn was not called"
        process.wait_until(self.is_ready, self.process, self.program(), self.idle_timeout_s)

    def stop(self) -> None:
        """End it in order; what it wrote is kept."""
        if self.process is not None:
            process.stop(self.process, self.stop_signal, self.stop_timeout_s)
