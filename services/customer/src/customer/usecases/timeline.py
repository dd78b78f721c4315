"""Recording interactions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis import ids
from chassis.context import Call
from chassis.db.statement import arrays, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, Refusal, invalid
from chassis.facts import fact_of
from chassis.telemetry.tracing import trace_id
from customer.domain.attachments import Attachment
from customer.domain.facts import InteractionRecorded
from customer.domain.timeline import INTERACTION, Channel, Direction, ShownEntry
from customer.names import ATTACHMENT, CUSTOMER, DEPARTMENT
from customer.store.attachments import attachments_of
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
    attachment_ids: list[tuple[UUID, UUID]]


async def record_interactions(
    tx: Transaction, commands: Sequence[RecordInteraction], calls: Sequence[Call]
) -> list[ShownEntry | Refusal]:
    """Put contacts on their customers' timelines, each as its own caller.

    NotFound stands in the place of one whose customer or attachment is unknown, InvalidArgument
    OTHER_CUSTOMER, FailedPrecondition ATTACHMENT_DELETED; nothing is written for it.
    """
    asked = {command.customer_id for command in commands}
    known = {row["id"] for row in await STAYING_CUSTOMERS.all(tx, ids=list(asked))}
    files = await attachments_of(tx, (pair for command in commands for pair in command.attachment_ids))
    recorded: list[ShownEntry | Refusal] = []
    for command, call in zip(commands, calls, strict=True):
        try:
            entry = _entry(tx, command, call, known, files)
        except Refusal as refusal:
            recorded.append(refusal)
            continue
        tx.act(call)
        tx.record(fact_of(InteractionRecorded, entry), version=1)
        recorded.append(entry)
    entries = [entry for entry in recorded if isinstance(entry, ShownEntry)]
    if entries:
        await tx.defer(INSERT_ENTRIES, **arrays(INSERT_ENTRIES.columns, entries))
    return recorded


async def record_batch(tx: Transaction, *, requests: list[RecordInteraction]) -> list[ShownEntry]:
    """Put several contacts on their customers' timelines, all or none: what refuses one refuses all."""
    recorded = []
    for each in await record_interactions(tx, requests, [tx.call] * len(requests)):
        if isinstance(each, Refusal):
            raise each
        recorded.append(each)
    return recorded


def _entry(
    tx: Transaction,
    command: RecordInteraction,
    call: Call,
    known: Collection[UUID],
    files: Mapping[tuple[UUID, UUID], Attachment],
) -> ShownEntry:
    """NotFound, OTHER_CUSTOMER, ATTACHMENT_DELETED."""
    if command.customer_id not in known:
        raise NotFound(CUSTOMER.format(command.customer_id))
    department = call.principal.department
    return ShownEntry(
        id=ids.uuid7(tx.now),
        event_type=INTERACTION,
        service=tx.db.service,
        department=DEPARTMENT.format(department) if department else "",
        actor=call.principal.subject,
        trace_id=trace_id(call.traceparent),
        files=[each.of_entry() for each in _files(command, files)],
        **values(command)
        | {
            "occur_time": command.occur_time or tx.now,
            "attachment_ids": " ".join(dict.fromkeys(str(each) for _, each in command.attachment_ids)),
        },
    )


def _files(command: RecordInteraction, files: Mapping[tuple[UUID, UUID], Attachment]) -> Iterator[Attachment]:
    """What is attached, each once. NotFound, OTHER_CUSTOMER, ATTACHMENT_DELETED."""
    for pair in dict.fromkeys(command.attachment_ids):
        if pair[0] != command.customer_id:
            told = f"must be of {CUSTOMER.format(command.customer_id)}, with whom the contact is recorded"
            raise invalid("timeline_entry.attachments", "OTHER_CUSTOMER", told)
        if pair not in files:
            raise NotFound(ATTACHMENT.format(*pair))
        files[pair].require_there()
        yield files[pair]
