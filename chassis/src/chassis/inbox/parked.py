"""Events set aside: kept in the database and acknowledged, so that one that fails holds up no other.

An event asked for again later stays among the broker's unacknowledged ones, of which there may be 256; a few
hundred of them would keep everybody else's from being delivered. So whatever is not applied at its first
delivery waits here, and is tried again from here: after 1, 2, 4 ... 300 seconds, until it is applied or given
up on: a dead letter, for people to replay or drop (`chassis.operations`). An event of a type that this
release does not know waits here for the release that does, and is tried by that one alone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import sqlalchemy as sa
import structlog

from chassis import backoff
from chassis.db.database import Database
from chassis.db.schema import PARKED
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among
from chassis.errors import Malformed, Refusal
from chassis.events.shown import CUSTOMER
from chassis.inbox.pull import Kept, id_in
from chassis.inbox.subscription import Subscription
from chassis.judgement import Judgement, judge
from chassis.telemetry.metrics import CONSUMED
from chassis.timeouts import woken

UNKNOWN_ATTEMPTS = 10
CLAIM = timedelta(seconds=60)  # longer than any attempt lasts
IDLE_S = 1.0
TEXT_MAX = 300  # characters of an attribute that names something; what is longer names nothing

_log = structlog.get_logger()
_P = PARKED.c
_ONE = (_P.event_id == sa.bindparam("event_id"), _P.consumer == sa.bindparam("consumer"))
_AGAIN = ("state", "headers", "data", "transaction_id", "attempts", "error", "reason", "due_at")
_KEEP = Bulk[Any](
    PARKED,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["event_id", "consumer"], set_={name: insert.excluded[name] for name in _AGAIN}
    ),
)
# Those of types that another release knows are for that one, whatever became of them there.
_MINE = (
    _P.consumer == sa.bindparam("consumer"),
    _P.state == sa.literal_column("'PARKED'"),  # written out, to match the partial index
    sa.or_(sa.bindparam("every", type_=sa.Boolean), among(_P.type, "types"), _P.type == ""),
)
_DUE = Statement[Any](sa.select(sa.func.min(_P.due_at).label("due_at")).where(*_MINE))
_claimed = (
    sa.select(_P.event_id)
    .where(*_MINE, _P.due_at <= sa.bindparam("now"))
    .order_by(_P.due_at)
    .limit(sa.literal_column("1"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()  # asked once: what is IN a query may be asked for each row, and claims them all
)
_TAKE = Statement[Any](
    sa.update(PARKED)
    .where(_P.consumer == sa.bindparam("consumer"), _P.event_id == _claimed)
    .values(due_at=sa.bindparam("until"), attempts=_P.attempts + sa.literal_column("1"))
    .returning(PARKED)
)
_FORGET = Statement[Any](sa.delete(PARKED).where(*_ONE))


class Parked:
    """What one consumer has set aside."""

    def __init__(self, db: Database, subscription: Subscription) -> None:
        self._db = db
        self._subscription = subscription
        self._durable = subscription.durable
        self._added = asyncio.Event()

    async def keep_raw(self, deliveries: Sequence[Kept]) -> None:
        """Keep events of types that this release does not know. Raises what the database raises."""
        _log.warning("events of an unknown type are kept", durable=self._durable, events=len(deliveries))
        rows = {row["event_id"]: row for row in (self._row(each, None) for each in deliveries)}
        await _KEEP.rows(self._db, list(rows.values()))
        CONSUMED.labels(self._durable, "unknown").inc(len(rows))

    async def keep(self, kept: Kept, error: Exception) -> None:
        """Keep an event that could not be applied, or give up on it when no other try can help.

        Raises what the database raises.
        """
        judgement = judge(error)
        unknown = judgement in (Judgement.UNKNOWN, Judgement.DOWN)  # the database is not down: we write to it
        hopeless = judgement is Judgement.POISON or (unknown and kept.attempts >= UNKNOWN_ATTEMPTS)
        row = self._row(kept, error)
        if hopeless:
            row["state"] = "DEAD"
        await _KEEP.rows(self._db, [row])
        CONSUMED.labels(self._durable, "given_up" if hopeless else "parked").inc()
        if hopeless:
            _log.error(
                "an event is given up on", durable=self._durable, event_id=str(kept.event_id),
                error=row["error"], reason=row["reason"], attempts=kept.attempts, exc_info=error,
            )  # fmt: skip
        else:
            _log.warning(
                "an event is tried again later", durable=self._durable, event_id=str(kept.event_id),
                attempts=kept.attempts, error=type(error).__name__,
                exc_info=error if unknown else None,
            )  # fmt: skip
        self._added.set()

    async def take(self) -> Kept | None:
        """One that is due, to be tried now: others are for other hands. Waits a second at most for one."""
        due_at = (await _DUE.one(self._db, **self._mine()))["due_at"]
        now = datetime.now(UTC)
        if due_at is not None and due_at <= now:
            row = await _TAKE.maybe(self._db, **self._mine(), now=now, until=now + CLAIM)
            if row is not None:
                return Kept(row["event_id"], row["subject"], row["headers"], row["data"], row["attempts"])
            due_at = None  # in other hands
        wait_s = IDLE_S if due_at is None else min(IDLE_S, (due_at - now).total_seconds())
        await woken(self._added, wait_s)
        self._added.clear()
        return None

    async def forget(self, event_id: UUID) -> None:
        """It is applied."""
        await _FORGET.run(self._db, event_id=event_id, consumer=self._durable)

    def _mine(self) -> dict[str, Any]:
        return {
            "consumer": self._durable,
            "types": list(self._subscription.messages),
            "every": bool(self._subscription.patterns),
        }

    def _row(self, kept: Kept, error: Exception | None) -> dict[str, Any]:
        headers = kept.headers
        now = datetime.now(UTC)  # how long to wait for another try is no business time, which tests own
        return {
            "event_id": kept.event_id,
            "consumer": self._durable,
            "state": "PARKED",
            "source": self._subscription.source,
            "subject": kept.subject,
            "type": _text(headers, "ce-type"),
            "resource": _text(headers, "ce-subject"),
            "customer": _text(headers, CUSTOMER),
            "transaction_id": id_in(headers, "ce-transactionid"),
            "headers": {_storable(name): _storable(value) for name, value in headers.items()},
            "data": kept.body,
            "attempts": kept.attempts,
            "error": _words(error) if error else "",
            "reason": error.reason if isinstance(error, Refusal) else "",
            "parked_at": self._db.clock.now(),
            "due_at": now + timedelta(seconds=backoff.RETRIES.wait(kept.attempts)) if error else now,
        }


def _text(headers: Mapping[str, str], name: str) -> str:
    """An attribute as it is shown to whoever looks what was set aside: a row, and a view, can hold it."""
    return _storable(unquote(headers.get(name, "")))[:TEXT_MAX]


def _words(error: Exception) -> str:
    """The type of an error; of an event that is none, which says nothing of what it holds, also its words."""
    name = type(error).__name__
    return f"{name}: {error}"[:TEXT_MAX] if isinstance(error, Malformed) else name


def _storable(text: str) -> str:
    """The text with what the database cannot hold written out: a NUL, and bytes that are not UTF-8."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
