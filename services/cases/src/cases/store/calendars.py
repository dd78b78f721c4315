"""Versions of calendars: the table and the statements on it."""

import sqlalchemy as sa

from cases.domain.calendar import Calendar
from cases.store.tables import METADATA
from chassis.api.listing import Listing
from chassis.db.tables import table
from chassis.db.versions import versioned

CALENDAR_VERSIONS = table(METADATA, "calendar_versions", Calendar, key=("id", "version"))

LATEST, CALENDAR, CALENDAR_VERSION, INSERT_CALENDAR = versioned(CALENDAR_VERSIONS, Calendar)
LIST_CALENDARS = Listing(sa.select(LATEST), LATEST.c.id, row=Calendar)
