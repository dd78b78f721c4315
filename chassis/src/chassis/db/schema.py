"""The tables that the chassis keeps in every service's database. Created by the chassis' own migrations."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()
_AT = sa.DateTime(timezone=True)

# Facts to publish, and for 14 days the record from which anything can be published again. Partitioned by day
# on the id, which is a UUIDv7 and so orders and prunes by time.
OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    # hash(resource) % 16: relays share the outbox by it
    sa.Column("shard", sa.SmallInteger, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("resource_version", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("time", _AT, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("causation_id", sa.Uuid, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
    sa.Column("transaction_id", sa.Uuid),  # when its events are too many for a consistency token to name
    sa.Column("published_at", _AT),
)

# Events consumed, by consumer: inserted first in the transaction of their effect, which so happens once.
INBOX = sa.Table(
    "inbox",
    METADATA,
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),  # "" for this service, which may hear itself
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("time", _AT, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("causation_id", sa.Uuid, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
    sa.Column("transaction_id", sa.Uuid),  # see `outbox`
)

# What led to what, when outbox and inbox have let go of it: facts, and, with their source, events heard.
# Partitioned by month on the id, and written by functions of the tables' owner alone.
CAUSES = sa.Table(
    "causes",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),  # "" for a fact of this service
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("resource_version", sa.BigInteger, nullable=False),
    sa.Column("time", _AT, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("causation_id", sa.Uuid, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
)

# What is kept by partition, and for how long. Only the owner writes it.
KEEPING = sa.Table(
    "keeping",
    METADATA,
    sa.Column("parent", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),  # of a partition: day or month
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("causes", sa.Text, nullable=False),  # what stays in `causes` of a row; "" for nothing
)

# Events set aside, by consumer, so that they hold up no others: PARKED is tried again, DEAD was given up on.
PARKED = sa.Table(
    "parked",
    METADATA,
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("customer", sa.Text, nullable=False),  # "" when it concerns none, or cannot be read
    sa.Column("transaction_id", sa.Uuid),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("parked_at", _AT, nullable=False),
    sa.Column("due_at", _AT, nullable=False),
)

# What is known of the service's own stream: another identity, or an end before the last sequence, is a loss.
STREAM = sa.Table(
    "stream",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("last_sequence", sa.BigInteger, nullable=False),
    sa.Column("whole_until", sa.BigInteger),  # the sequence before the first event that the broker lost
)

# Responses of mutations by request id, kept 7 days.
IDEMPOTENCY = sa.Table(
    "idempotency",
    METADATA,
    sa.Column("request_id", sa.Uuid, primary_key=True),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("request_hash", sa.LargeBinary, nullable=False),
    sa.Column("response", sa.LargeBinary, nullable=False),
    sa.Column("consistency_token", sa.Text, nullable=False),
    sa.Column("at", _AT, nullable=False),
)

# Rows of imports that were recognised as what another source had brought, by import key (chassis.overlap).
RECOGNISED = sa.Table(
    "recognised",
    METADATA,
    sa.Column("import_key", sa.Text, primary_key=True),
    sa.Column("known_as", sa.Text, nullable=False),
    sa.Index("recognised_as", "known_as"),
)

# Every write: who, what, why. Partitioned by month on the id. Append-only: triggers refuse UPDATE and DELETE.
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", _AT, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("via", sa.Text, nullable=False),  # the workload that called on the actor's behalf
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),  # the RPC's full method, or the kind of timer
    sa.Column("reason_code", sa.Text, nullable=False),  # why, where the RPC asks for it
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("cause_id", sa.Uuid),  # the timer that fired; null for RPCs
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
    sa.Column("resources", sa.Text, nullable=False),  # names of what it is about, separated by spaces
    # Why the call was refused that named them: it took no effect, its caller read. Empty for all others.
    sa.Column("refused", sa.Text, nullable=False, server_default=""),
    # The write never happened, and by this row never can: its commit had got no answer.
    sa.Column("void", sa.Boolean, nullable=False, server_default=sa.false()),
)

# Work for later. A row is deleted in the transaction of its effect, so it fires once.
TIMERS = sa.Table(
    "timers",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("due_at", _AT, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("causation_id", sa.Uuid, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
    sa.UniqueConstraint("kind", "key"),
    sa.Index("timers_due", "due_at", "id"),
)

# Work on the outside world (chassis.work): claimed, acted on outside of any transaction, recorded. An ended
# row is kept for a while, so that an answer that comes late finds what it answers.
WORK = sa.Table(
    "work",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="PENDING"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),  # the number of the latest claim
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", _AT, nullable=False),
    sa.Column("expire_at", _AT, nullable=False),
    sa.Column("lease_until", _AT),  # by the database's clock
    sa.Column("repeats", sa.SmallInteger, nullable=False),  # allowed after unknown outcomes
    # Attempts whose outcome nobody knows.
    sa.Column("unknown", sa.ARRAY(sa.Integer), nullable=False, server_default="{}"),
    sa.Column("fingerprint", sa.Text, nullable=False, server_default=""),  # of what was handed over
    sa.Column("code", sa.Text, nullable=False, server_default=""),  # of the latest outcome
    # It waits for us to mend something.
    sa.Column("alarm", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("causation_id", sa.Uuid, nullable=False),
    sa.Column("traceparent", sa.Text, nullable=False),
    sa.Column("ended_at", _AT),
    sa.UniqueConstraint("kind", "key"),
    sa.Index("work_due", "kind", "due_at", postgresql_where=sa.text("state = 'PENDING'")),
    sa.Index("work_expiring", "expire_at", postgresql_where=sa.text("state = 'PENDING'")),
    sa.Index("work_leased", "lease_until", postgresql_where=sa.text("state IN ('CLAIMED', 'HANDING_OVER')")),
    sa.Index("work_live", "kind", "state", postgresql_where=sa.text("ended_at IS NULL")),
    sa.Index("work_unknown", "ended_at", postgresql_where=sa.text("state = 'UNKNOWN'")),
    sa.Index("work_open", "id", postgresql_where=sa.text("ended_at IS NULL OR state = 'UNKNOWN'")),
    sa.Index("work_ended", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL")),
)
