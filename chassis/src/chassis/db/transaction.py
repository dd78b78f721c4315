"""A transaction that keeps its promises: effect, facts, audit row and stored response commit together or not at all."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from chassis import failpoints, ids
from chassis.context import Call
from chassis.db.combined import combined
from chassis.db.schema import AUDIT, IDEMPOTENCY, OUTBOX, TIMERS
from chassis.db.statement import Bulk, Statement
from chassis.telemetry.tracing import about, sql_span

if TYPE_CHECKING:
    from chassis.db.database import Database

LEASES = 16

_AUDIT = Bulk[Any](AUDIT)
_OUTBOX = Bulk[Any](OUTBOX, columns=[c for c in OUTBOX.columns.keys() if c != "published_at"])
_IDEMPOTENCY = Bulk[Any](IDEMPOTENCY)
_AUDITED = Statement[Any](sa.select(AUDIT.c.id).where(AUDIT.c.id == sa.bindparam("id")))
_TIMERS = Bulk[Any](
    TIMERS,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["kind", "key"],
        set_={
            c: insert.excluded[c] for c in ("id", "due_at", "correlation_id", "causation_id", "traceparent")
        }
        | {"attempts": 0},
    ),
    columns=[c for c in TIMERS.columns.keys() if c != "attempts"],
)
_CANCEL = Statement[Any](
    sa.delete(TIMERS).where(TIMERS.c.kind == sa.bindparam("kind"), TIMERS.c.key == sa.bindparam("key"))
)


@dataclass(slots=True)
class StoredResponse:
    """The answer to keep for a request id, in the transaction that it answers."""

    request_id: UUID
    method: str
    request_hash: bytes
    response: bytes
    consistency_token: str = ""


@dataclass(slots=True)
class Act:
    """What one call does in a transaction. It has an audit row and a consistency token of its own.

    Attributes:
        call: who acts, why, in which trace.
        id: the id of the audit row: the cause of the facts, and the key of the outcome.
        correlation_id: the flow it belongs to; begins one when the call belongs to none.
        consistency_token: names the last fact.
        resources: what the facts are about.

    """

    call: Call
    id: UUID
    correlation_id: str
    consistency_token: str = ""
    resources: dict[str, None] = field(default_factory=dict)


class Transaction:
    """What use cases, event handlers and timers write through. Made by `Database.transaction`.

    Attributes:
        now: the moment the transaction began, the one time for everything it writes.

    """

    def __init__(self, db: Database, connection: Any, call: Call) -> None:
        self.db = db
        self.now: datetime = db.clock.now()
        self._acts: dict[int, Act] = {}  # by identity of the call
        self.act(call)
        self._connection = connection
        self._begun = False
        self._deferred: tuple[Statement[Any], Sequence[Any]] | None = None
        self._facts: list[dict[str, Any]] = []
        self._about: dict[str, None] = {}  # resources and customers, for the trace
        self._timers: dict[tuple[str, str], dict[str, Any]] = {}
        self._responses: list[StoredResponse] = []
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
        """Names the last fact that the acting call recorded; "" before the first."""
        return self._act.consistency_token

    def act(self, call: Call) -> None:
        """Do what follows on behalf of `call`: one transaction may carry many. Nothing changes if it acts already."""
        act = self._acts.get(id(call))
        if act is None:
            audit_id = ids.uuid7(self.now)
            act = self._acts[id(call)] = Act(call, audit_id, call.correlation_id or str(audit_id))
        self._act = act

    async def fetch(self, statement: Statement[Any], args: Sequence[Any]) -> list[Any]:
        """Run a statement now."""
        await self._flush()
        await self._begin()
        with sql_span(statement):
            return await self._connection.fetch(statement.sql, *args)

    async def defer(self, statement: Statement[Any], **params: Any) -> None:
        """Run a write that nothing later in this transaction reads, at the latest at commit.

        The last deferred write, facts, timers and audit row travel to the server as one statement; a transaction
        of nothing else is a single round trip.
        """
        await self._flush()
        self._deferred = (statement, statement.arguments(params))

    def record(self, fact: Any, *, version: int, caused_by: UUID | None = None) -> UUID:
        """Record a domain fact for publication: a dataclass with the name and fields of an event message.

        Args:
            fact: its first field is the name of the resource it is about.
            version: the resource's version after the fact; consumers keep the highest.
            caused_by: an earlier fact of this transaction that led to this one; otherwise the call is the cause.

        Returns:
            The event's id.

        """
        event_id = ids.uuid7(self.now)
        encoded = self.db.facts.encode(fact)
        self._facts.append(
            {
                "id": event_id,
                "lease": zlib.crc32(encoded.resource.encode()) % LEASES,
                "subject": encoded.subject,
                "type": encoded.type,
                "resource": encoded.resource,
                "resource_version": version,
                "data": encoded.data,
                "time": self.now,
                "actor": self.call.principal.subject,
                "correlation_id": self.correlation_id,
                "causation_id": caused_by or self.call.cause_id or self.id,
                "traceparent": self.call.traceparent,
            }
        )
        self._act.resources[encoded.resource] = None
        self._about |= {name: None for name in (encoded.resource, getattr(fact, "customer", "")) if name}
        self._act.consistency_token = f"{self.db.service}:{event_id}"
        return event_id

    def store_response(self, response: StoredResponse) -> None:
        """Keep the answer for a request id, so that a repeat gets the same one and the same consistency token."""
        response.consistency_token = self.consistency_token
        self._responses.append(response)

    async def schedule(self, kind: str, key: str, due_at: datetime) -> None:
        """Fire the timer `kind` for `key` at `due_at`, replacing the one that was set. Written at commit."""
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
        """Forget the timer, if there is one."""
        self._timers.pop((kind, key), None)
        await _CANCEL.run(self, kind=kind, key=key)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call `action` once the transaction has committed, and never otherwise. It must not raise or block."""
        self._after_commit.append(action)

    async def commit(self) -> None:
        """Write what is to be written and commit, to the end even when the caller goes away."""
        await _finished(self._commit())

    async def rollback(self) -> None:
        """Undo everything. A broken connection has undone it already."""
        if self._begun and not self._connection.is_closed():
            await _finished(self._connection.execute("ROLLBACK"))

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._connection.execute("BEGIN")

    async def _flush(self) -> None:
        if self._deferred is not None:
            statement, args = self._deferred
            self._deferred = None
            await self.fetch(statement, args)

    async def _commit(self) -> None:
        if not (self._begun or self._deferred or self._facts or self._timers or self._responses):
            return
        failpoints.hit("before_commit")
        try:
            await self._close()
            if self._begun:
                await self._connection.execute("COMMIT")
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as lost:
            if not await self._is_committed():
                from chassis.db.database import unavailable

                raise unavailable() from lost
        except BaseException:
            await self.rollback()
            raise
        failpoints.hit("after_commit")
        if self._facts:
            self.db.published()
        for timer in self._timers.values():
            self.db.scheduled(timer["due_at"])
        for action in self._after_commit:
            action()

    async def _close(self) -> None:
        """Send the last deferred write, facts, timers, stored responses and audit row as one statement."""
        parts: list[tuple[Statement[Any], Sequence[Any]]] = [self._deferred] if self._deferred else []
        self._deferred = None
        if self._facts:
            parts.append((_OUTBOX, _OUTBOX.arguments(_columns(_OUTBOX, self._facts))))
        if self._timers:
            parts.append((_TIMERS, _TIMERS.arguments(_columns(_TIMERS, list(self._timers.values())))))
        if self._responses:
            parts.append((_IDEMPOTENCY, _IDEMPOTENCY.arguments(_columns(_IDEMPOTENCY, self._stored_rows()))))
        parts.append((_AUDIT, _AUDIT.arguments(_columns(_AUDIT, self._audit_rows()))))
        statement = combined(tuple(part for part, _ in parts))
        args = [argument for _, arguments in parts for argument in arguments]
        if self._about:
            about(self._about)
        with sql_span(statement):
            await self._connection.fetch(statement.sql, *args)

    def _stored_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "request_id": stored.request_id,
                "method": stored.method,
                "request_hash": stored.request_hash,
                "response": stored.response,
                "consistency_token": stored.consistency_token,
                "at": self.now,
            }
            for stored in self._responses
        ]

    def _audit_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": act.id,
                "at": self.now,
                "actor": act.call.principal.subject,
                "department": act.call.principal.department,
                "what": act.call.what,
                "request_id": act.call.request_id,
                "cause_id": act.call.cause_id,
                "correlation_id": act.correlation_id,
                "traceparent": act.call.traceparent,
                "resources": " ".join(act.resources),
            }
            for act in self._acts.values()
        ]

    async def _is_committed(self) -> bool:
        """Whether the transaction whose commit got no answer took effect. The audit row tells."""
        try:
            return await _AUDITED.maybe(self.db, id=self.id) is not None
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            from chassis.db.database import unavailable

            raise unavailable() from error


def _columns(statement: Bulk[Any], rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in statement.columns}


async def _finished(work: Coroutine[Any, Any, Any]) -> None:
    """Await `work` to its end, however often the caller is cancelled meanwhile, and only then let it go."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as gone:
            cancelled = gone
    failure = task.exception()
    if cancelled is not None:
        raise cancelled from failure
    if failure is not None:
        raise failure
