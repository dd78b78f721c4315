"""Statements on the customer view, and what it is made of: parts, sections and the timeline."""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from chassis.api.listing import Listing
from chassis.db.aliases import group_of, survivor_of
from chassis.db.schema import PARKED
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, replaced, rows_of
from customer.domain.sections import SectionSchema, ViewSection
from customer.store.advice import beside
from customer.store.tables import (
    CUSTOMERS,
    SECTION_SCHEMAS,
    TIMELINE,
    VIEW_PARTS,
    VIEW_SECTIONS,
    VIEWS,
    PartRow,
    ViewRow,
)

_SCHEMA, _S = SECTION_SCHEMAS.c, VIEW_SECTIONS.c
_CUSTOMER = sa.bindparam("customer_id", type_=sa.Uuid)
_IN_USE = _SCHEMA.version != _SCHEMA.deleted_version

SCHEMA = Statement(
    sa.select(SECTION_SCHEMAS).where(_SCHEMA.id == sa.bindparam("id"), _IN_USE), row=SectionSchema
)
SCHEMAS_BY_ID = Statement(sa.select(SECTION_SCHEMAS).where(among(_SCHEMA.id, "ids")), row=SectionSchema)
LIST_SCHEMAS = Listing(sa.select(SECTION_SCHEMAS).where(_IN_USE), _SCHEMA.id, row=SectionSchema)
COUNT_SCHEMAS = Statement[Any](
    sa.select(
        sa.func.count().label("all"),
        sa.func.count().filter(_SCHEMA.department_id == sa.bindparam("department_id")).label("own"),
    )
    .select_from(SECTION_SCHEMAS)
    .where(_IN_USE)
)
SAVE_SCHEMA = Bulk[Any](
    SECTION_SCHEMAS,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["id"],
        set_={
            c.name: insert.excluded[c.name]
            for c in _SCHEMA
            if c.name not in ("id", "department_id", "create_time")
        },
    ),
)


def _latest_sections(customer: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Of each section what is true of the latest time, by whichever of the customer's names it was put."""
    return (
        sa.select(VIEW_SECTIONS)
        .where(_S.customer_id == sa.func.any(group_of(customer)), _S.content.is_not(None))
        .ext(distinct_on(_S.section))
        .order_by(_S.section, _S.as_of_time.desc(), _S.customer_id)
    )


_sections_of = _latest_sections(_CUSTOMER).subquery("latest")
SECTION = Statement(
    sa.select(_sections_of).where(_sections_of.c.section == sa.bindparam("id")), row=ViewSection
)
LIST_SECTIONS = Listing(sa.select(_sections_of), _sections_of.c.section, row=ViewSection)
_section_keys = rows_of("keys", customer_ids=sa.Uuid(), sections=sa.Text())
# Sections are locked in the order of their keys.
LOCKED_SECTIONS = Statement(
    sa.select(VIEW_SECTIONS)
    .join_from(
        _section_keys,
        VIEW_SECTIONS,
        sa.and_(_S.customer_id == _section_keys.c.customer_ids, _S.section == _section_keys.c.sections),
    )
    .order_by(_S.customer_id, _S.section)
    .with_for_update(of=VIEW_SECTIONS),
    row=ViewSection,
)
# In the order of the index for it: those that are drawn already are not read again at each step.
BEHIND = Statement[Any](
    sa.select(_S.customer_id)
    .where(
        _S.section == sa.bindparam("section"),
        _S.schema_version < sa.bindparam("version"),
        _S.content.is_not(None),
    )
    .order_by(_S.schema_version, _S.customer_id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
# Returns what it wrote: not what somebody else wrote first since it was looked for and not found.
SAVE_SECTIONS = Bulk[Any](
    VIEW_SECTIONS,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["customer_id", "section"],
        set_={c.name: insert.excluded[c.name] for c in _S if not c.primary_key},
        where=_S.version < insert.excluded.version,
    ).returning(_S.customer_id),
)

ENDED_IN_VIEW = 20
LIVE_IN_VIEW = 50
_P, _S, _V = VIEW_PARTS.c, VIEW_SECTIONS.c, VIEWS.c


@dataclass(slots=True)
class ShownPart:
    """A part that the view shows."""

    customer_id: UUID
    kind: str
    part: bytes
    ended: bool
    urgent: bool

    @property
    def whose_id(self) -> UUID:
        """By which name it was told."""
        return self.customer_id


# Sections, each drawn as a view of its own, are part of a view that they are appended to; also of customers
# of whom nothing was told yet.
_asked = rows_of("asked", customer_ids=sa.Uuid())
_of_each = _latest_sections(_asked.c.customer_ids).correlate(_asked).lateral("section")
_drawn = sa.func.array_agg(aggregate_order_by(_of_each.c.drawn, _of_each.c.section))
_sections = sa.select(_drawn.label("sections")).select_from(_of_each).lateral("drawn")
_beside = beside(_asked.c.customer_ids)
_known: Any = functools.reduce(lambda known, each: known.join(each, sa.true()), [_sections, *_beside], _asked)
# By the ids that are asked for: `customer_id` is the one that survives, NULL without a view.
VIEWS_BY_ID = Statement[Any](
    sa.select(_asked.c.customer_ids.label("asked"), _V.customer_id, _V.view, _sections.c.sections)
    .add_columns(*(column for each in _beside for column in each.c))
    .select_from(_known.outerjoin(VIEWS, _V.customer_id == survivor_of(_asked.c.customer_ids)))
)

# A view's row is what serialises its projectors: made when missing, then locked, both in the order of the
# ids.
ENSURE_VIEWS = Bulk[Any](VIEWS, lambda insert: insert.on_conflict_do_nothing(index_elements=["customer_id"]))
LOCKED_VIEWS = Statement(
    sa.select(*(_V[name] for name in ViewRow.__dataclass_fields__))
    .where(among(_V.customer_id, "customer_ids"))
    .order_by(_V.customer_id)
    .with_for_update(),
    row=ViewRow,
)
VIEW_ROWS = Statement(
    sa.select(*(_V[name] for name in ViewRow.__dataclass_fields__)).where(
        among(_V.customer_id, "customer_ids")
    ),
    row=ViewRow,
)
_new = rows_of("new", **{c.name: c.type for c in _V})
SAVE_VIEWS = Statement[Any](
    sa.update(VIEWS)
    .where(_V.customer_id == _new.c.customer_id)
    .values(**{c.name: _new.c[c.name] for c in _V if not c.primary_key})
)

_part_keys = rows_of("keys", customer_ids=sa.Uuid(), resources=sa.Text())
PARTS = Statement(
    sa.select(VIEW_PARTS).join_from(
        _part_keys,
        VIEW_PARTS,
        sa.and_(_P.customer_id == _part_keys.c.customer_ids, _P.resource == _part_keys.c.resources),
    ),
    row=PartRow,
)
SAVE_PARTS = Bulk[Any](VIEW_PARTS, replaced)
DELETE_PARTS = Statement[Any](
    sa.delete(VIEW_PARTS).where(
        _P.customer_id == _part_keys.c.customer_ids, _P.resource == _part_keys.c.resources
    )
)

# For views that are rendered anew: everything that is kept.
LIVE_PARTS = Statement[Any](
    sa.select(_P.customer_id, _P.kind, sa.func.count().label("live"))
    .where(among(_P.customer_id, "customer_ids"), ~_P.ended)
    .group_by(_P.customer_id, _P.kind)
)
PARTS_OF = Statement(
    sa.select(VIEW_PARTS).where(among(_P.customer_id, "customer_ids")).order_by(_P.customer_id, _P.resource),
    row=PartRow,
)
HELD_VIEWS = Statement[Any](sa.select(_V.customer_id, _V.view).where(among(_V.customer_id, "customer_ids")))
SIZES = Statement[Any](
    sa.select(
        _V.customer_id,
        sa.select(sa.func.count())
        .select_from(VIEW_PARTS)
        .where(_P.customer_id == _V.customer_id)
        .scalar_subquery()
        .label("parts"),
    ).where(among(_V.customer_id, "customer_ids"))
)
_after = sa.bindparam("after", type_=sa.Uuid)


def _next(column: sa.ColumnElement[Any]) -> sa.Select[Any]:
    some = sa.select(column.label("id")).where(column > _after).order_by(column)
    return sa.select(some.limit(sa.bindparam("limit", type_=sa.Integer)).subquery().c.id)


_everybody = sa.union(_next(_V.customer_id), _next(CUSTOMERS.c.id)).subquery("everybody")
# Whoever has a view or is to have one, in the order of their ids.
NEXT_CUSTOMERS = Statement[Any](
    sa.select(_everybody.c.id).order_by(_everybody.c.id).limit(sa.bindparam("limit", type_=sa.Integer))
)
_lost = rows_of("lost", customer_ids=sa.Uuid())


def _last(column: sa.ColumnElement[Any], whose: sa.ColumnElement[Any]) -> Any:
    return sa.select(sa.func.max(column)).where(whose == _lost.c.customer_ids).scalar_subquery()


LAST_CHANGES = Statement[Any](
    sa.select(
        _lost.c.customer_ids.label("customer_id"),
        sa.func.greatest(
            _last(_P.change_time, _P.customer_id),
            _last(TIMELINE.c.occur_time, TIMELINE.c.customer_id),
            _last(CUSTOMERS.c.update_time, CUSTOMERS.c.id),
        ).label("at"),
    )
)

_kinds = rows_of("kinds", kinds=sa.Text())


def _first(ended: bool, limit: int, *order: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The first parts of each customer and kind: so many steps along an index, however many there are."""
    first = (
        sa.select(VIEW_PARTS)
        .where(
            _P.customer_id == _asked.c.customer_ids,
            _P.kind == _kinds.c.kinds,
            _P.ended if ended else ~_P.ended,
        )
        .order_by(*order, _P.change_time.desc(), _P.resource)
        .limit(sa.literal_column(str(limit)))
        .lateral("ended" if ended else "live")
    )
    names = ("customer_id", "kind", "part", "ended", "urgent", "change_time", "resource")
    shown = (first.c[name] for name in names)
    return sa.select(*shown).select_from(_asked.join(_kinds, sa.true()).join(first, sa.true()))


_shown = sa.union_all(
    _first(False, LIVE_IN_VIEW + 1, _P.urgent.desc()), _first(True, ENDED_IN_VIEW + 1)
).subquery("shown")
# What the views of several customers show: of each kind what is live, the urgent before others, and the
# latest that ended, one more of each than is shown; latest change first.
SHOWN_PARTS = Statement(
    sa.select(*(_shown.c[name] for name in ShownPart.__dataclass_fields__)).order_by(
        _shown.c.change_time.desc(), _shown.c.resource
    ),
    row=ShownPart,
)


@dataclass(slots=True)
class SetAside:
    """A fact that could not be applied: see `chassis.db.schema.PARKED`."""

    source: str
    resource: str
    type: str
    customer: str
    state: str
    parked_at: datetime


_consumers = rows_of("consumers", consumers=sa.Text())
_aside = (
    sa.select(*(PARKED.c[name] for name in SetAside.__dataclass_fields__))
    .where(PARKED.c.consumer == _consumers.c.consumers)
    .order_by(PARKED.c.customer != "", PARKED.c.parked_at.desc())
    .limit(sa.bindparam("most"))
    .lateral("aside")
)
# Facts that wait or were given up on, so many of each consumer: a flood of one hides no other's. Those that
# name no customer before others, then the latest first.
SET_ASIDE = Statement(
    sa.select(*_aside.c)
    .select_from(_consumers.join(_aside, sa.true()))
    .order_by(_aside.c.customer != "", _aside.c.parked_at.desc()),
    row=SetAside,
)
