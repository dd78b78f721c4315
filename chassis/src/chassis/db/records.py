"""What a transaction writes beside its effect: facts, timers, stored responses and audit rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis import consistency, ids
from chassis.context import Call
from chassis.db.schema import AUDIT, IDEMPOTENCY, TIMERS
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import rows_of

_AUDITED = [c.name for c in AUDIT.columns if c.name not in ("refused", "void")]
INSERT_AUDIT = Bulk[Any](AUDIT, columns=_AUDITED)
# Written again when no answer came.
INSERT_READINGS = Bulk[Any](
    AUDIT, lambda insert: insert.on_conflict_do_nothing(), columns=[*_AUDITED, "refused"]
)
INSERT_RESPONSES = Bulk[Any](IDEMPOTENCY)
UPSERT_TIMERS = Bulk[Any](
    TIMERS,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["kind", "key"],
        set_={
            c: insert.excluded[c] for c in ("id", "due_at", "correlation_id", "causation_id", "traceparent")
        }
        | {"attempts": 0},
    ),
    columns=[c.name for c in TIMERS.columns if c.name != "attempts"],
)
_GONE = rows_of("gone", kinds=sa.Text(), keys=sa.Text())
DELETE_TIMERS = Statement[Any](
    sa.delete(TIMERS).where(TIMERS.c.kind == _GONE.c.kinds, TIMERS.c.key == _GONE.c["keys"])
)
# The row of a transaction that never took effect, and by this row never can. Nothing is returned when there
# is one already.
VOID_AUDIT = Bulk[Any](
    AUDIT, lambda insert: insert.on_conflict_do_nothing().returning(AUDIT.c.id), columns=[*_AUDITED, "void"]
)


@dataclass(slots=True)
class StoredResponse:
    """The answer to keep for a request id, in the transaction that it answers."""

    request_id: UUID
    method: str
    request_hash: bytes
    response: bytes
    at: datetime
    consistency_token: str = ""


@dataclass(slots=True)
class Act:
    """What one call does in a transaction. It has an audit row and a consistency token of its own."""

    call: Call
    id: UUID  # the id of the audit row: the cause of the facts, and the key of the outcome
    correlation_id: str  # the flow it belongs to; begins one when the call belongs to none
    # What it is about: of facts, of what was touched, of what was answered.
    resources: dict[str, None] = field(default_factory=dict)
    told: list[consistency.Told] = field(default_factory=list)  # the facts it recorded, and their rows
    rows: list[dict[str, Any]] = field(default_factory=list)
    # Facts that another call recorded and that are this one's doing as well.
    shared: list[consistency.Told] = field(default_factory=list)
    reason_code: str = ""  # why the caller does it, a code; empty where nothing asks for it
    by_day: bool = False  # its audit row and facts say the day, and no more of when it was
    owner_checked: bool = False  # whether the caller's department was compared with the owner's

    def tell(self, row: dict[str, Any]) -> None:
        self.told.append(consistency.Told(row["type"], row["id"]))
        self.rows.append(row)
        self.resources[row["resource"]] = None

    def name_transaction(self) -> None:
        """Let the events carry the transaction when they are too many for the token to name."""
        if len(self.told) > consistency.NAMED_MAX:
            for row in self.rows:
                row["transaction_id"] = self.id


def audit_rows(acts: Iterable[Act], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": act.id,
            "at": ids.day(now) if act.by_day else now,
            "actor": act.call.principal.subject,
            "department": act.call.principal.department,
            "via": act.call.principal.via.subject if act.call.principal.via else "",
            "purpose": act.call.purpose,
            "what": act.call.what,
            "reason_code": act.reason_code,
            "request_id": act.call.request_id,
            "cause_id": act.call.cause_id,
            "correlation_id": act.correlation_id,
            "traceparent": act.call.traceparent,
            "resources": " ".join(act.resources),
        }
        for act in acts
    ]


def timer_calls(
    timers: Mapping[tuple[str, str], Any], cancelled: Iterable[tuple[str, str]]
) -> list[tuple[Statement[Any], list[Any]]]:
    """What sets timers and forgets others, each by kind and key, with its arguments."""
    calls = []
    if gone := sorted(cancelled):
        kinds, keys = zip(*gone, strict=True)
        calls.append((DELETE_TIMERS, DELETE_TIMERS.arguments({"kinds": kinds, "keys": keys})))
    if timers:
        calls.append(UPSERT_TIMERS.call([timers[key] for key in sorted(timers)]))
    return calls
