"""What a program owes its members, and what became of points in the months before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from chassis.api.entities import found
from chassis.db.database import Database
from chassis.money import Money
from loyalty.domain.breakage import month_of
from loyalty.domain.ledger import AccountType, own_account
from loyalty.domain.program import UnitValue
from loyalty.names import UNIT
from loyalty.store.breakage import ISSUED_IN, POSTED
from loyalty.store.ledger import GET_ACCOUNTS, HELD_BY_TYPE
from loyalty.store.tables import GET_PROGRAM, GET_UNIT
from loyalty.store.vouchers import OWED
from loyalty.usecases.breakage import within
from loyalty.usecases.statements import spans

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Month:
    """What became of points in a month."""

    start_time: datetime
    issued: int
    goodwill: int  # of what was issued
    redeemed: int
    expired: int
    breakage: int
    worth: UnitValue | None

    @property
    def issued_value(self) -> Money | None:
        """What was issued is worth."""
        return self.worth.of(self.issued) if self.worth else None

    @property
    def redeemed_value(self) -> Money | None:
        """What was redeemed is worth."""
        return self.worth.of(self.redeemed) if self.worth else None


@dataclass(frozen=True, slots=True)
class Vouchers:
    """How many there are of a currency, and what is left of them; None of what is worth no amount."""

    count: int
    money: Money | None


@dataclass(frozen=True, slots=True)
class Liability:
    """What is owed, in whole units."""

    outstanding: int
    pending: int
    reserved: int
    months: list[Month]
    unposted_breakage: int
    posted_breakage: int
    vouchers: list[Vouchers]
    worth: UnitValue | None

    @property
    def owed(self) -> int:
        """What members hold, whether they can spend it now or not."""
        return self.outstanding + self.pending + self.reserved

    @property
    def owed_value(self) -> Money | None:
        """What that is worth."""
        return self.worth.of(self.owed) if self.worth else None

    @property
    def expected_breakage_value(self) -> Money | None:
        """What of it nobody will come for is worth."""
        return self.worth.of(self.expected_breakage) if self.worth else None

    @property
    def breakage_basis_points(self) -> int:
        """The part of what went that nobody came for, in hundredths of a percent."""
        expired = sum(month.expired for month in self.months)
        gone = expired + max(0, sum(month.redeemed for month in self.months))
        return expired * 10_000 // gone if gone > 0 else 0

    @property
    def expected_breakage(self) -> int:
        """That part of what is owed."""
        return self.owed * self.breakage_basis_points // 10_000


async def liability(on: Database, program_id: str, unit_id: str, month_count: int) -> Liability:
    """What is owed in a unit, and what became of it in the last months of the program's zone. NotFound."""
    worth = (await found(on, UNIT, GET_UNIT, program_id, unit_id)).value
    zone = ZoneInfo((await GET_PROGRAM.one(on, id=program_id)).time_zone)
    held = {
        row["type"]: row["balance"]
        for row in await HELD_BY_TYPE.all(on, program_id=program_id, unit_id=unit_id)
    }
    posted = await POSTED.all(on, program_id=program_id, unit_id=unit_id)
    of_month = {each.start_time: each.amount for each in posted}
    now, months = on.clock.now(), []
    times = [
        (month_of(now, zone, back), month_of(now, zone, back - 1)) for back in range(month_count or MONTHS)
    ]
    issued, goodwill = await _issued(on, program_id, unit_id, times)
    for start, end in times:
        redeemed, expired = [
            await _got(on, own_account(program_id, unit_id, kind), start, end)
            for kind in (AccountType.REDEEMED, AccountType.EXPIRED)
        ]
        expired += within(posted, start, end)  # what was posted then had ended before
        posted_then = of_month.get(start, 0)
        given = issued[start], goodwill[start]
        months.append(Month(start, *given, redeemed, expired, posted_then, worth))
    return Liability(
        outstanding=held.get(AccountType.MEMBERSHIP, 0),
        pending=held.get(AccountType.PENDING, 0),
        reserved=held.get(AccountType.RESERVED, 0),
        months=months,
        unposted_breakage=held.get(AccountType.EXPIRED, 0),
        posted_breakage=sum(of_month.values()),
        vouchers=await _vouchers(on, program_id),
        worth=worth,
    )


async def _vouchers(on: Database, program_id: str) -> list[Vouchers]:
    return [
        Vouchers(row["count"], Money(row["amount"], row["currency"]) if row["currency"] else None)
        for row in await OWED.all(on, program_id=program_id, now=on.clock.now())
    ]


async def _issued(
    on: Database, program_id: str, unit_id: str, times: Sequence[tuple[datetime, datetime]]
) -> tuple[Counter[datetime], Counter[datetime]]:
    """What members got in each of some times, less what was taken back of it; and what of it was goodwill."""
    issued, goodwill = Counter[datetime](), Counter[datetime]()
    starts, ends = [list(each) for each in zip(*times, strict=True)]
    of = {"program_id": program_id, "unit_id": unit_id, "starts": starts, "ends": ends}
    for row in await ISSUED_IN.all(on, **of):
        issued[row["start"]] += row["amount"]
        if row["type"] == AccountType.GOODWILL:
            goodwill[row["start"]] += row["amount"]
    return issued, goodwill


async def _got(on: Database, name: str, start: datetime, end: datetime) -> int:
    """What an account of the program's own got in a time, in all its slots."""
    accounts = await GET_ACCOUNTS.all(on, names=[name])
    return sum(
        each.closing - each.opening for each in await spans(on, accounts[0] if accounts else None, start, end)
    )
