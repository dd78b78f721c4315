"""Versions of calendars: the table and the statements on it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from cases.domain.calendar import Calendar
from cases.store.tables import METADATA
from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import table

CALENDAR_VERSIONS = table(METADATA, "calendar_versions", Calendar, key=("id", "version"))

_OF_CALENDAR = sa.select(CALENDAR_VERSIONS).where(CALENDAR_VERSIONS.c.id == sa.bindparam("id"))
_LATEST = (
    sa.select(CALENDAR_VERSIONS)
    .ext(distinct_on(CALENDAR_VERSIONS.c.id))
    .order_by(CALENDAR_VERSIONS.c.id, CALENDAR_VERSIONS.c.version.desc())
    .subquery("latest")
)
CALENDAR = Statement(_OF_CALENDAR.order_by(CALENDAR_VERSIONS.c.version.desc()).limit(1), row=Calendar)
CALENDAR_VERSION = Statement(
    _OF_CALENDAR.where(CALENDAR_VERSIONS.c.version == sa.bindparam("version")), row=Calendar
)
LIST_CALENDARS = Listing(sa.select(_LATEST), _LATEST.c.id, row=Calendar)
INSERT_CALENDAR = Statement[Any](sa.insert(CALENDAR_VERSIONS))
