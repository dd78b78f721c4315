"""What webhooks brought, and what becomes of it: tables of the entities that they hold."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement, values
from chassis.db.tables import table, updated
from chassis.db.transaction import Transaction
from chassis.work import enqueue

RECORD = "webhook-record"  # the kind of work
RINGS = timedelta(minutes=2)  # nobody lets a telephone ring for longer
USEFUL = timedelta(days=365)  # for so long it is tried to record a contact
READ_OF_A_CALL = 500  # of what is told of one call: each event that comes reads those before it
KNOWN_DAYS = 400  # for so long a repeat is known to be one
_METADATA = sa.MetaData()


class State(StrEnum):
    """What became of a contact."""

    RECEIVED = "RECEIVED"  # it is still to be recorded
    RECORDED = "RECORDED"  # it is on a timeline
    WAITING = "WAITING"  # a person has to say whose it is
    NOT_UNDERSTOOD = "NOT_UNDERSTOOD"
    DROPPED = "DROPPED"  # a person said that it is none, or nobody decided


UNDECIDED = (State.WAITING, State.NOT_UNDERSTOOD)


@dataclass(slots=True)
class Received:
    """What becomes one contact on a timeline: a webhook, or all that came about one call."""

    id: UUID  # made of the source and the sender's id; of a call, of the source and the call's
    source: str
    kind: str
    receive_time: datetime
    update_time: datetime
    state: State = State.RECEIVED
    reason_code: str = ""  # why it waits or was not understood; empty otherwise
    problems: list[str] = field(default_factory=list)  # what cannot be understood, by field; never a value
    candidates: list[str] = field(default_factory=list)  # the customers who may be meant, `customers/{uuid}`
    customer: str = ""  # whose a person said it is, or on whose timeline it is, or may be already
    # The entry of the timeline; empty of one whose answer was lost and that was to say more since.
    entry: str = ""
    words: str = ""  # what it says, for a person who decides. Personal: it goes with the payload.
    caller: str = ""  # who calls, while it rings. Personal, as above.
    # The codes of the agents at whom it rings, and of who answered, until it is over.
    ringing: list[str] = field(default_factory=list)
    ring_time: datetime | None = None
    talking: list[str] = field(default_factory=list)  # of these, who answered
    forgotten: bool = False  # whether what is personal in it was let go of
    round: int = 1  # how often it was given to be recorded: by its sender, then by a person
    decided_by: str = ""  # who decided, and why it was dropped
    note: str = ""

    @property
    def key(self) -> str:
        """What the work of recording it is known by: another with each round, for ended work stays ended."""
        return f"{self.id}.{self.round}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it came."""

    id: UUID  # made of the source and the sender's id
    received: UUID  # what it is part of
    receive_time: datetime
    payload: bytes = field(repr=False)  # what of the body is kept; empty when its time is over


RECEIVED = table(_METADATA, "received", Received)
DELIVERIES = table(_METADATA, "deliveries", Delivery)

_BY_ID = sa.select(RECEIVED).where(RECEIVED.c.id == sa.bindparam("id"))
GET = Statement(_BY_ID, row=Received)
LOCK = Statement(_BY_ID.with_for_update(), row=Received)
UPDATE = Statement[None](updated(RECEIVED))
INSERT = Statement[None](insert(RECEIVED).on_conflict_do_nothing())
INSERT_DELIVERY = Statement[Any](insert(DELIVERIES).on_conflict_do_nothing().returning(DELIVERIES.c.id))
_DELIVERIES_OF = (
    sa.select(DELIVERIES)
    .where(DELIVERIES.c.received == sa.bindparam("received"))
    .order_by(DELIVERIES.c.receive_time, DELIVERIES.c.id)
)
DELIVERIES_OF = Statement(_DELIVERIES_OF.limit(READ_OF_A_CALL), row=Delivery)
FIRST_DELIVERY = Statement(_DELIVERIES_OF.limit(1), row=Delivery)
_AGENT = sa.bindparam("agent", type_=sa.Text)
_RECEIVED: sa.ColumnElement[str] = sa.literal_column(f"'{State.RECEIVED}'")
RINGING = Statement(
    sa.select(RECEIVED).where(
        sa.text("ringing <> '{}'"),  # written out: the index is of these alone
        sa.any_(RECEIVED.c.ringing) == _AGENT,
        sa.or_(
            RECEIVED.c.ring_time > sa.bindparam("since"),
            sa.and_(sa.any_(RECEIVED.c.talking) == _AGENT, RECEIVED.c.state == _RECEIVED),
        ),
    ),
    row=Received,
)
_OPEN = RECEIVED.c.state.in_([sa.literal_column(f"'{state}'") for state in UNDECIDED])
LIST_UNDECIDED = Statement(
    sa.select(RECEIVED)
    .where(
        _OPEN,
        sa.tuple_(RECEIVED.c.receive_time, RECEIVED.c.id)
        > sa.tuple_(sa.bindparam("after", type_=sa.DateTime(True)), sa.bindparam("id", type_=sa.Uuid)),
    )
    .order_by(RECEIVED.c.receive_time, RECEIVED.c.id)
    .limit(sa.bindparam("most")),
    row=Received,
)
COUNT = Statement[Any](
    sa.select(
        RECEIVED.c.source,
        RECEIVED.c.kind,
        RECEIVED.c.state,
        sa.func.count().label("count"),
        sa.func.min(RECEIVED.c.receive_time).label("oldest"),
    )
    .where(RECEIVED.c.state.in_([sa.literal_column(f"'{s}'") for s in (State.RECEIVED, *UNDECIDED)]))
    .group_by(RECEIVED.c.source, RECEIVED.c.kind, RECEIVED.c.state)
)
_SETTLED = RECEIVED.c.state.in_([sa.literal_column(f"'{s}'") for s in (State.RECORDED, State.DROPPED)])
_PAST = (
    sa.select(RECEIVED.c.id)
    .where(_SETTLED, RECEIVED.c.update_time < sa.bindparam("before"))
    .order_by(RECEIVED.c.update_time)
    .limit(sa.bindparam("most"))
)
_TO_FORGET = _PAST.where(sa.not_(RECEIVED.c.forgotten)).with_for_update(skip_locked=True).cte("past")
_EMPTIED = sa.update(DELIVERIES).where(DELIVERIES.c.received.in_(sa.select(_TO_FORGET))).values(payload=b"")
FORGET = Statement[Any](
    sa.update(RECEIVED)
    .where(RECEIVED.c.id.in_(sa.select(_TO_FORGET)))
    .values(words="", caller="", forgotten=True)
    .add_cte(_EMPTIED.cte("emptied"))
    .returning(RECEIVED.c.id)
)
DELETE = Statement[Any](
    sa.delete(RECEIVED).where(RECEIVED.c.id.in_(_PAST)).returning(RECEIVED.c.id)
)  # with its deliveries
_UNWANTED = (
    sa.select(RECEIVED.c.id)
    .where(
        _OPEN,
        RECEIVED.c.receive_time < sa.bindparam("before"),  # which the index knows; it waits since the second
        RECEIVED.c.update_time < sa.bindparam("before"),
    )
    .order_by(RECEIVED.c.receive_time)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
DROP_UNDECIDED = Statement[Any](
    sa.update(RECEIVED)
    .where(RECEIVED.c.id.in_(_UNWANTED))
    .values(
        state=State.DROPPED,
        decided_by=sa.bindparam("by", type_=sa.Text),
        note="nobody decided",
        update_time=sa.bindparam("now", type_=sa.DateTime(True)),
    )
    .returning(RECEIVED.c.source, RECEIVED.c.kind)
)
AIM = Statement[Any](
    sa.update(RECEIVED)
    .where(RECEIVED.c.id == sa.bindparam("key"), RECEIVED.c.state == _RECEIVED)
    .values(customer=sa.bindparam("whose", type_=sa.Text))
    .returning(RECEIVED.c.id)
)


async def save(tx: Transaction, received: Received) -> None:
    received.update_time = tx.now
    await UPDATE.run(tx, **values(received))


async def queue(tx: Transaction, received: Received, wait: timedelta = timedelta()) -> None:
    await enqueue(tx, RECORD, received.key, due_at=tx.now + wait, expire_at=received.receive_time + USEFUL)


async def again(tx: Transaction, received: Received, by: str, customer: str = "") -> bool:
    """Have what waits, or was not understood, recorded as somebody decided. False when others were faster.

    It is locked in `tx`. `by` is `agent:alice`; without a `customer` it is tried to find out whose it is.
    """
    if received.state not in UNDECIDED:
        return False
    received.state, received.reason_code, received.problems = State.RECEIVED, "", []
    received.customer, received.decided_by, received.round = customer, by, received.round + 1
    await save(tx, received)
    await queue(tx, received)
    return True


async def drop(tx: Transaction, received: Received, by: str, note: str) -> bool:
    """Record nothing of it, for the reason in `note`. False when others were faster."""
    if received.state not in UNDECIDED:
        return False
    received.state, received.decided_by, received.note = State.DROPPED, by, note
    await save(tx, received)
    return True
