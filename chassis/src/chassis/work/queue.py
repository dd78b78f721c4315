"""The statements of the work table, and what use cases call."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis import ids
from chassis.db.schema import WORK
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among
from chassis.db.transaction import Transaction
from chassis.work.item import State, Work

RANKS = 3  # 0 goes first
OVERDUE_AT_ONCE = 20
ASIDE = timedelta(minutes=1)

_NOW = sa.func.clock_timestamp()  # leases are kept by the database's clock: processes disagree about the time
_LEASE = _NOW + sa.bindparam("lease", type_=sa.Interval)
# Written out, not bound: else a plan for any value could not use the partial indexes.
_IS = {state: WORK.c.state == sa.literal_column(f"'{state}'") for state in State}
_KINDS = among(WORK.c.kind, "kinds")
_THIS = WORK.c.id == sa.bindparam("work")
_OURS = (_THIS, WORK.c.attempt == sa.bindparam("at_attempt"), _IS[State.CLAIMED], WORK.c.lease_until > _NOW)
_NO_DOUBT = WORK.c.unknown == sa.cast([], sa.ARRAY(sa.Integer))
MOVED = ("state", "failures", "due_at", "lease_until", "unknown", "code", "alarm", "ended_at")

_ENQUEUE = Bulk[None](
    WORK,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["kind", "key"],
        # What is under way goes on. What comes after it is something new, unless it says the same again.
        set_={c: insert.excluded[c] for c in ("due_at", "expire_at", "repeats", "rank")}
        | {"fingerprint": sa.case((_IS[State.HANDING_OVER], WORK.c.fingerprint), else_=""), "failures": 0},
        where=WORK.c.ended_at.is_(None),
    ),
    columns=[c.name for c in WORK.columns if c.server_default is None and not c.nullable] + ["rank"],
)
_CANCEL = Statement[None](
    sa.update(WORK)
    .where(
        WORK.c.kind == sa.bindparam("of_kind"),
        WORK.c.key == sa.bindparam("of_key"),
        sa.or_(_IS[State.PENDING], _IS[State.CLAIMED]),
    )
    .values(
        # What may have been done already is not said to be undone.
        state=sa.case((_NO_DOUBT, State.CANCELLED), else_=State.UNKNOWN),
        alarm=False,
        lease_until=sa.null(),
        ended_at=sa.bindparam("at"),
    )
)
_BRING_FORWARD = Statement[None](
    sa.update(WORK)
    .where(
        WORK.c.kind == sa.bindparam("of_kind"),
        among(WORK.c.key, "keys"),
        sa.or_(_IS[State.PENDING], _IS[State.CLAIMED]),
    )
    # Whoever prepares it may have seen what was before, and would put it off: it is prepared anew.
    .values(
        state=State.PENDING,
        due_at=sa.func.least(WORK.c.due_at, sa.bindparam("at", type_=WORK.c.due_at.type)),
        lease_until=sa.null(),
    )
)
_REOPEN = Statement[Any](
    sa.update(WORK)
    .where(
        WORK.c.kind == sa.bindparam("of_kind"),
        WORK.c.key == sa.bindparam("of_key"),
        ~_IS[State.HANDING_OVER],
    )
    .values(
        state=State.PENDING,  # also when it is claimed: who prepares what was to be done finds its turn over
        lease_until=sa.null(),
        due_at=sa.bindparam("due", type_=WORK.c.due_at.type),
        expire_at=sa.bindparam("expire", type_=WORK.c.due_at.type),
        unknown=sa.cast([], sa.ARRAY(sa.Integer)),
        fingerprint="",
        failures=0,
        code="",
        alarm=False,
        ended_at=sa.null(),
    )
    .returning(WORK.c.id)
)
# Each rank by itself, so that what is due later in one is not walked over to reach another.
_RANKS = sa.func.generate_series(sa.text("0"), sa.text(str(RANKS - 1)))
_RANK = _RANKS.table_valued("rank", name="ranks").render_derived()
_DUE = (
    sa.select(WORK.c.id, WORK.c.due_at)
    .where(
        WORK.c.kind == sa.bindparam("of_kind"),
        WORK.c.rank == _RANK.c.rank,
        _IS[State.PENDING],
        WORK.c.due_at <= sa.bindparam("now"),
        WORK.c.expire_at > sa.bindparam("now"),
    )
    .order_by(WORK.c.due_at)
    .limit(sa.bindparam("free"))
    .with_for_update(skip_locked=True)
    .lateral("due")
)
_READY = (
    sa.select(_DUE.c.id)
    .select_from(_RANK.join(_DUE, sa.true()))
    .order_by(_RANK.c.rank, _DUE.c.due_at)
    .limit(sa.bindparam("free"))
    .scalar_subquery()
)
CLAIM = Statement(
    sa.update(WORK)
    .where(WORK.c.id == sa.any_(sa.func.array(_READY)))
    .values(state=State.CLAIMED, attempt=WORK.c.attempt + 1, lease_until=_LEASE)
    .returning(WORK),
    row=Work,
)
HAND_OVER = Statement[Any](
    sa.update(WORK)
    .where(*_OURS)
    .values(
        state=State.HANDING_OVER,
        fingerprint=sa.bindparam("of"),
        lease_until=_LEASE,
        repeats=sa.func.coalesce(sa.bindparam("repeats", type_=WORK.c.repeats.type), WORK.c.repeats),
    )
    .returning(WORK.c.id)
)
RENEW = Statement[Any](sa.update(WORK).where(*_OURS).values(lease_until=_LEASE).returning(WORK.c.id))
GET = Statement(sa.select(WORK).where(_THIS), row=Work)
LOCK = Statement(sa.select(WORK).where(_THIS).with_for_update(), row=Work)
MOVE = Statement[None](sa.update(WORK).where(_THIS).values({c: sa.bindparam(c) for c in MOVED}))
# A claim that died before it handed anything over is safe to begin again.
RELEASE = Statement[None](
    sa.update(WORK)
    .where(_KINDS, _IS[State.CLAIMED], WORK.c.lease_until <= _NOW)
    .values(state=State.PENDING, lease_until=sa.null())
)
LOST = Statement(
    sa.select(WORK)
    .where(_KINDS, _IS[State.HANDING_OVER], WORK.c.lease_until <= _NOW)
    .order_by(WORK.c.lease_until)
    .limit(OVERDUE_AT_ONCE),
    row=Work,
)
EXPIRED = Statement(
    sa.select(WORK)
    .where(
        _KINDS,
        _IS[State.PENDING],
        WORK.c.expire_at <= sa.bindparam("now"),
        sa.or_(WORK.c.lease_until.is_(None), WORK.c.lease_until <= _NOW),
    )
    .order_by(WORK.c.expire_at)
    .limit(OVERDUE_AT_ONCE),
    row=Work,
)
# What cannot be settled makes way for what can, and is shown.
SET_ASIDE = Statement[None](
    sa.update(WORK)
    .where(_THIS, sa.or_(_IS[State.HANDING_OVER], _IS[State.PENDING]))
    .values(lease_until=_NOW + ASIDE, alarm=True)
)
COUNT = Statement[Any](
    sa.select(WORK.c.kind, WORK.c.state, WORK.c.alarm, sa.func.count().label("count"))
    .where(_KINDS, WORK.c.ended_at.is_(None))
    .group_by(WORK.c.kind, WORK.c.state, WORK.c.alarm)
)


async def enqueue(
    tx: Transaction,
    kind: str,
    key: str,
    *,
    due_at: datetime,
    expire_at: datetime,
    repeats: int = 0,
    rank: int = 0,
) -> None:
    """Have the worker of `kind` see to `key` once, from `due_at` until it is of no more use at `expire_at`.

    Again for the same key, while that has not ended: something newer is to be done instead. `repeats` says
    how many attempts may follow one whose outcome is unknown: 0 prefers a possible silence to a possible
    repeat. Of what is due a lower `rank`, below `RANKS`, goes first.
    """
    await enqueue_all(
        tx, [entry(tx, kind, key, due_at=due_at, expire_at=expire_at, repeats=repeats, rank=rank)]
    )


def entry(
    tx: Transaction,
    kind: str,
    key: str,
    *,
    due_at: datetime,
    expire_at: datetime,
    repeats: int = 0,
    rank: int = 0,
) -> Mapping[str, Any]:
    """What `enqueue_all` takes, on behalf of the call that acts now. As of `enqueue`."""
    return {
        "id": ids.uuid7(tx.now),
        "kind": kind,
        "key": key,
        "due_at": due_at,
        "expire_at": expire_at,
        "repeats": repeats,
        "rank": rank,
        "correlation_id": tx.correlation_id,
        "causation_id": tx.call.cause_id or tx.id,
        "traceparent": tx.call.traceparent,
    }


async def enqueue_all(tx: Transaction, entries: Sequence[Mapping[str, Any]]) -> None:
    """As `enqueue`, of several, no two of them for the same key, at once."""
    await _ENQUEUE.rows(tx, entries)
    tx.after_commit(tx.db.on_work)


async def cancel(tx: Transaction, kind: str, key: str) -> None:
    """It need not be done any more. What is past the point of no return cannot be called back."""
    await _CANCEL.run(tx, of_kind=kind, of_key=key, at=tx.now)


async def reopen(tx: Transaction, kind: str, key: str, *, due_at: datetime, expire_at: datetime) -> bool:
    """Have something else done about what had ended, or waits, in another way: its attempts count on.

    Nothing of what was done before is in doubt: who reopens it knows. False while it is being handed over,
    and when it ended so long ago that it is kept no more.
    """
    found = await _REOPEN.maybe(tx, of_kind=kind, of_key=key, due=due_at, expire=expire_at)
    tx.after_commit(tx.db.on_work)
    return found is not None


async def bring_forward(tx: Transaction, kind: str, keys: Sequence[str]) -> None:
    """Do now what waits, whatever it waits for, and prepare anew what is being prepared.

    What is being handed over goes on.
    """
    await _BRING_FORWARD.run(tx, of_kind=kind, keys=keys, at=tx.now)
    tx.after_commit(tx.db.on_work)
