"""Work against a stand-in of the outside world, on the real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.backoff import Backoff
from chassis.db.database import Database
from chassis.db.schema import WORK
from chassis.db.statement import Statement
from chassis.errors import Aborted
from chassis.work import Later, Outcome, Turn, Verdict, Work, enqueue
from chassis.work.queue import sa
from chassis.work.runner import WorkRunner
from rapport_testing.clock import ManualClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_ALL = Statement(sa.select(WORK).order_by(WORK.c.key), row=Work)


class Outside:
    """The outside world and the worker that acts on it.

    Attributes:
        taken: the keys that the outside world took, in order.
        answers: what it does with the next ones before it takes everything: an exception to raise.
        unrecordable: the keys whose outcomes a bug keeps from being recorded.
        is_held: whether somebody holds the rows of a key, so that its outcome cannot be recorded now.
        held: how often that was tried in vain, by key.
        before, after: awaited before the last of it leaves, and after.
        recorded: what was recorded, as (key, attempt, verdict).
    """

    kind = "send"
    at_once = 3
    prepare_time = timedelta(seconds=20)
    answer_time = timedelta(seconds=20)
    retries = Backoff(60, 60)

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.answers: list[Exception] = []
        self.recorded: list[tuple[str, int, Verdict]] = []
        self.acting = 0
        self.most = 0
        self.before = asyncio.Event()
        self.after = asyncio.Event()
        self.before.set()
        self.after.set()
        self.prepare: Callable[[], Any] = lambda: None
        self.agrees = True
        self.unrecordable: set[str] = set()
        self.held: Counter[str] = Counter()
        self.is_held: Callable[[str], bool] = lambda key: False

    async def act(self, work: Work, turn: Turn) -> Any:
        self.acting += 1
        self.most = max(self.most, self.acting)
        try:
            self.prepare()
            await turn.hand_over("the same")
            await self.before.wait()
            turn.commit_to_it()
            if self.answers and isinstance(self.answers[0], Later):
                raise self.answers.pop(0)
            self.taken.append(work.key)
            await self.after.wait()
            if self.answers:
                raise self.answers.pop(0)
            return f"taken {work.key}"
        finally:
            self.acting -= 1

    async def lock(self, tx: Any, key: str) -> Any:
        return key

    async def handing_over(self, tx: Any, subject: Any, work: Work, about: Any) -> bool:
        return self.agrees

    async def record(self, tx: Any, subject: Any, work: Work, attempt: int, outcome: Outcome) -> None:
        if work.key in self.unrecordable:
            raise ValueError("a bug")
        if self.is_held(work.key):
            self.held[work.key] += 1
            raise Aborted("LOCK_TIMEOUT", "Somebody holds it.")
        tx.after_commit(lambda: self.recorded.append((work.key, attempt, outcome.verdict)))


class Office:
    """A database with work, and the runners of some replicas."""

    def __init__(self, database: Any, acting: Any) -> None:
        self.clock = ManualClock(NOON)
        self._database = database
        self._acting = acting
        self.db: Database
        self.outside = Outside()
        self.runners: list[tuple[WorkRunner, asyncio.Task[None]]] = []

    async def open(self) -> None:
        self.db = await self._database(clock=self.clock)

    async def replica(self, outside: Outside | None = None) -> WorkRunner:
        """Start the runner of another replica."""
        db = await self._database(clock=self.clock, beside=self.db)
        runner = WorkRunner(db, [outside or self.outside])
        self.runners.append((runner, asyncio.create_task(runner.run())))
        return runner

    async def enqueue(self, *keys: str, **options: Any) -> None:
        values = {"due_at": NOON, "expire_at": NOON + timedelta(days=1)} | options
        with self._acting("Test/Enqueue"):
            async with self.db.transaction() as tx:
                for key in keys:
                    await enqueue(tx, "send", key, **values)

    async def works(self) -> list[Work]:
        return await _ALL.all(self.db)

    async def states(self) -> list[str]:
        return [str(work.state) for work in await self.works()]

    async def sql(self, statement: str, *args: Any) -> Any:
        async with self.db.connection() as connection:
            return await connection.fetch(statement, *args)

    async def age_leases(self) -> None:
        """As if every lease had run out."""
        await self.sql("UPDATE work SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL")


@pytest.fixture
async def office(database: Callable[..., Awaitable[Database]], acting: Any) -> AsyncIterator[Office]:
    made = Office(database, acting)
    await made.open()
    yield made
    made.outside.before.set()
    made.outside.after.set()
    for runner, task in made.runners:
        await runner.stop(5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
