"""Statements on drafts."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement
from desk.store.tables import DRAFTS, Draft

_OF = sa.and_(DRAFTS.c.subject == sa.bindparam("person"), DRAFTS.c.about == sa.bindparam("key"))
_INSERT = insert(DRAFTS)
_OLD = (
    sa.select(DRAFTS.c.subject, DRAFTS.c.about)
    .where(DRAFTS.c.update_time < sa.bindparam("before"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)

GET_DRAFT = Statement(sa.select(DRAFTS).where(_OF), row=Draft)
PUT_DRAFT = Statement[None](
    _INSERT.on_conflict_do_update(
        index_elements=["subject", "about"],
        set_={"fields": _INSERT.excluded.fields, "update_time": _INSERT.excluded.update_time},
    )
)
DELETE_DRAFT = Statement[None](sa.delete(DRAFTS).where(_OF))
DELETE_OLD_DRAFTS = Statement[Any](
    sa.delete(DRAFTS).where(sa.tuple_(DRAFTS.c.subject, DRAFTS.c.about).in_(_OLD)).returning(DRAFTS.c.about)
)
