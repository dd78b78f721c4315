"""What webhooks brought: deliveries as they came, and the contacts that they make up."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement, values
from chassis.db.tables import updated
from chassis.db.transaction import Transaction
from chassis.work import enqueue
from desk.store.received import UNDECIDED, Delivery, Received, State
from desk.store.tables import DELIVERIES, RECEIVED

RECORD = "webhook-record"  # the kind of work
RINGS = timedelta(minutes=2)  # nobody lets a telephone ring for longer
USEFUL = timedelta(days=365)  # for so long it is tried to record a contact
FORGET = timedelta(days=400)  # for so long a repeat is known to be one


_BY_ID = sa.select(RECEIVED).where(RECEIVED.c.id == sa.bindparam("id"))
GET = Statement(_BY_ID, row=Received)
LOCK = Statement(_BY_ID.with_for_update(), row=Received)
UPDATE = Statement[None](updated(RECEIVED))
INSERT = Statement[None](insert(RECEIVED).on_conflict_do_nothing())
INSERT_DELIVERY = Statement[Any](insert(DELIVERIES).on_conflict_do_nothing().returning(DELIVERIES.c.id))
DELIVERIES_OF = Statement(
    sa.select(DELIVERIES)
    .where(DELIVERIES.c.received == sa.bindparam("received"))
    .order_by(DELIVERIES.c.receive_time, DELIVERIES.c.id),
    row=Delivery,
)
RINGING = Statement(
    sa.select(RECEIVED).where(
        sa.text("ringing <> '{}'"),  # written out: the index is of these alone
        sa.bindparam("agent", type_=sa.Text) == sa.any_(RECEIVED.c.ringing),
        sa.or_(
            RECEIVED.c.ring_time > sa.bindparam("since"),
            sa.and_(RECEIVED.c.answered, RECEIVED.c.state == sa.literal_column(f"'{State.RECEIVED}'")),
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
_EMPTIED = (
    sa.update(RECEIVED)
    .where(RECEIVED.c.id.in_(_PAST.where(sa.or_(RECEIVED.c.words != "", RECEIVED.c.caller != ""))))
    .values(words="", caller="")
)
EMPTY_WORDS = Statement[Any](_EMPTIED.returning(RECEIVED.c.id))
EMPTY_PAYLOADS = Statement[Any](
    sa.update(DELIVERIES)
    .where(
        DELIVERIES.c.id.in_(
            sa.select(DELIVERIES.c.id)
            .join(RECEIVED, RECEIVED.c.id == DELIVERIES.c.received)
            .where(_SETTLED, RECEIVED.c.update_time < sa.bindparam("before"), DELIVERIES.c.payload != b"")
            .limit(sa.bindparam("most"))
        )
    )
    .values(payload=b"")
    .returning(DELIVERIES.c.id)
)
DELETE = Statement[Any](
    sa.delete(RECEIVED).where(RECEIVED.c.id.in_(_PAST)).returning(RECEIVED.c.id)
)  # with its deliveries


async def save(tx: Transaction, received: Received) -> None:
    """Keep it as it is now."""
    received.update_time = tx.now
    await UPDATE.run(tx, **values(received))


async def queue(tx: Transaction, received: Received, wait: timedelta = timedelta()) -> None:
    """Have it recorded."""
    await enqueue(tx, RECORD, received.key, due_at=tx.now + wait, expire_at=received.receive_time + USEFUL)


async def again(tx: Transaction, received: Received, by: str, customer: str = "") -> bool:
    """Have what waits, or was not understood, recorded as somebody decided. False when others were faster.

    Args:
        tx: the transaction, in which `received` is locked.
        received: as it is stored.
        by: who decides, `agent:alice`.
        customer: whose it is; empty for another attempt to find out.

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
