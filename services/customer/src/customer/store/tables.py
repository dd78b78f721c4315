"""The tables of the customer service, of the entities that they hold, and statements on who customers are.

Every read of a customer by id goes through here: a name that was merged away is followed to its survivor in
these statements, and nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of, names_of, survivor_of
from chassis.db.schema import ALIAS_GROUPS
from chassis.db.statement import Bulk, Executor, Statement
from chassis.db.tables import among, rows_of, table
from customer.domain.consents import Consent, ConsentToken, Preferences
from customer.domain.customers import PROFILE_FIELDS, Customer, KeptCustomer
from customer.domain.identifiers import Identifier
from customer.domain.purposes import Purpose, Wording
from customer.domain.sections import SectionSchema, ViewSection
from customer.domain.stops import ContactStop
from customer.domain.timeline import TimelineEntry

METADATA = sa.MetaData()


@dataclass(slots=True)
class PartRow:
    """What departments told about one thing of a customer (a promise, a case, the balance).

    The latest fact of each type, and the part of the view they fold to.
    """

    customer_id: UUID
    resource: str
    kind: str
    facts: bytes
    part: bytes
    ended: bool
    urgent: bool
    change_time: datetime


@dataclass(slots=True)
class ViewRow:
    """What a view's row says besides the view: how much is open, which cannot be counted each time."""

    customer_id: UUID
    update_time: datetime
    open_promises: int = 0
    open_cases: int = 0
    version: int = 0


@dataclass(slots=True)
class HouseholdRow:
    """What was told of a membership: see `customer.usecases.households`."""

    membership: str
    told: bytes


CUSTOMERS = table(METADATA, "customers", KeptCustomer)
# (type, system, normalized_value) is unique where there is a normalized value and it is no phone or fax
# number. Of what is shared, and no number, the normalized value is in `shared_value` instead, out of reach of
# that index: see `customer.store.identifiers`. The reference to the customer is checked at commit: a new
# customer's identifiers are inserted first, because they decide whether there is a new customer.
IDENTIFIERS = table(METADATA, "identifiers", Identifier, sa.Column("shared_value", sa.Text, nullable=False))
# Read by (customer_id, occur_time, id). No reference to the customer: facts may overtake the customer they
# are about.
TIMELINE = table(METADATA, "timeline", TimelineEntry)
VIEW_PARTS = table(METADATA, "view_parts", PartRow, key=("customer_id", "resource"))
# The serialised CustomerView of each customer, a function of the tables above.
VIEWS = table(
    METADATA,
    "views",
    ViewRow,
    sa.Column("view", sa.LargeBinary, nullable=False),
    key=("customer_id",),
)
HOUSEHOLDS = table(METADATA, "households", HouseholdRow, key=("membership",))
SECTION_SCHEMAS = table(METADATA, "section_schemas", SectionSchema)
VIEW_SECTIONS = table(METADATA, "view_sections", ViewSection, key=("customer_id", "section"))
PURPOSES = table(METADATA, "purposes", Purpose)
# Append-only.
WORDINGS = table(METADATA, "wordings", Wording, key=("purpose_id", "language", "version"))
CONSENTS = table(METADATA, "consents", Consent, key=("customer_id", "id"))
# Every consent ever given or refused, and to whom. Append-only.
CONSENT_HISTORY = table(
    METADATA,
    "consent_history",
    Consent,
    sa.Column("actor", sa.Text, nullable=False),
    key=("customer_id", "id", "version"),
)
# Append-only: what held at any time is read from it.
CONTACT_STOPS = table(METADATA, "contact_stops", ContactStop, key=("customer_id", "stop_time"))
# What was sent to customers to confirm by, for ever: it proves who was asked.
CONSENT_TOKENS = table(METADATA, "consent_tokens", ConsentToken, key=("token_hash",))
_KEPT = sa.Column("update_time", sa.DateTime(timezone=True), nullable=False)  # what is kept has been set
PREFERENCES = table(METADATA, "preferences", Preferences, _KEPT, key=("customer_id",))

_ID = CUSTOMERS.c.id == survivor_of(sa.bindparam("id", type_=sa.Uuid))
_IDS = among(CUSTOMERS.c.id, "ids")
_CHANGING = (
    *PROFILE_FIELDS,
    "profile_sources",
    "relationship_manager",
    "update_time",
    "version",
    "bought",
    "prospect",
)

# Of who was merged what they chose last, by any of their names.
_chosen_zone = (
    sa.select(PREFERENCES.c.time_zone)
    .where(PREFERENCES.c.customer_id == sa.func.any(group_of(CUSTOMERS.c.id)), PREFERENCES.c.time_zone != "")
    .order_by(PREFERENCES.c.update_time.desc(), PREFERENCES.c.customer_id)
    .limit(1)
    .scalar_subquery()
)
_WHOLE = (CUSTOMERS, sa.func.coalesce(_chosen_zone, "").label("chosen_zone"))

CUSTOMER = Statement(sa.select(*_WHOLE).where(_ID), row=Customer)
CUSTOMERS_BY_ID = Statement(sa.select(*_WHOLE).where(_IDS), row=Customer)


@dataclass(slots=True)
class NamedCustomer(Customer):
    """A customer, and the id by which they were asked for: one of theirs."""

    asked: UUID


_asked = rows_of("asked", ids=sa.Uuid())
NAMED_CUSTOMERS = Statement(
    sa.select(*_WHOLE, _asked.c.ids.label("asked")).join_from(
        _asked, CUSTOMERS, CUSTOMERS.c.id == survivor_of(_asked.c.ids)
    ),
    row=NamedCustomer,
)
BUYERS = Statement[Any](sa.select(CUSTOMERS.c.id).where(_IDS, CUSTOMERS.c.bought))
KNOWN_CUSTOMERS = Statement[Any](sa.select(CUSTOMERS.c.id).where(_IDS))
# And nobody deletes them meanwhile.
STAYING_CUSTOMERS = Statement[Any](
    sa.select(CUSTOMERS.c.id).where(_IDS).order_by(CUSTOMERS.c.id).with_for_update(read=True, key_share=True)
)

_led_on = sa.exists().where(
    ALIAS_GROUPS.c.customer_id == CUSTOMERS.c.id, ALIAS_GROUPS.c.group_id != CUSTOMERS.c.id
)
# As the index says it; NULL where the day is not known.
_BIRTHDAY = sa.literal_column("substring(customers.birth_date, '-(..-..)$')", sa.Text)
LIST_CUSTOMERS = Listing(
    sa.select(*_WHOLE).where(~_led_on),
    CUSTOMERS.c.create_time,
    CUSTOMERS.c.id,
    row=Customer,
    filters={
        "relationship_manager": filters.text(CUSTOMERS.c.relationship_manager),
        "region_code": filters.text(CUSTOMERS.c.region_code),
        "prospect": filters.boolean(CUSTOMERS.c.prospect),
        "birthday": filters.day_of_year(_BIRTHDAY),
        "create_time": filters.moment(CUSTOMERS.c.create_time),
    },
)

# Locked in the order of their ids, so that two batches cannot each wait for the other.
LOCKED_CUSTOMER = Statement(sa.select(*_WHOLE).where(_ID).with_for_update(key_share=True), row=Customer)
_in_order = sa.select(*_WHOLE).where(_IDS).order_by(CUSTOMERS.c.id)
LOCKED_CUSTOMERS = Statement(_in_order.with_for_update(key_share=True), row=Customer)
# Not merged or changed meanwhile, while others hold them so, too.
KEPT_CUSTOMERS = Statement(_in_order.with_for_update(read=True), row=Customer)

INSERT_CUSTOMERS = Bulk[Any](CUSTOMERS)
UPDATED_COLUMNS = ("id", *_CHANGING)
_new = rows_of("new", **{name: CUSTOMERS.c[name].type for name in UPDATED_COLUMNS})
UPDATE_CUSTOMERS = Statement[Any](
    sa.update(CUSTOMERS).where(CUSTOMERS.c.id == _new.c.id).values({name: _new.c[name] for name in _CHANGING})
)

_T = IDENTIFIERS.c
_CUSTOMER = sa.bindparam("customer_id", type_=sa.Uuid)
_OF_GROUP = sa.func.any(group_of(_CUSTOMER))  # of the customer, by whichever of their names
# Identifiers as entities, which have one normalized value.
HELD = [
    *(column for column in _T if column.name not in ("normalized_value", "shared_value")),
    _T.normalized_value.concat(_T.shared_value).label("normalized_value"),
]
IDENTIFIER = Statement(
    sa.select(*HELD).where(_T.id == sa.bindparam("id"), _T.customer_id == _OF_GROUP), row=Identifier
)
LIST_IDENTIFIERS = Listing(
    sa.select(*HELD), _T.create_time, _T.id, row=Identifier, of_customer=_T.customer_id
)


@dataclass(slots=True)
class _OfCustomer(Identifier):
    """An identifier, and the id by which its customer was asked for."""

    asked: UUID


_names = names_of(_asked.c.ids)
_IDENTIFIERS_OF = Statement(
    sa.select(*HELD, _asked.c.ids.label("asked"))
    .select_from(_asked.join(_names, sa.true()).join(IDENTIFIERS, _T.customer_id == _names.c.customer_id))
    .order_by(_T.create_time, _T.id),
    row=_OfCustomer,
)


async def identifiers_of(on: Executor, customer_ids: Iterable[UUID]) -> dict[UUID, list[Identifier]]:
    """The identifiers of each of these customers, of whichever of their names, oldest first."""
    found: dict[UUID, list[Identifier]] = {customer_id: [] for customer_id in customer_ids}
    for identifier in await _IDENTIFIERS_OF.all(on, ids=list(found)) if found else ():
        found[identifier.asked].append(identifier)
    return found


DELETE_IDENTIFIER = Statement[Any](sa.delete(IDENTIFIERS).where(_T.id == sa.bindparam("id")))
DELETE_IDENTIFIERS_OF = Statement[Any](sa.delete(IDENTIFIERS).where(among(_T.customer_id, "customer_ids")))
