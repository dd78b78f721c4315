"""What waits and what failed: the chassis' own tables, as operators and their metrics see them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import JSONB

from chassis.api.listing import Listing
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.db.schema import PARKED, TIMERS, WORK
from chassis.db.statement import Statement
from chassis.telemetry import metrics
from chassis.work.item import Work
from chassis.work.timers import Timer

EVERY_S = 15.0
OVERDUE: sa.ColumnElement[Any] = sa.literal_column("interval '1 minute'")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a consumer gave up on; headers and data only of one that is asked for."""

    event_id: UUID
    consumer: str
    subject: str
    type: str
    resource: str
    error: str
    reason: str
    attempts: int
    parked_at: datetime
    customer: str
    headers: dict[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class SetAside:
    """Events that a consumer could not apply, by what became of them; as the message of the same name."""

    consumer: str
    state: str
    error: str
    event_count: int


@dataclass(frozen=True, slots=True)
class WorkBacklog:
    """What waits of one kind of work; as the message of the same name."""

    kind: str
    alarm_count: int
    alarm_code: str
    unknown_count: int
    overdue_count: int


_P, _W, _NOW = PARKED.c, WORK.c, sa.func.now()
_ALL = [_P[name] for name in DeadLetter.__dataclass_fields__]
_ABSENT = {
    "headers": sa.literal_column("'{}'::jsonb", JSONB).label("headers"),
    "data": sa.literal_column("''::bytea", sa.LargeBinary).label("data"),
}
_IN_SHORT = [
    _ABSENT.get(name, column) for name, column in zip(DeadLetter.__dataclass_fields__, _ALL, strict=True)
]
_DEAD = _P.state == sa.literal_column("'DEAD'")
_OF = sa.bindparam("consumer", type_=sa.Text)
_THIS = (_P.consumer == sa.bindparam("consumer_id"), _P.event_id == sa.bindparam("id"), _DEAD)

_LETTERS = sa.select(*_IN_SHORT).where(_DEAD)
LIST_DEAD_LETTERS = Listing(_LETTERS, _P.parked_at, _P.event_id, row=DeadLetter)
LIST_DEAD_LETTERS_OF = Listing(_LETTERS.where(_P.consumer == _OF), _P.parked_at, _P.event_id, row=DeadLetter)
GET_DEAD_LETTER = Statement(sa.select(*_ALL).where(*_THIS), DeadLetter)
# As if it had just been delivered.
REPLAY = Statement(
    sa.update(PARKED).where(*_THIS).values(state="PARKED", attempts=0, due_at=_NOW).returning(*_ALL),
    DeadLetter,
)
DROP = Statement(sa.delete(PARKED).where(*_THIS).returning(*_ALL), DeadLetter)
GET_TIMER = Statement(sa.select(TIMERS).where(TIMERS.c.id == sa.bindparam("id")), Timer)
LIST_TIMERS = Listing(sa.select(TIMERS), TIMERS.c.due_at, TIMERS.c.id, row=Timer)
# Written out, to match the partial index.
_OPEN = sa.or_(_W.ended_at.is_(None), _W.state == sa.literal_column("'UNKNOWN'"))
GET_WORK = Statement(sa.select(WORK).where(_W.id == sa.bindparam("id")), Work)
LIST_WORK = Listing(sa.select(WORK).where(_OPEN), _W.id, row=Work)

_COUNT = sa.func.count


def _age(since: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """In seconds; 0 of nothing."""
    seconds = sa.cast(sa.extract("epoch", _NOW - since), sa.Float)
    return sa.func.coalesce(seconds, sa.literal_column("0.0"))


_ALIKE = (_P.consumer, _P.state, _P.error)
SET_ASIDE = Statement(
    sa.select(*_ALIKE, _COUNT().label("event_count")).group_by(*_ALIKE).order_by(*_ALIKE), SetAside
)
WORK_BY_KIND = Statement(
    sa.select(
        _W.kind,
        _COUNT().filter(_W.alarm).label("alarm_count"),
        sa.func.coalesce(sa.func.max(_W.code).filter(_W.alarm), "").label("alarm_code"),
        _COUNT()
        .filter(_W.state == "UNKNOWN", _W.ended_at > _NOW - sa.literal_column("interval '1 day'"))
        .label("unknown_count"),
        _COUNT().filter(_W.state == "PENDING", _W.due_at < _NOW - OVERDUE).label("overdue_count"),
    )
    .where(_OPEN)
    .group_by(_W.kind)
    .order_by(_W.kind),
    WorkBacklog,
)
OVERDUE_TIMERS = Statement[Any](
    sa.select(_COUNT().label("overdue"), _age(sa.func.min(TIMERS.c.due_at)).label("late_s")).where(
        TIMERS.c.due_at < _NOW - OVERDUE
    )
)
SET_ASIDE_IN_ALL = Statement[Any](
    sa.select(
        _P.consumer, _P.state, _COUNT().label("events"), _age(sa.func.min(_P.parked_at)).label("oldest_s")
    ).group_by(_P.consumer, _P.state)
)


async def measure(measurements: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Measure for ever, one after the other; one that fails costs the others nothing."""
    while True:
        for each in measurements:
            try:
                await each()
            except DATABASE_ERRORS as error:
                _log.warning("a measurement failed", what=repr(each), error=type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def count_backlog(db: Database) -> None:
    """Tell what is set aside and what is overdue: three statements, on indexes or few rows."""
    rows = await SET_ASIDE_IN_ALL.all(db)
    metrics.SET_ASIDE.replace({(row["consumer"], row["state"]): row["events"] for row in rows})
    metrics.SET_ASIDE_OLDEST.replace({(row["consumer"], row["state"]): row["oldest_s"] for row in rows})
    timers = await OVERDUE_TIMERS.one(db)
    metrics.TIMERS_OVERDUE.set(timers["overdue"])
    metrics.TIMERS_LATE.set(timers["late_s"])
    work = await WORK_BY_KIND.all(db)
    metrics.WORK_OVERDUE.replace({(row.kind,): row.overdue_count for row in work})
