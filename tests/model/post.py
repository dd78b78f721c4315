"""Stands in for the mail server, and stops sending where the test says.

Hold points of an attempt: `asked`, when the owner has said that it is true and before it is handed over;
`answered`, when the answer is there and before it is recorded.
"""

import asyncio
import hashlib
import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from chassis.facts import Decision
from chassis.work import Later, Outcome, Refused, State, Verdict, Work, queue
from chassis.work.runner import WorkRunner
from notifications.channels.message import Mail, compose
from notifications.domain.notice import Notice
from notifications.jobs.sending import Sending
from tests.model.reference import Truth

ACCEPT, REFUSE, LATER, LOSE, SLEEP = "accept", "refuse", "later", "lose", "sleep"
ASKED, ANSWERED = "asked", "answered"
_ERRORS: dict[str, Exception] = {
    REFUSE: Refused("550"),
    LATER: Later("451"),
    LOSE: ConnectionResetError(),
}
_DAY = re.compile(r"(\d{1,2} [A-Z][a-z]+ \d{4})")


@dataclass
class Attempt:
    """One attempt as the mail server sees it.

    Attributes:
        answer: what becomes of it: taken; refused; put off; perhaps taken, for the answer is lost; taken, and
            we sleep for so long that others see no answer, until we are released.
        hold: where it waits.
    """

    answer: str
    hold: str
    notice: Notice | None = None
    mail: Mail | None = None
    truth: Truth | None = None  # what was true when the owner was asked
    work: Work | None = None
    time: datetime | None = None  # when it was handed over

    @property
    def day(self) -> date:
        """The day that the message tells."""
        assert self.mail is not None
        found = _DAY.search(self.mail.words.subject)
        assert found, self.mail.words.subject
        return datetime.strptime(found[1], "%d %B %Y").date()  # noqa: DTZ007 - a day


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
        self._promises, self._act = sending.promises, sending.act
        # Where the service would ask the owner and call the mail server.
        seams: Any = SimpleNamespace(send=self._take, confirm=self._confirm)
        mail: Any = sending.channels[0]
        mail.server = sending.promises = seams
        sending.act = self._perform  # type: ignore[method-assign]

    def begin(self, listener: Any) -> None:
        """Begin anew. The listener's `asked` hears of attempts of which the owner said that they may go on,
        `handed_over` of those that the mail server has, before it answers, and `woke` of late answers."""
        self._runner = WorkRunner(self._db, [self._sending])
        self._listener = listener
        self._moved = asyncio.Event()
        self._wrong: AssertionError | None = None
        self.held: list[tuple[asyncio.Future[None], Attempt]] = []

    async def send(self, answer: str, hold: str = "") -> bool:
        """Have one attempt made of what is due, and wait for its end or hold point. Whether there was one."""
        attempt = self._next = Attempt(answer, ANSWERED if answer == SLEEP else hold)
        running = self._runner._running[self._sending.kind]
        self._sending.at_once = len(running) + 1
        self._runner._overdue_at = 0.0
        await self._runner._look()
        await self._settled()
        began = attempt.work is not None
        if answer == SLEEP and began:
            await self._give_up(attempt)
        return began

    async def _give_up(self, attempt: Attempt) -> None:
        """Another replica finds that the lease of an attempt is over."""
        assert attempt.work is not None
        work = await queue.GET.one(self._db, work=attempt.work.id)
        if work.state is State.HANDING_OVER:
            await self._runner._overdue(work, work.attempt, Outcome(Verdict.UNKNOWN, "no-answer"))

    async def release(self) -> None:
        """Let the oldest attempt that is held go on."""
        if self.held:
            gate, attempt = self.held.pop(0)
            gate.set_result(None)
            if attempt.answer == SLEEP and attempt.truth and attempt.time:
                await self._listener.woke(attempt, self._settled)
            else:
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

    async def _confirm(self, notice: Notice) -> list[Decision]:
        decisions = await self._promises.confirm(notice)
        attempt = _attempt.get()
        attempt.notice = notice
        self._listener.asked(attempt)
        await self._hold(ASKED)
        return decisions

    async def _take(self, mail: Mail, ready: Any, commit_to_it: Any) -> str:
        attempt = _attempt.get()
        attempt.mail = mail
        await ready(hashlib.sha256(compose(mail)).hexdigest())
        commit_to_it()
        try:
            self._listener.handed_over(attempt)
        except AssertionError as wrong:
            self._wrong = wrong
        if attempt.answer in _ERRORS:
            raise _ERRORS[attempt.answer]
        return "250"

    async def _perform(self, work: Work, turn: Any) -> Any:
        self._next.work = work
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
