"""Recording interactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis import ids
from chassis.context import Call
from chassis.db.statement import arrays, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from chassis.telemetry.tracing import trace_id
from customer.domain.facts import InteractionRecorded
from customer.domain.timeline import INTERACTION, Channel, Direction, TimelineEntry
from customer.names import CUSTOMER, DEPARTMENT
from customer.store.tables import STAYING_CUSTOMERS
from customer.store.timeline import INSERT_ENTRIES


@dataclass(frozen=True, slots=True)
class RecordInteraction:
    """One contact. `occur_time` None means now."""

    customer_id: UUID
    channel: Channel
    direction: Direction
    topic: str
    summary: str
    resource: str
    reference: str
    occur_time: datetime | None
    outcome_code: str
    duration: timedelta | None


async def record_interactions(
    tx: Transaction, commands: Sequence[RecordInteraction], calls: Sequence[Call]
) -> list[TimelineEntry | NotFound]:
    """Put contacts on their customers' timelines, each as its own caller.

    NotFound stands in the place of one whose customer is unknown; nothing is written for it.
    """
    asked = {command.customer_id for command in commands}
    known = {row["id"] for row in await STAYING_CUSTOMERS.all(tx, ids=list(asked))}
    recorded: list[TimelineEntry | NotFound] = []
    for command, call in zip(commands, calls, strict=True):
        if command.customer_id not in known:
            recorded.append(NotFound(CUSTOMER.format(command.customer_id)))
            continue
        entry = _entry(tx, command, call)
        tx.act(call)
        tx.record(fact_of(InteractionRecorded, entry), version=1)
        recorded.append(entry)
    entries = [entry for entry in recorded if isinstance(entry, TimelineEntry)]
    if entries:
        await tx.defer(INSERT_ENTRIES, **arrays(INSERT_ENTRIES.columns, entries))
    return recorded


async def record_batch(tx: Transaction, *, requests: list[RecordInteraction]) -> list[TimelineEntry]:
    """Put several contacts on their customers' timelines, all or none. NotFound."""
    recorded = []
    for each in await record_interactions(tx, requests, [tx.call] * len(requests)):
        if isinstance(each, NotFound):
            raise each
        recorded.append(each)
    return recorded


def _entry(tx: Transaction, command: RecordInteraction, call: Call) -> TimelineEntry:
    department = call.principal.department
    return TimelineEntry(
        id=ids.uuid7(tx.now),
        event_type=INTERACTION,
        service=tx.db.service,
        department=DEPARTMENT.format(department) if department else "",
        actor=call.principal.subject,
        trace_id=trace_id(call.traceparent),
        **values(command) | {"occur_time": command.occur_time or tx.now},
    )
