"""Statements on attributes, what was observed of customers, and what people pinned."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, replaced, rows_of, table
from customer.domain.attributes import Attribute, Candidate, Observation, Pin
from customer.store.tables import METADATA

ATTRIBUTES = table(METADATA, "attributes", Attribute)
# Append-only: everything that was ever said, also of profiles.
OBSERVATIONS = table(METADATA, "observations", Observation)
# The best of each source, of attributes that are no fields of the profile: what decides, whatever was before.
CANDIDATES = table(
    METADATA,
    "attribute_candidates",
    Candidate,
    sa.Column("observation_id", sa.Uuid, nullable=False),
    sa.Column("observe_time", sa.DateTime(timezone=True), nullable=False),
    key=("customer_id", "attribute_id", "department_id", "source"),
)
PINS = table(METADATA, "attribute_pins", Pin, key=("customer_id", "attribute_id"))

_A, _O, _C, _P = ATTRIBUTES.c, OBSERVATIONS.c, CANDIDATES.c, PINS.c
_declared = sa.select(ATTRIBUTES).where(_A.delete_time.is_(None))

ATTRIBUTE = Statement(_declared.where(_A.id == sa.bindparam("id")), row=Attribute)
# Withdrawn ones too.
ATTRIBUTES_BY_ID = Statement(sa.select(ATTRIBUTES).where(among(_A.id, "ids")), row=Attribute)
PROFILE_ATTRIBUTES = Statement(
    sa.select(ATTRIBUTES).where(_A.id >= "profile.", _A.id < "profile/"), row=Attribute
)
LIST_ATTRIBUTES = Listing(_declared, _A.id, row=Attribute)
KNOWN_ATTRIBUTES = Statement[Any](
    sa.select(_A.id)
    .where(_A.delete_time.is_(None), sa.not_(_A.id.startswith("profile.")))
    .order_by(_A.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
COUNT_ATTRIBUTES = Statement[Any](
    sa.select(sa.func.count().label("count")).where(
        _A.delete_time.is_(None), _A.id.startswith(sa.bindparam("namespace", type_=sa.Text))
    )
)
SAVE_ATTRIBUTE = Statement[Any](replaced(insert(ATTRIBUTES)))

INSERT_OBSERVATIONS = Bulk[Any](OBSERVATIONS)
OBSERVATION = Statement(
    sa.select(OBSERVATIONS).where(
        _O.id == sa.bindparam("id"),
        _O.customer_id == sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid))),
    ),
    row=Observation,
)
OBSERVATIONS_BY_ID = Statement(sa.select(OBSERVATIONS).where(among(_O.id, "ids")), row=Observation)
_attribute: Any = sa.bindparam("attribute_id", type_=sa.Text)
# Along the index on (customer_id, observe_time, id), as a timeline.
LIST_OBSERVATIONS = Listing(
    sa.select(OBSERVATIONS).where(sa.or_(_attribute.is_(None), _O.contents.has_key(_attribute))),
    _O.observe_time,
    _O.id,
    descending=True,
    row=Observation,
    walks=True,
    of_customer=_O.customer_id,
    filters={"source": filters.text(_O.source), "observe_time": filters.moment(_O.observe_time)},
)
# What was said of fields of the profile lately: in the latest 200 observations of each id.
_asked = rows_of("asked", customer_ids=sa.Uuid())
_latest = (
    sa.select(OBSERVATIONS)
    .where(_O.customer_id == _asked.c.customer_ids)
    .order_by(_O.observe_time.desc(), _O.id.desc())
    .limit(sa.literal_column("200"))
    .lateral("latest")
)
LATEST_OBSERVATIONS = Statement(
    sa.select(*_latest.c)
    .select_from(_asked.join(_latest, sa.true()))
    .where(_latest.c.contents.has_any(sa.bindparam("attribute_ids", type_=sa.ARRAY(sa.Text)))),
    row=Observation,
)

CANDIDATES_OF = Statement(
    sa.select(CANDIDATES).where(
        among(_C.customer_id, "customer_ids"), among(_C.attribute_id, "attribute_ids")
    ),
    row=Candidate,
)
SAVE_CANDIDATES = Bulk[Any](CANDIDATES, replaced)
_beyond = rows_of(
    "beyond", customers=sa.Uuid(), attributes=sa.Text(), departments=sa.Text(), sources=sa.Text()
)
DELETE_CANDIDATES = Statement[Any](
    sa.delete(CANDIDATES).where(
        _C.customer_id == _beyond.c.customers,
        _C.attribute_id == _beyond.c.attributes,
        _C.department_id == _beyond.c.departments,
        _C.source == _beyond.c.sources,
    )
)

PINS_OF = Statement(
    sa.select(PINS).where(among(_P.customer_id, "customer_ids"), among(_P.attribute_id, "attribute_ids")),
    row=Pin,
)
SAVE_PINS = Bulk[Any](PINS, replaced)

_any_value = (
    sa.select(sa.literal(1))
    .where(among(_C.customer_id, "customer_ids"), _C.attribute_id == _A.id, _C.value != "")
    .correlate(ATTRIBUTES)
    .exists()
)
# Of which customers have a value: fields of the profile are given.
LIST_ATTRIBUTES_OF = Listing(
    _declared.where(sa.or_(among(_A.id, "fields"), _any_value)), _A.id, row=Attribute
)
