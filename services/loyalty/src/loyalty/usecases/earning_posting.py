"""Posting what was reckoned: members, accounts, caps and transfers, locked in the one order of all."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.db.failures import held_by_others
from chassis.db.transaction import Transaction
from loyalty.domain.earner import Earner
from loyalty.domain.earning import EVERYBODY, Earning, Holding, Moved, by_holding
from loyalty.domain.ledger import Account, HeldAccount, Leg, Order
from loyalty.domain.lots import LotPolicy
from loyalty.domain.membership import Membership, MembershipState
from loyalty.domain.purchase_lines import Line
from loyalty.store import earning as store
from loyalty.store.ledger import OPEN_ACCOUNTS
from loyalty.store.memberships import SUCCESSORS
from loyalty.usecases.attached import attached
from loyalty.usecases.book import Book
from loyalty.usecases.earning_caps import cap
from loyalty.usecases.earning_metrics import count_given
from loyalty.usecases.evaluating import Bands, Members, Reckoning, earner_of
from loyalty.usecases.memberships import earning_memberships, join_missing
from loyalty.usecases.taking_back import Gain, accounts_of, brought_by, expired_of, paid_first, take_back


async def post_all(
    tx: Transaction,
    reckonings: Sequence[Reckoning],
    bands: Bands,
    returned: Mapping[UUID, Sequence[Line]],
    acting: Callable[[int], None] = lambda _: None,
) -> None:
    """Ask the rules, and post what each earns more, or less, than before.

    `returned` is what was given back of lines, by purchase.
    """
    customers = {each.customer_id for each in reckonings}
    members = {
        program: dict(await earning_memberships(tx, program, customers))
        for program in {rule.program_id for each in reckonings for rule in each.rules}
    }
    for each in reckonings:
        if each.ask:
            each.given = each.ask(members, bands, None)
            await asyncio.sleep(0)  # a batch may ask much: others are answered meanwhile
    await _join(tx, reckonings, members)
    book, moved = await _lock(tx, reckonings)
    _see_closed(book, reckonings, members, bands)
    await cap(tx, reckonings, members, bands, returned)
    await _post(book, moved, reckonings, acting)
    await book.write()
    count_given(tx, reckonings)
    new = [each for each in reckonings if each.kept is None]
    rows = {each.id: _row(tx, each, _earners(each, members, bands)) for each in reckonings}
    await store.INSERT_EARNINGS.rows(tx, [rows[each.id] for each in new])
    await store.SAVE_EARNINGS.rows(tx, [rows[each.id] for each in reckonings if each.kept])


async def _join(
    tx: Transaction, reckonings: Sequence[Reckoning], members: dict[str, dict[UUID, Membership]]
) -> None:
    """Make those members who earn something and are none yet."""
    for program, of in members.items():
        new = {
            each.customer_id
            for each in reckonings
            for given in each.given
            if given.program == program and given.member == EVERYBODY and any(given.points)
        }
        of |= await join_missing(tx, program, new)
    for each in reckonings:
        for given in each.given:
            if given.member == EVERYBODY and (joined := members.get(given.program, {}).get(each.customer_id)):
                given.member = joined.id


def _account(holding: Holding, customer_id: UUID, at: datetime) -> Account:
    member = Membership(holding.member, holding.program, customer_id, at, at)
    return Account.of_member(member, holding.unit, at)


async def _lock(tx: Transaction, reckonings: Sequence[Reckoning]) -> tuple[Book, Mapping[str, str]]:
    """Lock every account that may be moved, opened where there is none; where those of merged ones are."""
    accounts: dict[UUID, Account] = {}
    for each in reckonings:
        for holding in {given.holding for given in each.given if given.may_give} | each.before.keys():
            account = _account(holding, each.customer_id, tx.now)
            accounts[account.id] = account
    await OPEN_ACCOUNTS.rows(tx, [accounts[each] for each in sorted(accounts)])
    names = {name for account in accounts.values() for name in accounts_of(account, tx.now)}
    kept = any(each.kept for each in reckonings)
    had = [account.name for account in accounts.values()] if kept else []
    # What is taken back may have ended: the program's own are locked together, in the one order.
    names |= {expired_of(account) for account in accounts.values()} if kept else set()
    rows = await SUCCESSORS.all(tx, names=had) if had else []
    moved = {row["was"]: row["became"] for row in rows}
    book = await Book.lock(tx, names | set(moved.values()))
    await book.add({name for was in moved.values() for name in accounts_of(book.accounts[was], tx.now)})
    await _require_unmoved(book, moved)
    return book, moved


async def _require_unmoved(book: Book, moved: Mapping[str, str]) -> None:
    """Have everything begin anew where a membership was merged before its account was locked."""
    closed = [account.name for account in book.members() if account.closed and account.name not in moved]
    if closed and await SUCCESSORS.all(book.tx, names=closed):
        raise held_by_others()


def _see_closed(
    book: Book,
    reckonings: Sequence[Reckoning],
    members: Members,
    bands: Bands,
) -> None:
    """Give nothing to memberships that were closed before their accounts were locked."""
    for each in reckonings:
        late = [
            member
            for given in each.given
            if each.ask and (member := members[given.program].get(each.customer_id))
            if (held := book.accounts.get(Account.of_member(member, given.unit, book.tx.now).name))
            if held.closed and member.state is MembershipState.ACTIVE
        ]
        for member in late:
            member.state = MembershipState.CLOSED
        if late and each.ask:
            each.given = each.ask(members, bands, None)


Gains = list[tuple[Reckoning, HeldAccount, list[Gain]]]


async def _post(
    book: Book,
    moved: Mapping[str, str],
    reckonings: Sequence[Reckoning],
    acting: Callable[[int], None],
) -> None:
    """Post what each earns more, or less, than it did before; of closed memberships nothing moves."""
    gains: Gains = []
    for each in reckonings:
        before, after = each.before, by_holding(each.given)
        for holding in {**after, **before}:
            name = _account(holding, each.customer_id, book.tx.now).name
            more = after[holding] - before[holding]
            if not more or (held := book.accounts[moved.get(name, name)]).closed:
                continue
            if more > 0:
                gains.append((each, held, _gains(each, holding, more)))
            else:
                acting(each.place)
                await _take(book, moved, each, holding, held, -more)
    legs = [Leg(account.name, n, policy) for _, account, parts in gains for policy, n in parts]
    await book.open_pending([Order(legs, "")])
    for each, account, parts in gains:
        acting(each.place)
        why = "reevaluated" if each.job_id else "earned"
        for order in paid_first(book, account, parts, each.purchase_id, why):
            each.moved.append(Moved(book.order(order, caused_by=each.told).id))


def _gains(each: Reckoning, holding: Holding, more: int) -> list[Gain]:
    """What is earned more, by what becomes of it; where some give less, all by the first that gives more."""
    of = {(rule.id, rule.version): rule.lot_policy for rule in each.rules}
    before = each.kept.given if each.kept else []
    gains: dict[LotPolicy | None, int] = {}
    for sign, given in [*((1, now) for now in each.given), *((-1, was) for was in before)]:
        if given.holding == holding and (points := sum(given.standing)):
            policy = of.get((given.rule, given.version))
            gains[policy] = gains.get(policy, 0) + sign * points
    parts = [(policy, n) for policy, n in gains.items() if n]
    return parts if min(n for _, n in parts) > 0 else [(next(p for p, n in parts if n > 0), more)]


async def _take(
    book: Book,
    moved: Mapping[str, str],
    each: Reckoning,
    holding: Holding,
    account: HeldAccount,
    amount: int,
) -> None:
    """Take back from where the purchase's transfers have put it, as far as it is there.

    What was in no lot and was brought by a merge is taken of that, and not of what the whole had before.
    """
    assert each.kept is not None, "what is new has earned nothing before"
    parts: Counter[UUID] = Counter()
    lots = {}
    for lot, put in await attached(book, [of.transfer_id for of in each.kept.moved], moved):
        lots[lot.id] = lot
        parts[lot.id] += put
    if account.membership_id != holding.member:
        brought = await brought_by(book, account, holding.member)
        in_lots = sum(parts[lot_id] for lot_id in parts.keys() - {lot.id for lot in brought})
        plain = max(each.before[holding] - in_lots, 0)
        for lot in brought:
            lots[lot.id], parts[lot.id] = lot, min(lot.remaining, plain)
            plain -= parts[lot.id]
    put_in = [(lots[lot_id], n) for lot_id, n in parts.items()]
    why = "reevaluated" if each.job_id else "taken-back"
    taken = await take_back(book, account, amount, put_in, each.purchase_id, each.told, why)
    each.moved.append(Moved(taken.id))


def _earners(each: Reckoning, members: Members, bands: Bands) -> list[Earner]:
    """Who a purchase was reckoned for, by program: the customer as they are, or as they were then."""
    if each.purchase is None or each.ask is None:
        return each.kept.earners if each.kept else []
    of = {given.program: given.member for given in each.given}
    others = [earner for p, earner in each.earners.items() if p not in of]
    return others + [
        replace(each.earners.get(p) or earner_of(p, each.customer_id, members, bands), member=member)
        for p, member in of.items()
    ]


def _row(tx: Transaction, each: Reckoning, earners: list[Earner]) -> Earning:
    if each.kept is None:
        kept = Earning(each.id, each.customer_id, each.event_type, [], [], tx.now, tx.now, version=0)
    else:
        kept = each.kept
    nobodys = (
        each.purchase is not None and each.purchase.customer_id is None
    )  # whoever claims it, by the rules of then
    return replace(
        kept,
        customer_id=each.customer_id,
        given=each.given,
        moved=[*kept.moved, *each.moved],
        earners=earners,
        update_time=tx.now,
        version=kept.version + 1,
        reevaluation_job_id=None if nobodys else each.job_id or kept.reevaluation_job_id,
    )
