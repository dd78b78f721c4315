"""What may be asked of an import."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class WrongOption(Exception):
    """One of `Wanted` cannot be: which, what it was, and, as the message, what is allowed."""

    def __init__(self, option: str, value: str, allowed: str) -> None:
        super().__init__(allowed)
        self.option, self.value = option, value


class Kind(StrEnum):
    """What the rows are."""

    CUSTOMERS = "customers"
    PURCHASES = "purchases"
    ORDERS = "orders"
    CONSENTS = "consents"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. Where it is empty, the file says it, or how its refused rows were read before.

    `header_row` is the line that names the columns, 0 where none does, None to find it.
    `mapping` is FIELD=COLUMN, `constants` FIELD=VALUE of rows in which no column says it.
    """

    kind: Kind
    file: Path
    mapping: Sequence[str] | None = None
    ignore: Sequence[str] | None = None
    constants: Sequence[str] | None = None
    system: str = ""
    currency: str = ""
    decimal: str = ""
    department: str = ""
    date_format: str = ""
    time_zone: str = ""
    country: str = ""
    day_one: str = ""
    encoding: str = ""
    header_row: int | None = None
    sheet: str = ""
    errors: Path | None = None
    dry_run: bool = False
    confirm: bool = False
    only: str = ""  # of customers, the "new" or the "known" alone
