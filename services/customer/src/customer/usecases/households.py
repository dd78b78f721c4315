"""Balances that several customers see: who belongs to a membership, and what its accounts hold.

What is kept of a membership is what was told last of each customer and of each account, by the versions of
the facts: the same whatever the order and however often they arrive. Every view of a balance follows from
that, under the lock of the membership's row.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from chassis.db.transaction import Transaction
from customer.store import households as store
from customer.store.tables import HouseholdRow
from customer.usecases.parts import About, Fact, PartKind, kept_facts, merged
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty

JOINED, LEFT = loyalty.MemberJoined.DESCRIPTOR.full_name, loyalty.MemberLeft.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True)
class News:
    """A fact about a membership: of an account of it, or that a customer came to belong to it or left.

    `account` is "" of who came or left, and `customer_id` they; of an account, whom the membership was made
    for, None of nobody.
    """

    membership: str
    account: str
    customer_id: UUID | None
    fact: Fact


class Presence(msgspec.Struct, frozen=True, array_like=True):
    """Whether a customer belongs to a membership, as of a version of it."""

    version: int
    is_member: bool


class Household(msgspec.Struct, array_like=True):
    """What was told of a membership: its customers, and the facts of each account as `merged` keeps them."""

    members: dict[UUID, Presence] = {}
    accounts: dict[str, bytes] = {}


@dataclass(slots=True)
class Shared:
    """What views show of memberships from now on, by customer, and the accounts that they show no more."""

    shown: list[tuple[UUID, About]] = field(default_factory=list)
    gone: list[tuple[UUID, str]] = field(default_factory=list)

    @property
    def customers(self) -> set[UUID]:
        """Whose views change."""
        return {customer_id for customer_id, _ in (*self.shown, *self.gone)}


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Household)


async def hear(tx: Transaction, news: Iterable[News]) -> Shared:
    """Keep what was told of memberships, which stay locked; returns what that changes in views."""
    told: dict[str, list[News]] = defaultdict(list)
    for each in news:
        told[each.membership].append(each)
    shared = Shared()
    if not told:
        return shared
    names, nothing = sorted(told), _ENCODER.encode(Household())
    await store.ENSURE_HOUSEHOLDS.rows(tx, [HouseholdRow(each, nothing) for each in names])
    rows = await store.LOCKED_HOUSEHOLDS.all(tx, memberships=names)
    for row in rows:
        household = _DECODER.decode(row.told)
        show(household, learn(household, told[row.membership]), shared)
        row.told = _ENCODER.encode(household)
    await store.SAVE_HOUSEHOLDS.rows(tx, rows)
    return shared


def learn(household: Household, news: Sequence[News]) -> set[tuple[UUID, str]]:
    """Keep what was told of a membership; returns of whom which accounts are to be looked at again.

    Whom it was made for belongs to it until it is told that they left: that they came is not told.
    """
    again = set()
    for each in news:
        who, fact = each.customer_id, each.fact
        if each.account:
            household.accounts[each.account] = merged(household.accounts.get(each.account, b""), [fact])
            if who:
                household.members.setdefault(who, Presence(0, True))
                again.add((who, each.account))
            again |= {(member, each.account) for member, of in household.members.items() if of.is_member}
        elif who and ((before := household.members.get(who)) is None or before.version < fact.version):
            household.members[who] = Presence(fact.version, fact.type == JOINED)
            again |= {(who, account) for account in household.accounts}
    return again


def show(household: Household, again: Iterable[tuple[UUID, str]], shared: Shared) -> None:
    """Add to `shared` what members see of these accounts, and that others do not see them."""
    for who, account in sorted(again):
        if household.members[who].is_member:
            facts = kept_facts(household.accounts[account])
            shared.shown += [(who, About(PartKind.BALANCE, account, fact)) for fact in facts]
        else:
            shared.gone.append((who, account))
