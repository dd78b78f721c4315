"""A transaction that keeps its promises: effect, facts, audit row and stored response commit as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from chassis import consistency, failpoints, ids
from chassis.auth import permissions
from chassis.context import Call
from chassis.db import records
from chassis.db.failures import DRIVER_ERRORS, discard, is_closed, is_lost, refusal_discarding, unavailable
from chassis.db.outcome import committed
from chassis.db.statement import Combined, Statement, together
from chassis.mentions import mentioned
from chassis.telemetry.metrics import FACTS
from chassis.telemetry.tracing import name_resources, sql_span
from chassis.timeouts import finished

if TYPE_CHECKING:
    from chassis.db.database import Database


class Transaction:
    """What use cases, event handlers and timers write through. Made by `Database.transaction`.

    `now` is the moment it began, the one time for everything it writes. Its methods raise refusals when the
    database fails (`chassis.db.failures`); constraints that are violated are raised as the driver has them.
    """

    def __init__(
        self,
        db: Database,
        connection: Any,
        call: Call,
        lock_timeout_ms: int | None = None,
        strictly: bool = True,
    ) -> None:
        self.db = db
        self.now: datetime = db.clock.now()
        self._acts: dict[int, records.Act] = {}  # by identity of the call
        self.act(call)
        self._connection = connection
        self._backend = connection.backend
        self._lock_timeout_ms, self._strictly = lock_timeout_ms, strictly
        self._begun = False
        self._put_offs: list[tuple[Statement[Any], Sequence[Any]]] = []
        self._is_deferred = False  # whether the last of them is there by `defer`
        self._facts: list[dict[str, Any]] = []
        self._tellers: dict[UUID, records.Act] = {}  # by event
        self._about: dict[str, None] = {}  # resources and customers, for the trace
        self._timers: dict[tuple[str, str], dict[str, Any]] = {}
        self._cancelled: dict[tuple[str, str], None] = {}
        self._responses: list[records.StoredResponse] = []
        self._after_commit: list[Callable[[], None]] = []

    @property
    def call(self) -> Call:
        """Who acts, why, in which trace."""
        return self._act.call

    @property
    def id(self) -> UUID:
        """The id of the acting call's audit row."""
        return self._act.id

    @property
    def correlation_id(self) -> str:
        """The flow that the acting call belongs to."""
        return self._act.correlation_id

    @property
    def consistency_token(self) -> str:
        """Names every fact that the acting call recorded so far, or shares."""
        act = self._act
        return consistency.token(self.db.service, act.id, act.told, act.shared)

    def act(self, call: Call, *, by_day: bool = False) -> None:
        """Do what follows on behalf of `call`: one transaction may carry many.

        `by_day`: its audit row and its facts say the day alone, so that no time leads from them to others.
        """
        act = self._acts.get(id(call))
        if act is None:
            audit_id = ids.of_day(self.now) if by_day else ids.uuid7(self.now)
            act = records.Act(call, audit_id, call.correlation_id or str(audit_id), by_day=by_day)
            self._acts[id(call)] = act
        self._act = act

    def forget(self, call: Call) -> None:
        """Say that nothing was done on behalf of `call`."""
        self._acts.pop(id(call), None)

    def touch(self, name: str) -> None:
        """Name a resource in the audit row, beside those of facts and of the answer."""
        self._act.resources[name] = None

    def because(self, reason_code: str) -> None:
        """Say in the audit row why the caller does this."""
        self._act.reason_code = reason_code

    def require_owner(self, *owned: Any) -> None:
        """Refuse a caller whose department owns none of `owned`, entities (PermissionDenied `NOT_OWNER`)."""
        permissions.require(self.db.service, self.call.principal, owned)
        self._act.owner_checked = True

    def answer(self, response: Any) -> None:
        """Note what the acting call is answered. RuntimeError when its owner was not compared."""
        if permissions.is_owned(response.DESCRIPTOR) and not self._act.owner_checked:
            raise RuntimeError(f"{self.call.what} must call tx.require_owner: a department owns this")
        self._act.resources |= dict.fromkeys(mentioned(response))

    async def fetch(self, statement: Statement[Any], args: Sequence[Any]) -> list[Any]:
        """Run a statement now, after what is deferred."""
        await self._flush()
        return await self._fetch(statement, args)

    async def _fetch(self, statement: Statement[Any] | Combined, args: Sequence[Any]) -> list[Any]:
        try:
            await self._begin()
            with sql_span(statement):
                rows: list[Any] = await self._connection.rows(statement.sql, args)
                return rows
        except DRIVER_ERRORS as error:
            refusal = refusal_discarding(error, self._connection)
            if refusal is None:
                raise
            raise refusal from error

    async def defer(self, statement: Statement[Any], **params: Any) -> None:
        """Run a write that nothing later in this transaction reads, at the latest at commit.

        The last deferred write, facts, timers and audit row travel to the server as one statement; a
        transaction of nothing else is a single round trip.
        """
        if self._is_deferred:
            await self._flush()
        self.also(statement, statement.arguments(params))
        self._is_deferred = True

    def also(self, statement: Statement[Any], args: Sequence[Any]) -> None:
        """As `defer`, in one statement with what is deferred: none may change a row that another changes."""
        self._put_offs.append((statement, args))

    def record(self, fact: Any, *, version: int, caused_by: UUID | None = None) -> UUID:
        """Record a domain fact for publication: a dataclass with the name and fields of an event message.

        Its first field is the name of the resource it is about, `version` that resource's version after it:
        consumers keep the highest. `caused_by` is an earlier fact of this transaction that led to this one;
        else the call is the cause. Returns the event's id.
        """
        # Not of `now`: who waited for a lock has the higher version and must have the later id.
        event_id = ids.of_day(self.now) if self._act.by_day else ids.uuid7(self.db.clock.now())
        row = self.db.facts.row(fact) | {
            "id": event_id,
            "resource_version": version,
            "time": ids.day(self.now) if self._act.by_day else self.now,
            "actor": self.call.principal.subject,
            "correlation_id": self.correlation_id,
            "causation_id": caused_by or self.call.cause_id or self.id,
            "traceparent": self.call.traceparent,
            "transaction_id": None,
        }
        self._facts.append(row)
        self._act.tell(row)
        self._tellers[event_id] = self._act
        self._about |= {name: None for name in (row["resource"], getattr(fact, "customer", "")) if name}
        return event_id

    def share(self, event_id: UUID) -> None:
        """Say that a fact, recorded in this transaction for another call, is the acting call's doing too.

        Its consistency token then covers that fact.
        """
        teller = self._tellers[event_id]
        if teller is not self._act:
            self._act.shared += [told for told in teller.told if told.event_id == event_id]

    def store_response(self, response: records.StoredResponse) -> None:
        """Keep the answer for a request id: a repeat gets it again, with its consistency token."""
        response.consistency_token = self.consistency_token
        self._responses.append(response)

    async def schedule(self, kind: str, key: str, due_at: datetime) -> None:
        """Fire the timer `kind` for `key` at `due_at`, replacing the one that was set. Written at commit."""
        self._cancelled.pop((kind, key), None)
        self._timers[kind, key] = {
            "id": ids.uuid7(self.now),
            "kind": kind,
            "key": key,
            "due_at": due_at,
            "correlation_id": self.correlation_id,
            "causation_id": self.call.cause_id or self.id,
            "traceparent": self.call.traceparent,
        }

    async def cancel(self, kind: str, key: str) -> None:
        """Forget the timer, if there is one. Written at commit."""
        self._timers.pop((kind, key), None)
        self._cancelled[kind, key] = None

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call `action` once the transaction has committed, never otherwise. It must not raise or block."""
        self._after_commit.append(action)

    async def commit(self) -> None:
        """Write what is to be written and commit, to the end even when the caller goes away."""
        await finished(self._commit())

    async def rollback(self) -> None:
        """Undo everything. A broken connection has undone it already."""
        if self._begun and not is_closed(self._connection):
            await finished(self._rollback())

    async def _rollback(self) -> None:
        try:
            await self._connection.execute("ROLLBACK")
        except DRIVER_ERRORS:
            discard(self._connection)

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            patience = f"; SET LOCAL lock_timeout = {self._lock_timeout_ms}" if self._lock_timeout_ms else ""
            await self._connection.execute(f"BEGIN{patience}")

    async def _flush(self) -> None:
        if self._put_offs:
            await self._fetch(*together(self._put_off()))

    def _put_off(self) -> list[tuple[Statement[Any], Sequence[Any]]]:
        self._put_offs, parts, self._is_deferred = [], self._put_offs, False
        return parts

    async def _commit(self) -> None:
        written = self._put_offs, self._facts, self._timers, self._cancelled, self._responses
        if not (self._begun or any(written) or self._act.resources):
            return
        failpoints.hit("before_commit")
        try:
            await self._write()
        except BaseException:
            await self.rollback()
            raise
        failpoints.hit("after_commit")
        for row in self._facts:
            FACTS.labels(row["type"]).inc()
        if self._facts:
            self.db.on_facts()
        for timer in self._timers.values():
            self.db.on_timer(timer["due_at"])
        for action in self._after_commit:
            action()

    async def _write(self) -> None:
        """Send what is left and COMMIT. When that gets no answer, find out what became of it."""
        commits = False  # whether what is on its way can make it true
        try:
            if self._lock_timeout_ms and self._strictly:
                await self._begin()
            commits = not self._begun and not is_closed(self._connection)
            await self._close()
            if self._begun:
                commits = not is_closed(self._connection)
                await self._connection.execute("COMMIT")
        except DRIVER_ERRORS as error:
            answered = isinstance(error, asyncpg.ReadOnlySQLTransactionError)  # by a standby: it refused
            if commits and not answered and is_lost(error, self._connection):
                discard(self._connection)
                if await committed(self.db, self._backend, next(iter(self._acts.values())), self.now):
                    return
                raise unavailable() from error
            refusal = refusal_discarding(error, self._connection)
            if refusal is None:
                raise
            raise refusal from error

    async def _close(self) -> None:
        """Send the last deferred write, facts, timers, stored responses and audit row as one statement."""
        for act in self._acts.values():
            act.name_transaction()
        parts = self._put_off()
        parts += records.timer_calls(self._timers, self._cancelled)
        for insert, rows in (
            (self.db.facts.insert, self._facts),
            (records.INSERT_RESPONSES, self._responses),
            (records.INSERT_AUDIT, records.audit_rows(self._acts.values(), self.now)),
        ):
            if rows:
                parts.append(insert.call(rows))
        statement, args = together(parts)
        if self._about:
            name_resources(self._about)
        with sql_span(statement):
            await self._connection.rows(statement.sql, args)
