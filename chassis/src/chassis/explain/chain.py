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
    """An event of another service, where a chain goes on; and what is known of it if that cannot be asked."""

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


def _link(kind: str, table: sa.Table, *where: sa.ColumnElement[bool], **columns: Any) -> sa.Select[Any]:
    """What a table knows of a cause, by the columns that are given for what its own do not say."""
    known: Any = dict(table.c) | {"source": _EMPTY} | columns
    return sa.select(
        sa.literal_column(f"'{kind}'", sa.Text).label("kind"),
        *(known[name].label(name) for name in ("source", "resource", "what", "time", "actor", "traceparent")),
        known["causation_id"].label("causation_id"),
    ).where(*where)


def _done(kind: str, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return _link(kind, AUDIT, *where, resource=_EMPTY, time=AUDIT.c.at, causation_id=_UNCAUSED)


_HEARD = {"causation_id": _UNCAUSED}  # there; here is where it came from
_LINK = Statement[Any](
    sa.union_all(
        _link("fact", OUTBOX, OUTBOX.c.id == _ID, what=OUTBOX.c.type),
        # What we heard of ourselves is a fact.
        _link(
            "event",
            INBOX,
            INBOX.c.event_id == _ID,
            INBOX.c.source != "",
            what=INBOX.c.type,
            source=INBOX.c.source,
            **_HEARD,
        ),
        _link("fact", CAUSES, CAUSES.c.id == _ID, _OURS, what=CAUSES.c.type),
        _link(
            "event", CAUSES, CAUSES.c.id == _ID, ~_OURS, what=CAUSES.c.type, source=CAUSES.c.source, **_HEARD
        ),
        _done("request", AUDIT.c.id == _ID),
        _done("timer", AUDIT.c.cause_id == _ID, _FIRED),
    )
)


async def chain(
    db: Database, *, resource: str = "", event_id: UUID | None = None, version: int = ANY_VERSION
) -> Chain:
    """The causes of an event, or of the latest fact about a resource, up to a version of that.

    Of an event about `resource`, or who may explain one could explain all: without it, `event_id` is one that
    the caller was allowed to see. The chain goes as far as this service knows it, and is empty when it knows
    nothing of the resource or event. InvalidArgument EVENT_OF_OTHER_RESOURCE.
    """
    causes: list[explanation_pb2.Cause] = []
    link_id = event_id
    for latest in _LATEST:
        if link_id is None and (row := await latest.maybe(db, resource=resource, version=version)):
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
