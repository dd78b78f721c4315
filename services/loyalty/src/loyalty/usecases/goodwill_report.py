"""What goodwill cost each department, month by month, as the ledger has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from chassis.db.database import Database
from chassis.errors import invalid
from chassis.money import Currency, Money
from loyalty.domain.goodwill import MONEY_PROGRAM, PROGRAM
from loyalty.names import DEPARTMENT, UNIT
from loyalty.store.goodwill import COSTS
from loyalty.store.tables import GET_PROGRAM


@dataclass(frozen=True, slots=True)
class Cost:
    """What goodwill cost one department in one month, in one unit."""

    department: str
    month: date
    unit: str
    points: int
    money: Money | None


async def report_costs(db: Database, first_month: date, month_count: int) -> list[Cost]:
    """What moved on the accounts of goodwill, of each department that something moved for.

    Months are those of the main program's zone. InvalidArgument for one that there is not.
    """
    zone = ZoneInfo((await GET_PROGRAM.one(db, id=PROGRAM)).time_zone)
    months = list(_months(first_month, month_count or 1))
    starts = [datetime(month.year, month.month, 1, tzinfo=zone) for month in months]
    rows = await COSTS.all(db, starts=starts[:-1], ends=starts[1:])
    zoned = [row | {"month": row["start"].astimezone(zone).date()} for row in map(dict, rows)]
    return [_cost(row) for row in zoned]


def _months(first: date, count: int) -> Iterator[date]:
    """The first days of so many months, and of the one after them."""
    for i in range(first.month - 1, first.month + count):
        year = first.year + i // 12
        if year > 9999:
            raise invalid("first_month", "INVALID_TIME", "must be a month of which the next there is")
        yield date(year, i % 12 + 1, 1)


def _cost(row: dict[str, object]) -> Cost:
    program, unit, amount = str(row["program_id"]), str(row["unit_id"]), int(str(row["amount"]))
    department = DEPARTMENT.format(row["owner_code"]) if row["owner_code"] else ""
    money = None
    if program == MONEY_PROGRAM:
        currency = Currency.of(unit.upper())
        money = Money(currency.amount(amount) + Decimal(0), currency.code)
    points = 0 if money else amount
    return Cost(department, row["month"], UNIT.format(program, unit), points, money)  # type: ignore[arg-type]
