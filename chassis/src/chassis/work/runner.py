"""Running work: claim what can start now, act, record; see to what others left behind."""

import asyncio
import contextvars
import logging
import math
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from itertools import count
from uuid import UUID

import structlog

from chassis.backoff import Backoff
from chassis.context import Call, current_call, service_itself
from chassis.db.database import Database
from chassis.judgement import Judgement, is_transient, judge
from chassis.telemetry import metrics, tracing
from chassis.timeouts import woken
from chassis.work import queue
from chassis.work.item import LIVE as LIVE_STATES
from chassis.work.item import NotDone, Outcome, State, Verdict, Work, code_of
from chassis.work.turn import LEASE, Turn, Worker

POLL_S = 0.5
GATHER_S = 0.05  # hands are gathered at most
OVERDUE_EVERY_S = 1.0
COUNT_EVERY_S = 10.0
SILENT_S = 10.0  # without a look at the database, we cannot say that it has answered
ANSWERING_S = 30.0  # in which whoever waited for the database, to record an answer, has done so
WATCH_S = 1.0
CUT_OFF_S = 5.0
RECORDING = Backoff(0.2, 5.0)
BESIDE = 4  # times its hands: outcomes that wait for rows which others hold, while the hands do other work
BESIDE_AT_ONCE = 2  # of those, try side by side: each takes a connection for as long as a lock is waited for
BUGS_MAX = 10

_log = structlog.get_logger()


class WorkRunner:
    """Runs the workers of one process. Any number of replicas may: each claims what it has free slots for."""

    def __init__(self, db: Database, workers: Sequence[Worker]) -> None:
        self._db = db
        self._workers = {worker.kind: worker for worker in workers}
        self._running: dict[str, set[asyncio.Task[None]]] = {kind: set() for kind in self._workers}
        self._beside: dict[str, dict[UUID, asyncio.Task[None]]] = {kind: {} for kind in self._workers}
        self._few = asyncio.Semaphore(BESIDE_AT_ONCE)
        self._acting: set[asyncio.Task[Outcome]] = set()
        self._claiming: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._gather_until = dict.fromkeys(self._workers, 0.0)
        self._looked = -math.inf
        self._answering_since = self._overdue_at = self._count_at = 0.0
        db.on_work = self._wake.set

    async def run(self) -> None:
        """Claim and start work until `stop`."""
        self._claiming = asyncio.current_task()
        while self._workers and not self._stopping:
            self._wake.clear()
            try:
                await self._look()
            except Exception as error:
                if judge(error) is Judgement.DOWN:
                    self._looked = -math.inf
                _log.warning("work cannot be claimed", error=type(error).__name__)
            now_s = asyncio.get_running_loop().time()
            gathering = any(until > now_s for until in self._gather_until.values())
            await woken(self._wake, GATHER_S if gathering else POLL_S)

    async def stop(self, grace_s: float) -> None:
        """Claim no more. What runs gets `grace_s` to end; then it is cut off and recorded as it stands."""
        self._stopping = True
        self._wake.set()
        until = asyncio.get_running_loop().time() + grace_s
        if self._claiming is not None:  # what it is being answered belongs to what runs
            _, late = await asyncio.wait({self._claiming}, timeout=grace_s)
            await _ended(late)
        hands, beside = self._running.values(), self._beside.values()
        running = [task for tasks in hands for task in tasks]
        running += [task for tasks in beside for task in tasks.values()]
        if not running:
            return
        left_s = max(0.0, until - asyncio.get_running_loop().time())
        _, late = await asyncio.wait(running, timeout=left_s)
        for act in tuple(self._acting):
            act.cancel()
        if late:
            _, lost = await asyncio.wait(late, timeout=CUT_OFF_S)
            await _ended(lost)

    async def _look(self) -> None:
        """Start what is due and fits, and now and then see to what was left behind."""
        now_s = asyncio.get_running_loop().time()
        for kind, worker in self._workers.items():
            free = worker.at_once - len(self._running[kind])
            # While more waits than there are hands for, some are gathered: each claim costs a commit.
            few = free < worker.at_once // 2 and now_s < self._gather_until[kind]
            if free > 0 and not few and not self._stopping:
                lease = worker.prepare_time * LEASE
                now = self._db.clock.now()
                claimed = await queue.CLAIM.all(self._db, of_kind=kind, now=now, free=free, lease=lease)
                self._gather_until[kind] = now_s + GATHER_S if len(claimed) == free else 0.0
                for work in claimed:
                    self._start(worker, work)
        if now_s >= self._overdue_at:
            self._overdue_at = now_s + OVERDUE_EVERY_S
            await self._see_to_overdue(now_s)
        if now_s >= self._count_at:
            self._count_at = now_s + COUNT_EVERY_S
            await self._count()

    def _start(self, worker: Worker, work: Work) -> None:
        """In a context of its own: neither a deadline nor a caller is inherited.

        Not while an earlier outcome waits to be recorded: it would meet the same. Once that is, and the lease
        is over, it is begun anew.
        """
        running, beside = self._running[worker.kind], self._beside[worker.kind]
        if work.id in beside:
            return
        task = asyncio.create_task(self._perform(worker, work), context=contextvars.Context())
        running.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            running.discard(task)
            if beside.get(work.id) is task:
                del beside[work.id]
            self._wake.set()
            if not task.cancelled() and (error := task.exception()) is not None:
                _log.error("an attempt at work was lost", kind=worker.kind, key=work.key, exc_info=error)

        task.add_done_callback(ended)

    async def _perform(self, worker: Worker, work: Work) -> None:
        with tracing.work_span(f"work {worker.kind}", work.traceparent):
            current_call.set(self._call(worker, work))
            turn = Turn(self._db, worker, work)
            acting = asyncio.create_task(self._act(worker, work, turn))
            self._acting.add(acting)
            try:
                await _limited(acting, turn)
            finally:
                self._acting.discard(acting)
                acting.cancel()
            outcome = Outcome(Verdict.AGAIN, "stopped") if acting.cancelled() else acting.result()
            await self._record(worker, work, outcome)

    def _call(self, worker: Worker, work: Work) -> Call:
        return Call(
            worker.kind,
            service_itself(self._db.service),
            cause_id=work.causation_id,
            correlation_id=work.correlation_id,
            traceparent=tracing.carried(work.traceparent),
        )

    async def _act(self, worker: Worker, work: Work, turn: Turn) -> Outcome:
        """The outcome of the attempt, whatever it raises."""
        try:
            return Outcome(Verdict.DONE, result=await worker.act(work, turn))
        except NotDone as error:
            return Outcome(error.verdict, error.code, error)
        except asyncio.CancelledError:  # by `_limited`, or by `stop`
            code = "stopped" if self._stopping else "timeout"
            begun = Verdict.AGAIN if self._stopping else Verdict.LATER
            return Outcome(Verdict.UNKNOWN if turn.committed else begun, code)
        except Exception as error:
            code = code_of(type(error).__name__)
            if turn.committed:
                return Outcome(Verdict.UNKNOWN, code)
            if not isinstance(error, OSError):  # of which TimeoutError is one
                _log.error("an attempt at work failed", kind=work.kind, key=work.key, exc_info=error)
            return Outcome(Verdict.LATER, code)

    async def _record(self, worker: Worker, work: Work, outcome: Outcome) -> None:
        """Keep the outcome, however long the database is away: a lost outcome is an unknown one."""
        bugs = 0
        turn: AbstractAsyncContextManager[None] = nullcontext()
        for failures in count(1):
            try:
                async with turn:
                    await self._settle(worker, work, work.attempt, outcome)
                metrics.WORK_OUTCOMES.labels(work.kind, outcome.verdict).inc()
                return
            except Exception as error:
                passing = is_transient(error)
                bugs += not passing
                _log.log(
                    logging.WARNING if passing else logging.ERROR,
                    "an outcome cannot be recorded",
                    kind=work.kind,
                    key=work.key,
                    error=type(error).__name__,
                    exc_info=None if passing else error,
                )
            if bugs > BUGS_MAX:  # the lease says that it is unknown
                return
            if self._step_aside(worker, work):
                turn = self._few
            await asyncio.sleep(RECORDING.wait(failures))

    def _step_aside(self, worker: Worker, work: Work) -> bool:
        """Leave the hand to other work, while there is room beside. Whether what runs holds none."""
        task, beside = asyncio.current_task(), self._beside[worker.kind]
        if task is not None and work.id not in beside and len(beside) < BESIDE * worker.at_once:
            beside[work.id] = task
            self._running[worker.kind].discard(task)
            self._wake.set()
        return beside.get(work.id) is task

    async def _settle(
        self, worker: Worker, work: Work, attempt: int, outcome: Outcome, *, unchanged: bool = False
    ) -> None:
        """Move the work on, and what it is about with it. `unchanged`: only if nobody else has."""
        async with self._db.transaction() as tx:
            subject = await worker.lock(tx, work.key)
            row = await queue.LOCK.maybe(tx, work=work.id)
            if row is None or (unchanged and row != work):
                return
            wait = timedelta(seconds=worker.retries.wait(row.failures + 1))
            row.settle(attempt, outcome, tx.now, wait=wait)
            moved = {name: getattr(row, name) for name in queue.MOVED}
            tx.also(queue.MOVE, queue.MOVE.arguments({"work": row.id, **moved}))
            await worker.record(tx, subject, row, attempt, outcome)

    async def _see_to_overdue(self, now_s: float) -> None:
        """What died, and what is of no more use."""
        kinds = list(self._workers)
        await queue.RELEASE.run(self._db, kinds=kinds)
        if now_s - self._looked > SILENT_S:
            self._answering_since = now_s
        self._looked = asyncio.get_running_loop().time()  # it has answered
        for work in await queue.EXPIRED.all(self._db, kinds=kinds, now=self._db.clock.now()):
            await self._overdue(work, 0, Outcome(Verdict.EXPIRED, "EXPIRED"))
        for work in await queue.LOST.all(self._db, kinds=kinds):
            # Whoever has the answer may have waited for the database as long as we did, so it goes first.
            if now_s - self._answering_since >= ANSWERING_S:
                await self._overdue(work, work.attempt, Outcome(Verdict.UNKNOWN, "no-answer"))

    async def _overdue(self, work: Work, attempt: int, outcome: Outcome) -> None:
        worker = self._workers[work.kind]
        current_call.set(self._call(worker, work))
        try:
            await self._settle(worker, work, attempt, outcome, unchanged=True)
            metrics.WORK_OUTCOMES.labels(work.kind, outcome.verdict).inc()
        except Exception as error:
            if is_transient(error):
                raise
            _log.error("overdue work cannot be settled", kind=work.kind, key=work.key, exc_info=error)
            await queue.SET_ASIDE.run(self._db, work=work.id)

    async def _count(self) -> None:
        live = {(kind, state): 0 for kind in self._workers for state in LIVE_STATES}
        alarms = dict.fromkeys(self._workers, 0)
        for row in await queue.COUNT.all(self._db, kinds=list(self._workers)):
            live[row["kind"], State(row["state"])] += row["count"]
            alarms[row["kind"]] += row["count"] if row["alarm"] else 0
        for (kind, state), number in live.items():
            metrics.WORK_LIVE.labels(kind, state).set(number)
        for kind, number in alarms.items():
            metrics.WORK_ALARMS.labels(kind).set(number)


async def _ended(tasks: set[asyncio.Task[None]]) -> None:
    """Cut off what must not begin anything more: the leases tell the others."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CUT_OFF_S)


async def _limited(acting: asyncio.Task[Outcome], turn: Turn) -> None:
    """Wait until it is done, or its turn has ended: when, a hand-over changes.

    An answer that has arrived is still read: a process that slept past the end finds both at once.
    """
    loop = asyncio.get_running_loop()
    while not acting.done() and (left_s := turn.until - loop.time()) > 0:
        await asyncio.wait({acting}, timeout=min(left_s, WATCH_S))
    if not acting.done():
        await asyncio.wait({acting}, timeout=WATCH_S)
        acting.cancel()
        await asyncio.wait({acting})
