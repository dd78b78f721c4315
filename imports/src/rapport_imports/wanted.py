"""What may be asked of an import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class WrongOption(Exception):
    """One of `Wanted` cannot be: which, what it was, and, as the message, what is allowed."""

    def __init__(self, option: str, value: str, allowed: str) -> None:
        super().__init__(allowed)
        self.option, self.value = option, value

    @property
    def told(self) -> str:
        """As whoever types commands is told it: `--date-format X: must be ...`."""
        option = f"--{self.option.replace('_', '-')} {self.value}".rstrip()
        return f"{option}: {self}"


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
    `mapping` is FIELD=COLUMN, `constants` FIELD=VALUE of rows in which no column says it. `first` is what
    comes first in dates, `day` or `month`, as a profile says, whose id `profile` is; `needed` are the columns
    that it reads, by field, which the file has to have.
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
    first: str = ""
    profile: str = ""
    needed: Mapping[str, str] = field(default_factory=dict)

    @property
    def mapped(self) -> dict[str, str]:
        """The column of each field that is said. WrongOption."""
        return dict(_pair("map", "COLUMN", text) for text in self.mapping or ())

    @property
    def fixed(self) -> dict[str, str]:
        """What rows have in each field in which no column says it. WrongOption."""
        return dict(_pair("set", "VALUE", text) for text in self.constants or ())


def _pair(option: str, what: str, text: str) -> tuple[str, str]:
    name, separator, said = text.partition("=")
    if not separator:
        raise WrongOption(option, text, f"must be FIELD={what}")
    return name.strip(), said.strip()
