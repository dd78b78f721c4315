"""Templates, and every version of their texts: the highest is the one that is sent."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import updated
from notifications.domain.template import Template, TemplateInLanguages, Text
from notifications.store.tables import TEMPLATES, TEXTS

GET_TEMPLATE = Statement(sa.select(TEMPLATES).where(TEMPLATES.c.id == sa.bindparam("id")), row=Template)
_LANGUAGES = (
    sa.select(TEXTS.c.language_code)
    .where(TEXTS.c.template_id == TEMPLATES.c.id)
    .distinct()
    .order_by(TEXTS.c.language_code)
)
_SHOWN = sa.select(TEMPLATES, sa.func.array(_LANGUAGES.scalar_subquery()).label("language_codes"))
SHOW_TEMPLATE = Statement(_SHOWN.where(TEMPLATES.c.id == sa.bindparam("id")), row=TemplateInLanguages)
LIST_TEMPLATES = Listing(_SHOWN, TEMPLATES.c.id, row=TemplateInLanguages)
# Nothing comes back when there is one already, whoever has made it.
INSERT_TEMPLATE = Statement[Any](insert(TEMPLATES).on_conflict_do_nothing().returning(TEMPLATES.c.id))
UPDATE_TEMPLATE = Statement[None](updated(TEMPLATES))

_OF_TEMPLATE = sa.select(TEXTS).where(TEXTS.c.template_id == sa.bindparam("template_id"))
_LATEST = (
    _OF_TEMPLATE.ext(distinct_on(TEXTS.c.language))
    .order_by(TEXTS.c.language, TEXTS.c.version.desc())
    .subquery("latest")
)
LATEST_TEXTS = Statement(sa.select(_LATEST).order_by(_LATEST.c.language), row=Text)
LIST_TEXTS = Listing(sa.select(_LATEST), _LATEST.c.language, row=Text)
GET_TEXT = Statement(sa.select(_LATEST).where(_LATEST.c.language == sa.bindparam("id")), row=Text)
GET_TEXT_VERSION = Statement(
    _OF_TEMPLATE.where(
        TEXTS.c.language == sa.bindparam("template_text_id"),
        sa.cast(TEXTS.c.version, sa.Text) == sa.bindparam("id"),
    ),
    row=Text,
)
INSERT_TEXT = Statement[None](sa.insert(TEXTS))
SEED_TEXT = Statement[None](insert(TEXTS).on_conflict_do_nothing())
