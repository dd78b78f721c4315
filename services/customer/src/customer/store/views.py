"""Statements on the customer view and the parts it is made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from chassis.db.schema import PARKED
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, replaced, rows_of
from customer.store.tables import VIEW_PARTS, VIEW_SECTIONS, VIEWS, PartRow, ViewRow

ENDED_IN_VIEW = 20
LIVE_IN_VIEW = 50
_P, _S, _V = VIEW_PARTS.c, VIEW_SECTIONS.c, VIEWS.c


@dataclass(slots=True)
class ShownPart:
    """A part that the view shows."""

    customer_id: UUID
    kind: str
    part: bytes


# Sections, each drawn as a view of its own, are part of a view that they are appended to.
_drawn = sa.func.string_agg(_S.drawn, aggregate_order_by(sa.literal_column("''::bytea"), _S.section))
_sections = sa.select(_drawn).where(_S.customer_id == _V.customer_id).scalar_subquery()
_whole = _V.view.op("||")(sa.func.coalesce(_sections, sa.literal_column("''::bytea"))).label("view")
VIEW = Statement[Any](sa.select(_whole, _V.version).where(_V.customer_id == sa.bindparam("customer_id")))
VIEWS_BY_ID = Statement[Any](sa.select(_V.customer_id, _whole).where(among(_V.customer_id, "customer_ids")))
# Of customers of whom nothing was told yet.
SECTIONS_BY_ID = Statement[Any](
    sa.select(_S.customer_id, _drawn.label("view"))
    .where(among(_S.customer_id, "customer_ids"))
    .group_by(_S.customer_id)
)

# A view's row is what serialises its projectors: made when missing, then locked, both in the order of the
# ids.
ENSURE_VIEWS = Bulk[Any](VIEWS, lambda insert: insert.on_conflict_do_nothing(index_elements=["customer_id"]))
LOCKED_VIEWS = Statement(
    sa.select(_V.customer_id, _V.update_time, _V.open_promises, _V.open_cases)
    .where(among(_V.customer_id, "customer_ids"))
    .order_by(_V.customer_id)
    .with_for_update(),
    row=ViewRow,
)
_SAVED = (_V.customer_id, _V.view, _V.open_promises, _V.open_cases, _V.update_time)
_new = rows_of("new", **{c.name: c.type for c in _SAVED})
SAVE_VIEWS = Statement[Any](
    sa.update(VIEWS)
    .where(_V.customer_id == _new.c.customer_id)
    .values(**{c.name: _new.c[c.name] for c in _SAVED[1:]}, version=_V.version + 1)
)

_keys = rows_of("keys", customer_ids=sa.Uuid(), resources=sa.Text())
PARTS = Statement(
    sa.select(VIEW_PARTS).join_from(
        _keys, VIEW_PARTS, sa.and_(_P.customer_id == _keys.c.customer_ids, _P.resource == _keys.c.resources)
    ),
    row=PartRow,
)
SAVE_PARTS = Bulk[Any](VIEW_PARTS, replaced)

_asked = rows_of("asked", customer_ids=sa.Uuid())
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
    shown = (first.c[name] for name in ("customer_id", "kind", "part", "change_time", "resource"))
    return sa.select(*shown).select_from(_asked.join(_kinds, sa.true()).join(first, sa.true()))


_shown = sa.union_all(_first(False, LIVE_IN_VIEW, _P.urgent.desc()), _first(True, ENDED_IN_VIEW)).subquery(
    "shown"
)
# What the views of several customers show: of each kind what is live, the urgent before others, and the
# latest that ended; latest change first.
SHOWN_PARTS = Statement(
    sa.select(_shown.c.customer_id, _shown.c.kind, _shown.c.part).order_by(
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
