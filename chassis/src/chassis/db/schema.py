"""The tables that the chassis keeps in every service's database. Created by the chassis' own migrations.

Keys, indexes and checks beside the primary key are the migration's.
"""

from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()
SHARDS = 16  # of the outbox, by the hash of the resource: relays share it by them
# For how many days is kept what is kept by partition, as the first migration writes into `keeping`. Of what
# outbox and inbox let go, the causes stay. The last two are for the installation to say, by `migrate`.
OUTBOX_DAYS, INBOX_DAYS, CAUSES_DAYS, AUDIT_DAYS = 14, 30, 400, 3660
_AT = sa.DateTime(timezone=True)


def _columns(kind: Any, *names: str, **how: Any) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, **{"nullable": False} | how) for name in names]


def _texts(*names: str, **how: Any) -> list[sa.Column[Any]]:
    return _columns(sa.Text, *names, **how)


def _table(name: str, *columns: list[sa.Column[Any]]) -> sa.Table:
    return sa.Table(name, METADATA, *chain(*columns))


# Facts to publish, and for 14 days the record from which anything can be published again. Partitioned by day
# on the id, which is a UUIDv7 and so orders and prunes by time.
OUTBOX = _table(
    "outbox",
    _columns(sa.Uuid, "id", primary_key=True),
    _columns(sa.SmallInteger, "shard"),
    _texts("subject", "type", "resource", "actor", "correlation_id", "traceparent"),
    _columns(sa.BigInteger, "resource_version"),
    _columns(sa.LargeBinary, "data"),
    _columns(_AT, "time"),
    _columns(sa.Uuid, "causation_id"),
    # When its events are too many for a consistency token to name.
    _columns(sa.Uuid, "transaction_id", nullable=True),
    _columns(_AT, "published_at", nullable=True),
)

# Events consumed, by consumer: inserted first in the transaction of their effect, which so happens once.
INBOX = _table(
    "inbox",
    _columns(sa.Uuid, "event_id", primary_key=True),
    _texts("consumer", primary_key=True),
    _texts("source"),  # "" for this service, which may hear itself
    _texts("type", "resource", "actor", "correlation_id", "traceparent"),
    _columns(_AT, "time"),
    _columns(sa.Uuid, "causation_id"),
    _columns(sa.Uuid, "transaction_id", nullable=True),  # see `outbox`
)

# What led to what, when outbox and inbox have let go of it: facts, and, with their source, events heard.
# Partitioned by month on the id, and written by functions of the tables' owner alone.
CAUSES = _table(
    "causes",
    _columns(sa.Uuid, "id", primary_key=True),
    _texts("source"),  # "" for a fact of this service
    _texts("type", "resource", "actor", "traceparent"),
    _columns(sa.BigInteger, "resource_version"),
    _columns(_AT, "time"),
    _columns(sa.Uuid, "causation_id"),
)

# What is kept by partition, and for how many days. Only the owner writes it.
KEEPING = _table(
    "keeping",
    _texts("parent", primary_key=True),
    _texts("key"),
    _texts("period"),  # of a partition: day or month
    _columns(sa.Integer, "days"),
    _texts("causes"),  # what stays in `causes` of a row; "" for nothing
)

# Events set aside, by consumer, so that they hold up no others: PARKED is tried again, DEAD was given up on.
PARKED = _table(
    "parked",
    _columns(sa.Uuid, "event_id", primary_key=True),
    _texts("consumer", primary_key=True),
    _texts("state", "source", "subject", "type", "resource", "error", "reason"),
    _texts("customer"),  # "" when it concerns none, or cannot be read
    _columns(sa.Uuid, "transaction_id", nullable=True),
    _columns(JSONB, "headers"),
    _columns(sa.LargeBinary, "data"),
    _columns(sa.Integer, "attempts"),
    _columns(_AT, "parked_at", "due_at"),
)

# What is known of the service's own stream: another identity, or an end before the last sequence, is a loss.
STREAM = _table(
    "stream",
    _texts("name", primary_key=True),
    _texts("identity"),
    _columns(sa.BigInteger, "last_sequence"),
    # The sequence before the first event that the broker lost.
    _columns(sa.BigInteger, "whole_until", nullable=True),
)

# Responses of mutations by request id, kept 7 days.
IDEMPOTENCY = _table(
    "idempotency",
    _columns(sa.Uuid, "request_id", primary_key=True),
    _texts("method", "consistency_token"),
    _columns(sa.LargeBinary, "request_hash", "response"),
    _columns(_AT, "at"),
)

# Rows of imports that were recognised as what another source had brought, by import key (chassis.overlap).
RECOGNISED = _table("recognised", _texts("import_key", primary_key=True), _texts("known_as"))

# Which names are of one customer, of names that ever were of several; `group_id` is the one that survives.
ALIAS_GROUPS = _table(
    "alias_groups",
    _columns(sa.Uuid, "customer_id", primary_key=True),
    _columns(sa.Uuid, "group_id"),
    _columns(sa.BigInteger, "sequence"),  # of the merge, or its undoing, that said so: a later one holds
    _columns(_AT, "change_time"),
)

# Every write: who, what, why. Partitioned by month on the id. Append-only: triggers refuse UPDATE and DELETE.
AUDIT = _table(
    "audit",
    _columns(sa.Uuid, "id", primary_key=True),
    _columns(_AT, "at"),
    _texts("actor", "department", "purpose", "request_id", "correlation_id", "traceparent"),
    _texts("via"),  # the workload that called on the actor's behalf
    _texts("what"),  # the RPC's full method, or the kind of timer
    _texts("reason_code"),  # why, where the RPC asks for it
    _columns(sa.Uuid, "cause_id", nullable=True),  # the timer that fired; null for RPCs
    _texts("resources"),  # names of what it is about, separated by spaces
    # Why the call was refused that named them: it took no effect, its caller read. Empty for all others.
    _texts("refused", server_default=""),
    # The write never happened, and by this row never can: its commit had got no answer.
    _columns(sa.Boolean, "void", server_default=sa.false()),
)

# Work for later. A row is deleted in the transaction of its effect, so it fires once.
TIMERS = _table(
    "timers",
    _columns(sa.Uuid, "id", primary_key=True),
    _texts("kind", "key", "correlation_id", "traceparent"),
    _columns(_AT, "due_at"),
    _columns(sa.Integer, "attempts", server_default="0"),
    _columns(sa.Uuid, "causation_id"),
)

# Work on the outside world (chassis.work): claimed, acted on outside of any transaction, recorded. An ended
# row is kept for a while, so that an answer that comes late finds what it answers.
WORK = _table(
    "work",
    _columns(sa.Uuid, "id", primary_key=True),
    _texts("kind", "key", "correlation_id", "traceparent"),
    _texts("state", server_default="PENDING"),
    _columns(sa.Integer, "attempt", server_default="0"),  # the number of the latest claim
    _columns(sa.Integer, "failures", server_default="0"),
    _columns(_AT, "due_at", "expire_at"),
    _columns(_AT, "lease_until", nullable=True),  # by the database's clock
    _columns(sa.SmallInteger, "repeats"),  # allowed after unknown outcomes
    _columns(sa.SmallInteger, "rank", server_default="0"),  # of what is due a lower one goes first
    # Attempts whose outcome nobody knows.
    _columns(sa.ARRAY(sa.Integer), "unknown", server_default="{}"),
    _texts("fingerprint", server_default=""),  # of what was handed over
    _texts("code", server_default=""),  # of the latest outcome
    _columns(sa.Boolean, "alarm", server_default="false"),  # it waits for us to mend something
    _columns(sa.Uuid, "causation_id"),
    _columns(_AT, "ended_at", nullable=True),
)
