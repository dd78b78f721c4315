"""Why something is as it is: from a fact back, cause by cause, to a person's request or the clock.

What the outbox (14 days) and the inbox (30 days) have let go of is found in `causes`, for 400 days unless the
installation says otherwise (docs/adr/0038).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.api.actors import actor_name, service_name
from chassis.api.messages import timestamp
from chassis.db.database import Database
from chassis.db.schema import AUDIT, CAUSES, INBOX, OUTBOX
from chassis.db.statement import Statement
from chassis.errors import invalid
from chassis.telemetry.tracing import trace_id
from rapport.common.v1 import explanation_pb2

LINKS_MAX = 50

# By what a link is, the field of a cause that says what happened.
_WHAT = {"fact": "event_type", "event": "event_type", "request": "method", "timer": "timer_kind"}


@dataclass(frozen=True, slots=True)
class Foreign:
    """Where a chain goes on: an event of another service.

    Attributes:
        source: the service to ask.
        resource: what the event is about there.
        event_id: to ask with.
        cause: what is known of the event here, for when the other service cannot be asked.
    """

    source: str
    resource: str
    event_id: UUID
    cause: explanation_pb2.Cause


@dataclass(frozen=True, slots=True)
class Chain:
    """Causes, newest first, and where the chain goes on when that is in another service."""

    causes: list[explanation_pb2.Cause]
    continues: Foreign | None


_OURS = CAUSES.c.source == sa.literal_column("''")  # written out, to match the partial index


_VERSION = sa.bindparam("version", type_=sa.BigInteger)
ANY_VERSION = 2**63 - 1


def _latest(table: sa.Table, *where: sa.ColumnElement[bool]) -> Statement[Any]:
    return Statement[Any](
        sa.select(table.c.id)
        .where(table.c.resource == sa.bindparam("resource"), table.c.resource_version <= _VERSION, *where)
        # By version: whoever waited for a lock may have the older id.
        .order_by(table.c.resource_version.desc(), table.c.id.desc())
        .limit(1)
    )


_LATEST = (_latest(OUTBOX), _latest(CAUSES, _OURS))  # what the outbox still has is newer
_ID = sa.bindparam("id", type_=sa.Uuid)
_EMPTY = sa.literal_column("''", sa.Text)
_UNCAUSED = sa.cast(sa.null(), sa.Uuid)
# Written out, to match the partial index.
_FIRED = sa.and_(AUDIT.c.actor == sa.literal_column("'clock'"), ~AUDIT.c.void)


def _link(kind: str, table: sa.Table, where: sa.ColumnElement[bool], **columns: Any) -> sa.Select[Any]:
    return sa.select(
        sa.literal_column(f"'{kind}'", sa.Text).label("kind"),
        columns.get("source", _EMPTY).label("source"),
        columns.get("resource", _EMPTY).label("resource"),
        columns["what"].label("what"),
        columns["time"].label("time"),
        table.c.actor,
        table.c.traceparent,
        columns.get("causation_id", _UNCAUSED).label("causation_id"),
    ).where(where)


def _columns(table: sa.Table, *names: str) -> dict[str, Any]:
    return {name: table.c[name] for name in names}


_DONE = {"what": AUDIT.c.what, "time": AUDIT.c.at}
_LINK = Statement[Any](
    sa.union_all(
        _link(
            "fact",
            OUTBOX,
            OUTBOX.c.id == _ID,
            what=OUTBOX.c.type,
            **_columns(OUTBOX, "resource", "time", "causation_id"),
        ),
        _link(
            "event",
            INBOX,
            sa.and_(INBOX.c.event_id == _ID, INBOX.c.source != ""),  # ours is a fact
            what=INBOX.c.type,
            **_columns(INBOX, "source", "resource", "time"),
        ),
        _link(
            "fact",
            CAUSES,
            sa.and_(CAUSES.c.id == _ID, _OURS),
            what=CAUSES.c.type,
            **_columns(CAUSES, "resource", "time", "causation_id"),
        ),
        _link(
            "event",
            CAUSES,
            sa.and_(CAUSES.c.id == _ID, ~_OURS),
            what=CAUSES.c.type,
            **_columns(CAUSES, "source", "resource", "time"),
        ),
        _link("request", AUDIT, AUDIT.c.id == _ID, **_DONE),
        _link("timer", AUDIT, sa.and_(AUDIT.c.cause_id == _ID, _FIRED), **_DONE),
    )
)


async def chain(
    db: Database, *, resource: str = "", event_id: UUID | None = None, version: int = ANY_VERSION
) -> Chain:
    """The causes of an event, or of the latest fact about a resource.

    Args:
        db: the service's database.
        resource: the resource's name. Without it, `event_id` is one that the caller was allowed to see.
        event_id: where to start: an event about `resource`, or who may explain one could explain all.
        version: without an event, where to start: the latest fact up to that version of the resource.

    Returns:
        The chain as far as this service knows it; empty when it knows nothing of the resource or event.

    Raises:
        InvalidArgument: EVENT_OF_OTHER_RESOURCE.
    """
    causes: list[explanation_pb2.Cause] = []
    link_id = event_id
    if link_id is None:
        for latest in _LATEST:
            if (
                link_id is None
                and (row := await latest.maybe(db, resource=resource, version=version)) is not None
            ):
                link_id = row["id"]
    while link_id is not None and len(causes) < LINKS_MAX:
        row = await _LINK.maybe(db, id=link_id)
        if row is None:
            break
        if resource and link_id == event_id and row["resource"] != resource:
            raise invalid("event_id", "EVENT_OF_OTHER_RESOURCE", "must be of an event about `name`")
        cause = _cause(row, link_id, row["source"] or db.service)
        if row["kind"] == "event":
            return Chain(causes, Foreign(row["source"], row["resource"], link_id, cause))
        causes.append(cause)
        link_id = row["causation_id"]
    return Chain(causes, None)


def _cause(row: Any, link_id: UUID, service: str) -> explanation_pb2.Cause:
    return explanation_pb2.Cause(
        resource=row["resource"],
        occur_time=timestamp(row["time"]),
        actor=actor_name(row["actor"], service),
        trace_id=trace_id(row["traceparent"]),
        id=str(link_id),
        service=service_name(service),
        **{_WHAT[row["kind"]]: row["what"]},
    )
