"""How a kind of file is read, kept for whoever imports the next one."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from customer.domain.imports import ImportMode
from customer.names import DEPARTMENT, IMPORT_PROFILE


class Kind(StrEnum):
    """What the rows of a file are."""

    CUSTOMERS = "CUSTOMERS"
    PURCHASES = "PURCHASES"
    ORDERS = "ORDERS"
    CONSENTS = "CONSENTS"


class DecimalMark(StrEnum):
    """What separates decimals."""

    POINT = "POINT"
    COMMA = "COMMA"


class DateOrder(StrEnum):
    """What comes first in `03/04/2026`."""

    DAY_FIRST = "DAY_FIRST"
    MONTH_FIRST = "MONTH_FIRST"


@dataclass(frozen=True, slots=True)
class ImportReading:
    """What is said of how a file is read, as in the contract. What is empty each file says itself."""

    mapping: dict[str, str]
    columns: dict[str, str]
    ignored_columns: list[str]
    constants: dict[str, str]
    system: str
    currency_code: str
    decimal_mark: DecimalMark | None
    date_order: DateOrder | None
    date_format: str
    time_zone: str
    region_code: str
    first_date: date | None
    encoding: str
    header_line: int | None
    sheet: str
    promising_department_id: str | None
    mode: ImportMode | None

    promising_department = DEPARTMENT.named("promising_department_id")


@dataclass(slots=True)
class ImportProfile:
    """A reading that a department keeps."""

    id: str
    department_id: str
    kind: Kind
    reading: ImportReading
    create_time: datetime
    update_time: datetime
    version: int = 1

    name = IMPORT_PROFILE.named("id")
    department = DEPARTMENT.named("department_id")
