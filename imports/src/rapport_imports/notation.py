"""How a file writes things, as far as somebody says or the whole of it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from chassis.money import Currency


@dataclass(frozen=True, slots=True)
class Notation:
    """How a file writes things."""

    currency: Currency  # of amounts that do not say; the installation's unless somebody says otherwise
    decimal: str = ""  # the decimal separator; empty when each amount shows its own
    date_format: str = ""  # as `strptime` takes it; empty for what can be told without
    first: str = ""  # `day` or `month`, what begins a date with slashes
    country: str = ""  # of rows that do not say
    # Where times that do not say are meant, and where days are days.
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009 - it never changes
    day_one: date | None = None  # what day 1 is, of dates that are numbers of days
    # What rows have of a field that no column of theirs says.
    constants: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False  # whether each cell says what it says, and of several values one on each line
