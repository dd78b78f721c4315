"""What a program owes its members, and what became of points in the months before."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from chassis.api.entities import found
from chassis.db.database import Database
from chassis.money import Money
from loyalty.domain.breakage import month_of
from loyalty.domain.ledger import AccountType, own_account
from loyalty.names import UNIT
from loyalty.store.breakage import POSTED
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
    redeemed: int
    expired: int
    breakage: int


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

    @property
    def breakage_basis_points(self) -> int:
        """The part of what went that nobody came for, in hundredths of a percent."""
        expired = sum(month.expired for month in self.months)
        gone = expired + max(0, sum(month.redeemed for month in self.months))
        return expired * 10_000 // gone if gone > 0 else 0

    @property
    def expected_breakage(self) -> int:
        """That part of what is owed."""
        return (self.outstanding + self.pending + self.reserved) * self.breakage_basis_points // 10_000


async def liability(on: Database, program_id: str, unit_id: str, month_count: int) -> Liability:
    """What is owed in a unit, and what became of it in the last months of the program's zone. NotFound."""
    await found(on, UNIT, GET_UNIT, program_id, unit_id)
    zone = ZoneInfo((await GET_PROGRAM.one(on, id=program_id)).time_zone)
    held = {
        row["type"]: row["balance"]
        for row in await HELD_BY_TYPE.all(on, program_id=program_id, unit_id=unit_id)
    }
    posted = await POSTED.all(on, program_id=program_id, unit_id=unit_id)
    of_month = {each.start_time: each.amount for each in posted}
    now, months = on.clock.now(), []
    for back in range(month_count or MONTHS):
        start, end = month_of(now, zone, back), month_of(now, zone, back - 1)
        redeemed, expired = [
            await _got(on, own_account(program_id, unit_id, kind), start, end)
            for kind in (AccountType.REDEEMED, AccountType.EXPIRED)
        ]
        expired += within(posted, start, end)  # what was posted then had ended before
        months.append(Month(start, redeemed, expired, of_month.get(start, 0)))
    return Liability(
        outstanding=held.get(AccountType.MEMBERSHIP, 0),
        pending=held.get(AccountType.PENDING, 0),
        reserved=held.get(AccountType.RESERVED, 0),
        months=months,
        unposted_breakage=held.get(AccountType.EXPIRED, 0),
        posted_breakage=sum(of_month.values()),
        vouchers=await _vouchers(on, program_id),
    )


async def _vouchers(on: Database, program_id: str) -> list[Vouchers]:
    return [
        Vouchers(row["count"], Money(row["amount"], row["currency"]) if row["currency"] else None)
        for row in await OWED.all(on, program_id=program_id, now=on.clock.now())
    ]


async def _got(on: Database, name: str, start: datetime, end: datetime) -> int:
    """What an account of the program's own got in a time, in all its slots."""
    accounts = await GET_ACCOUNTS.all(on, names=[name])
    return sum(
        each.closing - each.opening for each in await spans(on, accounts[0] if accounts else None, start, end)
    )
