"""Templates: every version is kept, the highest is the one that is sent."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.api.listing import Listing
from chassis.db.statement import Statement
from notifications.domain.template import Template
from notifications.store.tables import TEMPLATES

_ALL = sa.select(TEMPLATES)
_NEWEST_FIRST = (TEMPLATES.c.id, TEMPLATES.c.version.desc())
_LATEST = _ALL.ext(distinct_on(TEMPLATES.c.id)).order_by(*_NEWEST_FIRST).subquery("latest")
_THIS = TEMPLATES.c.id == sa.bindparam("id")

GET_TEMPLATE = Statement(_ALL.where(_THIS).order_by(TEMPLATES.c.version.desc()).limit(1), row=Template)
GET_TEMPLATE_VERSION = Statement(
    _ALL.where(_THIS, TEMPLATES.c.version == sa.bindparam("version")), row=Template
)
LIST_TEMPLATES = Listing(sa.select(_LATEST), _LATEST.c.id, row=Template)
INSERT_TEMPLATE = Statement[None](sa.insert(TEMPLATES))
SEED_TEMPLATE = Statement[None](insert(TEMPLATES).on_conflict_do_nothing())
