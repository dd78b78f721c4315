"""A transaction that keeps its promises: effect, facts, audit row and stored response commit together or not at all."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis import failpoints, ids
from chassis.context import Call
from chassis.db.schema import AUDIT, IDEMPOTENCY, OUTBOX, TIMERS
from chassis.db.statement import Bulk, Statement
from chassis.telemetry.tracing import sql_span

if TYPE_CHECKING:
    from chassis.db.database import Database

LEASES = 16

_AUDIT = Statement[Any](insert(AUDIT))
_OUTBOX = Bulk[Any](OUTBOX, columns=[c for c in OUTBOX.columns.keys() if c != "published_at"])
_IDEMPOTENCY = Bulk[Any](IDEMPOTENCY)
_AUDITED = Statement[Any](sa.select(AUDIT.c.id).where(AUDIT.c.id == sa.bindparam("id")))
_TIMERS = Bulk[Any](
    TIMERS,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["kind", "key"],
        set_={c: insert.excluded[c] for c in ("id", "due_at", "correlation_id", "causation_id", "traceparent")} | {"attempts": 0},
    ),
    columns=[c for c in TIMERS.columns.keys() if c != "attempts"],
)
_CANCEL = Statement[Any](sa.delete(TIMERS).where(TIMERS.c.kind == sa.bindparam("kind"), TIMERS.c.key == sa.bindparam("key")))


@dataclass(slots=True)
class StoredResponse:
    """The answer to keep for a request id, in the transaction that it answers."""

    request_id: UUID
    method: str
    request_hash: bytes
    response: bytes


class Transaction:
    """What use cases, event handlers and timers write through. Made by `Database.transaction`.

    Attributes:
        now: the moment the transaction began, the one time for everything it writes.
        call: who acts, why, in which trace.
    """

    def __init__(self, db: Database, connection: Any, call: Call) -> None:
        self.db = db
        self.call = call
        self.now: datetime = db.clock.now()
        self.id = ids.uuid7(self.now)  # the id of the audit row: the cause of the facts, and the key of the outcome
        self.correlation_id = call.correlation_id or str(self.id)
        self.consistency_token = ""
        self._connection = connection
        self._begun = False
        self._deferred: tuple[Statement[Any], Sequence[Any]] | None = None
        self._facts: list[dict[str, Any]] = []
        self._timers: dict[tuple[str, str], dict[str, Any]] = {}
        self._responses: list[StoredResponse] = []
        self._after_commit: list[Callable[[], None]] = []

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
        self.consistency_token = f"{self.db.service}:{event_id}"
        return event_id

    def store_response(self, response: StoredResponse) -> None:
        """Keep the answer for a request id, so that a repeat gets the same one."""
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
        """Write what is to be written and commit, shielded from the caller going away."""
        finishing = asyncio.ensure_future(self._commit())
        try:
            await asyncio.shield(finishing)
        except asyncio.CancelledError:
            await asyncio.wait([finishing])
            raise

    async def rollback(self) -> None:
        """Undo everything. A broken connection has undone it already."""
        if self._begun and not self._connection.is_closed():
            await asyncio.shield(self._connection.execute("ROLLBACK"))

    def announce(self) -> None:
        """After the commit: wake the relay and run the actions that waited for it."""
        if self._facts:
            self.db.published()
        for action in self._after_commit:
            action()

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
        failpoints.hit("after_commit")

    async def _close(self) -> None:
        """Send the last deferred write, facts, timers, stored responses and audit row as one statement."""
        parts: list[tuple[Statement[Any], Sequence[Any]]] = [self._deferred] if self._deferred else []
        self._deferred = None
        if self._facts:
            parts.append((_OUTBOX, _OUTBOX.arguments(_columns(_OUTBOX, self._facts))))
        if self._timers:
            parts.append((_TIMERS, _TIMERS.arguments(_columns(_TIMERS, list(self._timers.values())))))
        if self._responses:
            rows = [
                {
                    "request_id": r.request_id,
                    "method": r.method,
                    "request_hash": r.request_hash,
                    "response": r.response,
                    "consistency_token": self.consistency_token,
                    "at": self.now,
                }
                for r in self._responses
            ]
            parts.append((_IDEMPOTENCY, _IDEMPOTENCY.arguments(_columns(_IDEMPOTENCY, rows))))
        parts.append((_AUDIT, _AUDIT.arguments(self._audit_row())))
        sql = _combined(tuple(statement for statement, _ in parts))
        args = [argument for _, arguments in parts for argument in arguments]
        with sql_span(parts[0][0]):
            await self._connection.fetch(sql, *args)

    def _audit_row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "at": self.now,
            "actor": self.call.principal.subject,
            "department": self.call.principal.department,
            "what": self.call.what,
            "request_id": self.call.request_id,
            "cause_id": self.call.cause_id,
            "correlation_id": self.correlation_id,
            "traceparent": self.call.traceparent,
            "resources": list(dict.fromkeys(fact["resource"] for fact in self._facts)),
        }

    async def _is_committed(self) -> bool:
        """Whether the transaction whose commit got no answer took effect. The audit row tells."""
        try:
            return await _AUDITED.maybe(self.db, id=self.id) is not None
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            from chassis.db.database import unavailable

            raise unavailable() from error


def _columns(statement: Bulk[Any], rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in statement.columns}


_COMBINED: dict[tuple[Statement[Any], ...], str] = {}


def _combined(statements: tuple[Statement[Any], ...]) -> str:
    """One statement that does what `statements` do, their parameters one after another."""
    sql = _COMBINED.get(statements)
    if sql is None:
        *firsts, last = statements
        parts, offset = [], 0
        for statement in statements:
            parts.append(_renumbered(statement.sql, offset))
            offset += len(statement.binds)
        ctes = ", ".join(f"part{i} AS ({part})" for i, part in enumerate(parts[:-1]))
        sql = _COMBINED[statements] = f"WITH {ctes} {parts[-1]}" if firsts else last.sql
    return sql


def _renumbered(sql: str, offset: int) -> str:
    import re

    return re.sub(r"\$(\d+)", lambda match: f"${int(match[1]) + offset}", sql)
