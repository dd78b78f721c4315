"""Statements on sections and their schemas."""

from typing import Any

import sqlalchemy as sa

from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of
from customer.domain.sections import SectionSchema, ViewSection
from customer.store.tables import SECTION_SCHEMAS, VIEW_SECTIONS

_C, _S = SECTION_SCHEMAS.c, VIEW_SECTIONS.c
_CUSTOMER = _S.customer_id == sa.bindparam("customer_id")
_IN_USE = _C.version != _C.deleted_version

SCHEMA = Statement(sa.select(SECTION_SCHEMAS).where(_C.id == sa.bindparam("id"), _IN_USE), row=SectionSchema)
SCHEMAS_BY_ID = Statement(sa.select(SECTION_SCHEMAS).where(among(_C.id, "ids")), row=SectionSchema)
LIST_SCHEMAS = Listing(sa.select(SECTION_SCHEMAS).where(_IN_USE), _C.id, row=SectionSchema)
COUNT_SCHEMAS = Statement[Any](
    sa.select(
        sa.func.count().label("all"),
        sa.func.count().filter(_C.department_id == sa.bindparam("department_id")).label("own"),
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
            for c in _C
            if c.name not in ("id", "department_id", "create_time")
        },
    ),
)

SECTION = Statement(
    sa.select(VIEW_SECTIONS).where(_CUSTOMER, _S.section == sa.bindparam("id"), _S.content.is_not(None)),
    row=ViewSection,
)
LIST_SECTIONS = Listing(
    sa.select(VIEW_SECTIONS).where(_CUSTOMER, _S.content.is_not(None)), _S.section, row=ViewSection
)
_keys = rows_of("keys", customer_ids=sa.Uuid(), sections=sa.Text())
# Sections are locked in the order of their keys.
LOCKED_SECTIONS = Statement(
    sa.select(VIEW_SECTIONS)
    .join_from(
        _keys, VIEW_SECTIONS, sa.and_(_S.customer_id == _keys.c.customer_ids, _S.section == _keys.c.sections)
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
