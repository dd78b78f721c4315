"""The transaction of an event: inbox first, then the handler. Committed together, or not at all."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import DecodeError

from chassis import failpoints
from chassis.context import Call, current_call, service_itself
from chassis.db.database import Database
from chassis.db.schema import INBOX, PARKED
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among
from chassis.db.transaction import Transaction
from chassis.errors import Malformed
from chassis.events import envelope, registry
from chassis.events.envelope import Event
from chassis.inbox.pull import Kept
from chassis.inbox.subscription import Subscription
from chassis.telemetry import tracing

# One event waits no longer for a lock: it is set aside, and those about others are not held up.
LOCK_TIMEOUT_MS = 100
AHEAD_MAX = timedelta(days=1)  # no clock is that wrong, and what is latest must be so for no longer

_INBOX = Bulk[Any](INBOX, lambda rows: rows.on_conflict_do_nothing().returning(INBOX.c.event_id))
_APPLIED = Statement[None](
    sa.delete(PARKED).where(among(PARKED.c.event_id, "ids"), PARKED.c.consumer == sa.bindparam("consumer"))
)


class _Repeated(Exception):
    """The inbox has the event: roll back, there is nothing to do."""


class Effect:
    """Applies events to the database, each once."""

    def __init__(self, db: Database, subscription: Subscription) -> None:
        self._db = db
        self._subscription = subscription
        self._principal = service_itself(db.service)

    async def of_one(self, message: Kept) -> None:
        """Handle one event in a transaction of its own. Malformed, or what the handler raises."""
        event = self._parse(message)
        durable, source = self._subscription.durable, self._subscription.source
        with tracing.process_span(source, durable, event.traceparent, self._age_s(event)):
            await self._commit([event], Call(
                durable, self._principal, cause_id=event.id, correlation_id=event.correlation_id,
                traceparent=tracing.carried(event.traceparent),
            ), LOCK_TIMEOUT_MS)  # fmt: skip

    async def of_batch(self, messages: Sequence[Kept]) -> None:
        """Handle the events of a batch in one transaction."""
        events = list({event.id: event for event in map(self._parse, messages)}.values())
        durable, source = self._subscription.durable, self._subscription.source
        with tracing.batch_span(source, durable, [event.traceparent for event in events]):
            await self._commit(events, Call(durable, self._principal, traceparent=tracing.carried()))

    async def _commit(self, events: list[Event[Any]], call: Call, lock_timeout_ms: int | None = None) -> None:
        token = current_call.set(call)
        try:
            async with self._db.background, self._db.transaction(lock_timeout_ms) as tx:
                rows = await _INBOX.rows(tx, [self._inbox_row(event) for event in events])
                new = {row["event_id"] for row in rows}
                if not new:
                    raise _Repeated
                failpoints.hit("consumer.after_inbox")
                # Set aside or given up on before, and told again: it is missing no more.
                await _APPLIED.run(tx, ids=list(new), consumer=self._subscription.durable)
                await self._handle(tx, [event for event in events if event.id in new])
        except _Repeated:
            return
        finally:
            current_call.reset(token)
        failpoints.hit("consumer.before_ack")

    async def _handle(self, tx: Transaction, events: list[Event[Any]]) -> None:
        if self._subscription.batch:
            await self._subscription.batch(tx, events)
        else:
            for event in events:
                await self._subscription.handler(event.type)(tx, event)

    def _parse(self, message: Kept) -> Event[Any]:
        try:
            event = envelope.parse(message.headers, message.body, self._subscription.messages)
        except (KeyError, ValueError, DecodeError) as error:
            raise Malformed(_what(error)) from error
        if not self._subscription.hears(event.type):
            raise Malformed("a type that nobody handles")
        source = self._subscription.source
        if event.source != source or not registry.may_tell(source, event.type):
            raise Malformed("an event in another service's name")
        if event.time > self._db.clock.now() + AHEAD_MAX:
            raise Malformed("an event of the future")
        return event

    def _inbox_row(self, event: Event[Any]) -> dict[str, Any]:
        return {c.name: getattr(event, c.name, None) for c in INBOX.columns} | {
            "event_id": event.id,
            "consumer": self._subscription.durable,
            "source": "" if event.source == self._db.service else event.source,
        }

    def _age_s(self, event: Event[Any]) -> float:
        return (self._db.clock.now() - event.time).total_seconds()


def _what(error: Exception) -> str:
    """The type of an error, and of a missing attribute the name: what it has is not told."""
    return f"without {error.args[0]}" if isinstance(error, KeyError) else type(error).__name__
