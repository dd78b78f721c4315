"""Who would owe something if purchases were reckoned anew."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.db.database import Database
from loyalty.domain.earning import by_holding
from loyalty.domain.ledger import Account, AccountType
from loyalty.domain.membership import Membership
from loyalty.names import CUSTOMER, UNIT
from loyalty.store.ledger import GET_ACCOUNTS
from loyalty.store.lots import ALLOCATIONS, GET_LOTS
from loyalty.store.memberships import SUCCESSORS
from loyalty.usecases.evaluating import Reckoning


@dataclass(frozen=True, slots=True)
class Debt:
    """Who would owe how much more, in a unit."""

    customer_id: UUID
    program_id: str
    unit_id: str
    owed_points: int

    customer = CUSTOMER.named("customer_id")
    unit = UNIT.named("program_id", "unit_id")


async def debts_of(db: Database, reckonings: Sequence[Reckoning]) -> list[Debt]:
    """Of whom more would be taken than they have, usable or pending, and than ended; the most first."""
    more: Counter[str] = Counter()
    by: dict[str, set[UUID]] = defaultdict(set)
    for each in reckonings:
        after, now = by_holding(each.given), db.clock.now()
        for holding in {**after, **each.before}:
            member = Membership(holding.member, holding.program, each.customer_id, now, now)
            name = Account.of_member(member, holding.unit, now).name
            more[name] += after[holding] - each.before[holding]
            by[name] |= {moved.transfer_id for moved in each.kept.moved} if each.kept else set()
    whole = {row["was"]: row["became"] for row in await SUCCESSORS.all(db, names=list(more))}
    for was, became in whole.items():
        more[became] += more.pop(was)
        by[became] |= by.pop(was)
    losing = [name for name, n in more.items() if n < 0]
    found = []
    for account, has in await _holding(db, losing):
        short = -more[account.name] - has
        if short <= 0 or account.customer_id is None:
            continue
        if (owed := short - await _ended(db, by[account.name])) > 0:
            found.append(Debt(account.customer_id, account.program_id, account.unit_id, owed))
    return sorted(found, key=lambda each: (-each.owed_points, each.customer_id))


async def _holding(db: Database, names: Collection[str]) -> list[tuple[Account, int]]:
    """Members' accounts, and what they have there and pending."""
    accounts = await GET_ACCOUNTS.all(db, names=list(names)) if names else []
    pending = {each.name: each.beside(AccountType.PENDING, each.create_time).name for each in accounts}
    waiting = await GET_ACCOUNTS.all(db, names=list(pending.values())) if pending else []
    waits = {each.name: each.balance for each in waiting}
    return [(each, each.balance + waits.get(pending[each.name], 0)) for each in accounts]


async def _ended(db: Database, transfer_ids: Collection[UUID]) -> int:
    """What of what these transfers gave ended unspent: taking it back costs nothing."""
    put: Counter[UUID] = Counter()
    for each in await ALLOCATIONS.all(db, transfer_ids=list(transfer_ids)):
        put[each.lot_id] += each.amount
    lots = await GET_LOTS.all(db, ids=list(put)) if put else []
    return sum(max(0, min(lot.expired, put[lot.id])) for lot in lots)
