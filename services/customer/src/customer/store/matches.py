"""The tables of matching: keys by which customers are found who may be one, and what came of each pair."""

import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS, insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.schema import ALIAS_GROUPS, OUTBOX
from chassis.db.statement import Bulk, Executor, Statement, of_entity
from chassis.db.tables import among, replaced, rows_of, table
from customer.domain.customers import KeptCustomer
from customer.domain.identifiers import Identifier
from customer.domain.match_jobs import MatchJob, MatchParameters
from customer.domain.matches import MatchCandidate, MatchState
from customer.store.tables import CUSTOMERS, HELD, IDENTIFIERS, METADATA
from rapport.customer.v1 import match_pb2
from rapport_identity.blocking import BLOCK_MAX


@dataclass(slots=True)
class MatchKey:
    """A key of a customer: see `customer.domain.match_features.Features.keys`."""

    key: int
    customer_id: UUID


@dataclass(slots=True)
class MatchRecord:
    """What of a customer was compared last: its digest, and the keys it has, of eight bytes each."""

    customer_id: UUID
    digest: str
    packed_keys: bytes

    @property
    def keys(self) -> tuple[int, ...]:
        """The keys."""
        return struct.unpack(f">{len(self.packed_keys) // 8}q", self.packed_keys)

    @classmethod
    def of(cls, customer_id: UUID, digest: str, keys: Sequence[int]) -> Self:
        """What is kept of a customer with these keys."""
        return cls(customer_id, digest, struct.pack(f">{len(keys)}q", *keys))


MATCH_KEYS = table(METADATA, "match_keys", MatchKey, key=("key", "customer_id"))
MATCH_RECORDS = table(METADATA, "match_records", MatchRecord, key=("customer_id",))
# Customers who changed: a row each time, written by triggers of the tables, and so without anybody waiting.
MATCH_QUEUE = sa.Table(
    "match_queue",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_time", sa.DateTime(timezone=True), nullable=False),
)
MATCH_CANDIDATES = table(METADATA, "match_candidates", MatchCandidate)
MATCH_PARAMETERS = table(METADATA, "match_parameters", MatchParameters)
MATCH_JOBS = table(METADATA, "match_jobs", MatchJob)

_Q, _K, _C = MATCH_QUEUE.c, MATCH_KEYS.c, MATCH_CANDIDATES.c
_LIMIT = sa.bindparam("limit", type_=sa.Integer)

# One process matches at a time: two who compare at once would not see each other's new customer.
_MATCHING = sa.func.hashtextextended("customer-matching", 0)
LOCK = Statement[Any](sa.select(sa.func.pg_advisory_xact_lock(_MATCHING)))
QUEUED = Statement[Any](
    sa.select(_Q.id, _Q.customer_id).where(_Q.due_time <= sa.func.now()).order_by(_Q.id).limit(_LIMIT)
)
DEQUEUE = Statement[Any](sa.delete(MATCH_QUEUE).where(among(_Q.id, "ids")).returning(_Q.customer_id))
POSTPONE = Statement[Any](
    sa.update(MATCH_QUEUE)
    .where(among(_Q.id, "ids"))
    .values(due_time=sa.func.now() + sa.text("interval '1 hour'"))
)
_first = sa.select(_Q.create_time).order_by(_Q.id).limit(10_000).subquery("first")


def _age_s(of: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(sa.func.extract("epoch", sa.func.now() - sa.func.min(of)), 0).label("oldest_s")


QUEUE_AGE = Statement[Any](sa.select(sa.func.count().label("changes"), _age_s(_first.c.create_time)))
# As they were made: what was linked since is compared as what it is by itself.
CUSTOMERS_AS_MADE = Statement(sa.select(CUSTOMERS).where(among(CUSTOMERS.c.id, "ids")), row=KeptCustomer)
IDENTIFIERS_AS_MADE = Statement(
    sa.select(*HELD).where(among(IDENTIFIERS.c.customer_id, "ids")).order_by(IDENTIFIERS.c.id),
    row=Identifier,
)
RECORDS_OF = Statement(
    sa.select(MATCH_RECORDS).where(among(MATCH_RECORDS.c.customer_id, "customer_ids")), row=MatchRecord
)
SAVE_RECORDS = Bulk[Any](MATCH_RECORDS, replaced)
DELETE_RECORDS = Statement[Any](
    sa.delete(MATCH_RECORDS).where(among(MATCH_RECORDS.c.customer_id, "customer_ids"))
)
INSERT_KEYS = Bulk[Any](MATCH_KEYS, lambda insert: insert.on_conflict_do_nothing())
_old = rows_of("old", keys=sa.BigInteger(), customers=sa.Uuid())
DELETE_KEYS = Statement[Any](
    sa.delete(MATCH_KEYS).where(_K.key == _old.c["keys"], _K.customer_id == _old.c.customers)
)

# Of each key those who have it, one more than find each other: who reads that many knows to leave it.
_asked = rows_of("asked", keys=sa.BigInteger())
_some = sa.select(_K.customer_id).where(_K.key == _asked.c["keys"]).limit(BLOCK_MAX + 1).lateral("some")
_HOLDERS = Statement[Any](sa.select(_asked.c["keys"].label("key"), _some.c.customer_id))


async def holders_of_keys(on: Executor, keys: Iterable[int]) -> tuple[dict[int, list[UUID]], set[int]]:
    """Who has each of these keys; and the keys that so many have that nobody is found by them."""
    holders: dict[int, list[UUID]] = {}
    for row in await _HOLDERS.all(on, keys=list(keys)):
        holders.setdefault(row["key"], []).append(row["customer_id"])
    common = {key for key, ids in holders.items() if len(ids) > BLOCK_MAX}
    return {key: ids for key, ids in holders.items() if key not in common}, common


_any = sa.or_(among(_C.customer_id, "customer_ids"), among(_C.other_customer_id, "customer_ids"))
CANDIDATE, LOCKED_CANDIDATE, SAVE_CANDIDATE = of_entity(MATCH_CANDIDATES, MatchCandidate)
CANDIDATES_OF = Statement(sa.select(MATCH_CANDIDATES).where(_any), row=MatchCandidate)
_ACROSS = Statement(
    sa.select(MATCH_CANDIDATES).where(
        sa.or_(
            sa.and_(among(_C.customer_id, "ones"), among(_C.other_customer_id, "others")),
            sa.and_(among(_C.customer_id, "others"), among(_C.other_customer_id, "ones")),
        )
    ),
    row=MatchCandidate,
)
SAVE_CANDIDATES = Bulk[Any](MATCH_CANDIDATES, replaced)


async def candidates_across(
    on: Executor, ones: Collection[UUID], others: Collection[UUID]
) -> list[MatchCandidate]:
    """The candidates of which one is among these and one among those."""
    return list(await _ACROSS.all(on, ones=list(ones), others=list(others)))


async def candidates_among(on: Executor, ids: Collection[UUID]) -> list[MatchCandidate]:
    """The candidates of which both are among these."""
    known = set(ids)
    found = await CANDIDATES_OF.all(on, customer_ids=list(ids)) if ids else []
    return [each for each in found if known.issuperset(each.pair)]


_STATES = filters.enum(_C.state, match_pb2.MatchCandidate.State.DESCRIPTOR)
_LISTED: dict[str, Any] = {"row": MatchCandidate, "descending": True, "order_by": "weight"}
_FILTERS = {"state": _STATES, "create_time": filters.moment(_C.create_time)}
LIST_CANDIDATES = Listing(
    sa.select(MATCH_CANDIDATES), _C.weight_millibits, _C.id, filters=_FILTERS, **_LISTED
)
LIST_CANDIDATES_OF = Listing(
    sa.select(MATCH_CANDIDATES).where(_any),
    _C.weight_millibits,
    _C.id,
    filters=_FILTERS,
    walks=True,
    **_LISTED,
)
COUNT_CANDIDATES = Statement[Any](
    sa.select(sa.func.count().label("pending"), _age_s(_C.create_time)).where(
        _C.state == sa.literal_column(f"'{MatchState.PENDING}'")
    )
)


def _reached(*edge: sa.ColumnElement[bool]) -> Statement[Any]:
    """Who is reached from some customers by candidates, step by step: at most so many."""
    starts = sa.func.unnest(sa.bindparam("customer_ids", type_=sa.ARRAY(sa.Uuid))).column_valued("start")
    found = sa.select(starts.label("customer_id")).cte("reached", recursive=True)
    steps = sa.union_all(
        sa.select(_C.other_customer_id.label("next"), _C.customer_id.label("at")).where(*edge),
        sa.select(_C.customer_id, _C.other_customer_id).where(*edge),
    ).subquery("steps")
    further = sa.select(steps.c.next).where(steps.c["at"] == found.c.customer_id)
    every = found.union(further)
    return Statement[Any](sa.select(every.c.customer_id).limit(_LIMIT))


_IS_LINKED = _C.state == sa.literal_column(f"'{MatchState.LINKED}'")
_WOULD_BE = sa.and_(
    _C.state == sa.literal_column(f"'{MatchState.PENDING}'"), _C.link != sa.literal_column("''")
)
WOULD_BE_LINKED_WITH = _reached(sa.or_(_IS_LINKED, _WOULD_BE))

# The latest fact about each: what a candidate is found because of.
_names = sa.func.unnest(sa.bindparam("names", type_=sa.ARRAY(sa.Text))).column_valued("name")
_last = (
    sa.select(OUTBOX.c.id)
    .where(OUTBOX.c.resource == _names)
    .order_by(OUTBOX.c.resource_version.desc(), OUTBOX.c.id.desc())
    .limit(1)
    .lateral("last")
)
LATEST_FACTS = Statement[Any](sa.select(_names.label("name"), _last.c.id))

# Names that lead on to another, and customers as the database last counted.
CONSOLIDATION = Statement[Any](
    sa.select(
        sa.select(sa.func.count())
        .select_from(ALIAS_GROUPS)
        .where(ALIAS_GROUPS.c.group_id != ALIAS_GROUPS.c.customer_id)
        .scalar_subquery()
        .label("merged"),
        sa.literal_column("(SELECT reltuples::bigint FROM pg_class WHERE oid = 'customers'::regclass)").label(
            "customers"
        ),
    )
)

PARAMETERS, LOCKED_PARAMETERS, SAVE_PARAMETERS = of_entity(MATCH_PARAMETERS, MatchParameters)
_newest = MATCH_PARAMETERS.c.activate_time.desc(), MATCH_PARAMETERS.c.id.desc()
_in_force = sa.select(MATCH_PARAMETERS.c.id, MATCH_PARAMETERS.c.activate_time)
IN_FORCE = Statement[Any](_in_force.order_by(*_newest).limit(1))
INSERT_PARAMETERS = Statement[Any](insert(MATCH_PARAMETERS))
LIST_PARAMETERS = Listing(
    sa.select(MATCH_PARAMETERS),
    MATCH_PARAMETERS.c.activate_time,
    MATCH_PARAMETERS.c.id,
    descending=True,
    row=MatchParameters,
)

JOB, LOCKED_JOB, SAVE_JOB = of_entity(MATCH_JOBS, MatchJob)
LIST_JOBS = Listing(
    sa.select(MATCH_JOBS), MATCH_JOBS.c.create_time, MATCH_JOBS.c.id, descending=True, row=MatchJob
)
_RUNNING = "state = 'RUNNING'"  # as the unique index says it
JOB_UNDER_WAY = Statement[Any](sa.select(MATCH_JOBS.c.id).where(sa.text(_RUNNING)))
# Inserts nothing while one runs.
INSERT_JOB = Statement[Any](
    insert(MATCH_JOBS)
    .on_conflict_do_nothing(index_elements=["state"], index_where=sa.text(_RUNNING))
    .returning(MATCH_JOBS.c.id)
)

NEXT_CUSTOMERS = Statement[Any](
    sa.select(CUSTOMERS.c.id)
    .where(CUSTOMERS.c.id > sa.bindparam("last_id", type_=sa.Uuid))
    .order_by(CUSTOMERS.c.id)
    .limit(_LIMIT)
)


def _count(of: sa.Table) -> Statement[Any]:
    """How many there are, as the database last counted or as far as that is quickly seen."""
    key = next(iter(of.primary_key))
    some = sa.select(key).limit(_LIMIT).subquery()
    counted = sa.select(sa.func.count()).select_from(some).scalar_subquery()
    last = (
        sa.select(sa.cast(sa.column("reltuples"), sa.BigInteger))
        .select_from(sa.table("pg_class"))
        .where(sa.column("oid") == sa.cast(sa.literal_column(f"'{of.name}'"), REGCLASS))
        .scalar_subquery()
    )
    return Statement[Any](sa.select(sa.func.greatest(counted, last).label("customers")))


COUNT_RECORDS, COUNT_CUSTOMERS = _count(MATCH_RECORDS), _count(CUSTOMERS)
# So many by chance, of so many pages of a hundred: what is read has a bound, however many there are.
_pages = sa.tablesample(MATCH_RECORDS, sa.func.system(sa.bindparam("percent", type_=sa.Double)))
SAMPLE = Statement(sa.select(_pages).order_by(sa.func.random()).limit(_LIMIT), row=MatchRecord)
