"""The service's tables, of the entities that they hold."""

import sqlalchemy as sa

from cases.domain.agent import Agent
from cases.domain.case import Case, Note
from cases.domain.promise import Promise
from cases.domain.work_item import WorkItem
from chassis.db.tables import table

METADATA = sa.MetaData()

AGENTS = table(METADATA, "agents", Agent)
CASES = table(METADATA, "cases", Case)
NOTES = table(METADATA, "notes", Note)
WORK_ITEMS = table(METADATA, "work_items", WorkItem)
PROMISES = table(METADATA, "promises", Promise)
