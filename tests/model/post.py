"""Stands in for the mail server, and stops sending where the test says.

Hold points of an attempt: `asked`, when the owner has said that it is true and before it is handed over;
`answered`, when the answer is there and before it is recorded.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from chassis.work import Later, Refused, Work
from chassis.work.runner import WorkRunner
from notifications.domain.notice import Notice
from notifications.jobs.message import Mail, compose
from notifications.jobs.sending import Sending

ACCEPT, REFUSE, LATER, LOSE, VANISH = "accept", "refuse", "later", "lose", "vanish"
ASKED, ANSWERED = "asked", "answered"
_ERRORS: dict[str, Exception] = {
    REFUSE: Refused("550"),
    LATER: Later("451"),
    LOSE: ConnectionResetError(),
    VANISH: ConnectionResetError(),
}
_DAY = re.compile(r"(\d{1,2} [A-Z][a-z]+ \d{4})")


@dataclass
class Attempt:
    """One attempt as the mail server sees it.

    Attributes:
        answer: what becomes of it: taken, refused, put off; taken, or not, and the answer is lost.
        hold: where it waits.

    """

    answer: str
    hold: str
    notice: Notice | None = None
    mail: Mail | None = None
    expected: date | None = None  # what was true when the owner was asked

    @property
    def day(self) -> date:
        """The day that the message tells."""
        assert self.mail is not None
        found = _DAY.search(self.mail.words.subject)
        assert found, self.mail.words.subject
        return datetime.strptime(found[1], "%d %B %Y").date()  # noqa: DTZ007 - a day

    @property
    def recovery(self) -> bool:
        assert self.notice is not None
        return self.notice.kind == "promise-recovered"


_attempt: ContextVar[Attempt] = ContextVar("attempt")


class Post:
    """Runs the queue of notices step by step, with itself as the provider.

    Args:
        sending: the worker of the notifications service.
        claims: called with an attempt when the owner has been asked.
        taken: called with an attempt, and whether its answer came, when the customer has, or may have, it.

    """

    def __init__(self, db: Any, sending: Sending) -> None:
        self._db = db
        self._sending = sending
        self._promises, self._act = sending._promises, sending.act
        # Where the service would ask the owner and call the mail server.
        seams: Any = SimpleNamespace(send=self._take, confirm=self._confirm)
        sending._provider = sending._promises = seams
        sending.act = self._perform  # type: ignore[method-assign]

    def begin(
        self, asked: Callable[[Attempt], None], handed_over: Callable[[Attempt], Awaitable[None]]
    ) -> None:
        """Begin anew. `asked` hears of attempts of which the owner said that they may go on, `handed_over` of
        those that the mail server was handed, before it answers."""
        self._runner = WorkRunner(self._db, [self._sending])
        self._asked, self._handed_over = asked, handed_over
        self._moved = asyncio.Event()
        self._wrong: AssertionError | None = None
        self.held: list[tuple[asyncio.Future[None], Attempt]] = []

    async def send(self, answer: str, hold: str = "") -> bool:
        """Have one attempt made of what is due, and wait for its end or hold point. Whether there was one."""
        self._next = Attempt(answer, hold)
        running = self._runner._running[self._sending.kind]
        self._sending.at_once = len(running) + 1
        self._runner._overdue_at = 0.0
        await self._runner._look()
        began = len(running) > len(self.held)
        await self._settled()
        return began

    async def release(self) -> None:
        """Let the oldest attempt that is held go on."""
        if self.held:
            self.held.pop(0)[0].set_result(None)
            await self._settled()

    async def _settled(self) -> None:
        """Wait until everything under way has ended, or is held. AssertionError when something was wrong."""
        running = self._runner._running[self._sending.kind]
        for task in running:
            task.add_done_callback(lambda _: self._moved.set())
        async with asyncio.timeout(10):
            while len(running) > len(self.held):
                self._moved.clear()
                await self._moved.wait()
        if self._wrong is not None:  # there it was an error like any other
            raise self._wrong

    async def _confirm(self, notice: Notice) -> None:
        await self._promises.confirm(notice)
        attempt = _attempt.get()
        attempt.notice = notice
        self._asked(attempt)
        await self._hold(ASKED)

    async def _take(self, mail: Mail, ready: Any, commit_to_it: Any) -> str:
        attempt = _attempt.get()
        attempt.mail = mail
        await ready(hashlib.sha256(compose(mail)).hexdigest())
        commit_to_it()
        try:
            await self._handed_over(attempt)
        except AssertionError as wrong:
            self._wrong = wrong
        if attempt.answer in _ERRORS:
            raise _ERRORS[attempt.answer]
        return "250"

    async def _perform(self, work: Work, turn: Any) -> Any:
        _attempt.set(self._next)
        try:
            return await self._act(work, turn)
        finally:
            await self._hold(ANSWERED)

    async def _hold(self, point: str) -> None:
        attempt = _attempt.get()
        if attempt.hold == point:
            gate = asyncio.get_running_loop().create_future()
            self.held.append((gate, attempt))
            self._moved.set()
            await gate
