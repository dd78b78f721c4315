"""Keeps programs running: starts them, restarts what ends, stops them in order.

Programs are started in stages and stopped in the reverse order. Ctrl-C reaches the supervisor alone; its
programs end with it, however it ends (see `rapport_testing.engines.process`).
"""

import asyncio
import http.client
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rapport_testing.engines.ports import DIRECT
from rapport_testing.engines.process import Patience, Process, Program, StackError, kill_group

POLL_S = 0.1
BACKOFF_S = (0.5, 1, 2, 4, 8, 15)
HEALTHY_AFTER_S = 10.0

State = Literal["starting", "ready", "failing", "stopped"]
Say = Callable[[str, str], None]
_NOTHING: Mapping[str, Process] = {}


@dataclass
class Unit:
    """A program under supervision."""

    program: Program
    ready: Callable[[], bool]  # whether it answers; called in a thread, may block for a second
    address: str = ""  # where it can be reached, for people
    health: str = ""  # the URL that tells whether it is ready
    site: str = ""  # the URL of its pages and REST
    idle_timeout_s: float = 60.0  # how long a start may do nothing before it has failed
    stop_timeout_s: float = 20.0  # how long a stop may take before it is killed
    state: State = field(default="stopped", init=False)
    restarts: int = field(default=0, init=False)
    restarted_at: float = field(default=0.0, init=False)  # seconds since the epoch
    process: Process | None = field(default=None, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)
    _failures: int = field(default=0, init=False)  # in a row

    @property
    def name(self) -> str:
        return self.program.name

    def status(self) -> dict[str, Any]:
        """What `rapport status` reads."""
        return {
            "name": self.name,
            "state": self.state,
            "pid": self.process.pid if self.process else None,
            "address": self.address,
            "health": self.health,
            "site": self.site,
            "log": self.program.log.stem,
            "restarts": self.restarts,
            "restarted_at": self.restarted_at,
        }

    def spawn(self, started: Process | None = None) -> None:
        """Start the process, unless it was just started."""
        self.process = started or self.program.spawn()
        self._began = time.monotonic()
        self.state = "starting"

    def backoff_s(self) -> float:
        """How long to wait before the next start: longer with each failure in a row."""
        if time.monotonic() - self._began > HEALTHY_AFTER_S:
            self._failures = 0
        self._failures += 1
        return BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1]


class Supervisor:
    """Runs units. `say(unit, text)` tells people; `changed` is called after every change of a state."""

    def __init__(self, say: Say, changed: Callable[[], None]) -> None:
        self.units: list[Unit] = []
        self._say = say
        self._changed = changed
        self._stages: list[Sequence[Unit]] = []
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self, units: Sequence[Unit], started: Mapping[str, Process] = _NOTHING) -> None:
        """Start a stage, except what was just `started` for it, and wait until all of it is ready.

        StackError when a unit ends or gets stuck.
        """
        self._stages.append(units)
        self.units.extend(units)
        for unit in units:
            unit.spawn(started.get(unit.name))
        self._changed()
        await asyncio.gather(*(self._become_ready(unit) for unit in units))
        self._watchers.extend(asyncio.create_task(self._watch(unit)) for unit in units)

    async def stop(self) -> None:
        """Stop every stage, the last started first; within a stage all at once."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for stage in reversed(self._stages):
            await asyncio.gather(*(self._stop(unit) for unit in stage))

    def kill(self) -> None:
        """End everything at once, for a user who asked twice."""
        for unit in self.units:
            if unit.process is not None and unit.process.poll() is None:
                kill_group(unit.process)

    async def _become_ready(self, unit: Unit) -> None:
        assert unit.process is not None
        patience = Patience(unit.process, unit.program, unit.idle_timeout_s)
        while not await asyncio.to_thread(unit.ready):
            if unit.process.poll() is not None:
                raise StackError(_ended(unit, unit.process.returncode))
            patience.check()
            await asyncio.sleep(POLL_S)
        self._enter(unit, "ready")

    async def _watch(self, unit: Unit) -> None:
        while True:
            code = await self._exited(unit)
            delay = unit.backoff_s()
            unit.restarts += 1
            unit.restarted_at = time.time()
            self._enter(unit, "failing")
            self._say(unit.name, f"{_ended(unit, code)}\nstarting it again in {delay:g} s")
            await asyncio.sleep(delay)
            unit.spawn()
            self._changed()
            try:
                await self._become_ready(unit)
            except StackError as problem:
                self._say(unit.name, str(problem))
                await self._stop(unit)  # not ready in time: what still runs of it must go before the next try
            else:
                self._say(unit.name, "is back")

    async def _exited(self, unit: Unit) -> int:
        assert unit.process is not None
        while (code := unit.process.poll()) is None:  # noqa: ASYNC110 - the kernel sets no Event
            await asyncio.sleep(POLL_S)
        return code

    async def _stop(self, unit: Unit) -> None:
        if unit.process is not None and unit.process.poll() is None:
            unit.process.send_signal(unit.program.stop)
            try:
                await asyncio.wait_for(self._exited(unit), unit.stop_timeout_s)
            except TimeoutError:
                self._say(unit.name, f"did not stop within {unit.stop_timeout_s:.0f} s: killed")
                kill_group(unit.process)
                await self._exited(unit)
        self._enter(unit, "stopped")

    def _enter(self, unit: Unit, state: State) -> None:
        unit.state = state
        self._changed()


def _ended(unit: Unit, code: int) -> str:
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    words = unit.program.last_words()
    return (
        f"{unit.name} {how}; its last words (of {unit.program.log}):\n{words}"
        if words
        else f"{unit.name} {how}"
    )


def answers(url: str) -> bool:
    """Whether a unit says over HTTP that it is ready."""
    try:
        with DIRECT.open(url, timeout=1) as response:
            return bool(response.status == 200)
    except (OSError, http.client.HTTPException):
        return False
