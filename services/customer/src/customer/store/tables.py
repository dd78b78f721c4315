"""The tables of the customer service, of the entities that they hold."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from chassis.db.tables import table
from customer.domain.consents import Consent, Preferences, Purpose
from customer.domain.customers import Customer
from customer.domain.identifiers import Identifier
from customer.domain.imports import Finding, ImportJob
from customer.domain.sections import SectionSchema, ViewSection
from customer.domain.timeline import TimelineEntry

METADATA = sa.MetaData()


@dataclass(slots=True)
class PartRow:
    """What departments told about one thing of a customer (a promise, a case, the balance).

    The latest fact of each type, and the part of the view they fold to.
    """

    customer_id: UUID
    resource: str
    kind: str
    facts: bytes
    part: bytes
    ended: bool
    urgent: bool
    change_time: datetime


@dataclass(slots=True)
class ViewRow:
    """What a view's row says besides the view: how many parts are live, which cannot be counted each time."""

    customer_id: UUID
    update_time: datetime
    open_promises: int
    open_cases: int


@dataclass(slots=True)
class ImportRow:
    """A row that waits to be applied. Deleted in the transaction that applies it."""

    job_id: UUID
    line: int
    draft: bytes


CUSTOMERS = table(METADATA, "customers", Customer)
# (type, system, normalized_value) is unique where there is a normalized value and it is no phone or fax
# number. The reference to the customer is checked at commit: a new customer's identifiers are inserted first,
# because they decide whether there is a new customer.
IDENTIFIERS = table(METADATA, "identifiers", Identifier)
# Read by (customer_id, occur_time, id). No reference to the customer: facts may overtake the customer they
# are about.
TIMELINE = table(METADATA, "timeline", TimelineEntry)
VIEW_PARTS = table(METADATA, "view_parts", PartRow, key=("customer_id", "resource"))
# The serialised CustomerView of each customer, a function of the tables above.
VIEWS = table(
    METADATA,
    "views",
    ViewRow,
    sa.Column("view", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    key=("customer_id",),
)
SECTION_SCHEMAS = table(METADATA, "section_schemas", SectionSchema)
VIEW_SECTIONS = table(METADATA, "view_sections", ViewSection, key=("customer_id", "section"))
PURPOSES = table(METADATA, "purposes", Purpose)
CONSENTS = table(METADATA, "consents", Consent, key=("customer_id", "id"))
# Every consent ever given or refused, and to whom. Append-only.
CONSENT_HISTORY = table(
    METADATA,
    "consent_history",
    Consent,
    sa.Column("actor", sa.Text, nullable=False),
    key=("customer_id", "id", "version"),
)
_KEPT = sa.Column("update_time", sa.DateTime(timezone=True), nullable=False)  # what is kept has been set
PREFERENCES = table(METADATA, "preferences", Preferences, _KEPT, key=("customer_id",))
IMPORT_JOBS = table(METADATA, "import_jobs", ImportJob)
IMPORT_ROWS = table(METADATA, "import_rows", ImportRow, key=("job_id", "line"))
IMPORT_FINDINGS = table(METADATA, "import_findings", Finding, key=("job_id", "line", "position"))
