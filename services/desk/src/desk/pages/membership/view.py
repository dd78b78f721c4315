"""What the page says of a membership."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chassis.api.messages import exact, moment
from desk.language.catalogues import N_
from desk.ui import words
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.card_pb2 import Card
from rapport.loyalty.v1.entry_pb2 import Entry
from rapport.loyalty.v1.lot_pb2 import Lot
from rapport.loyalty.v1.member_pb2 import Member
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.tier_pb2 import Tier, TierStanding

STATES = {
    Membership.STATE_CLOSED: N_("This membership is closed."),
    Membership.STATE_MERGED: N_("This membership is part of another."),
}


@dataclass(frozen=True)
class Found:
    """What was asked of one account."""

    account: Account
    lots: Sequence[Lot]
    entries: Sequence[Entry]


@dataclass(frozen=True)
class End:
    """What ends on one day, or never."""

    day: str
    amount: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Line:
    """A line of a statement."""

    when: str
    what: str
    amount: str
    balance: str


@dataclass(frozen=True)
class Holding:
    """What is held in one unit."""

    account: str
    title: str
    usable: str
    pending: str
    reserved: str
    ends: Sequence[End]
    lines: Sequence[Line]


@dataclass(frozen=True)
class Standing:
    """The tier, and how far it is to this and the next."""

    name: str
    title: str
    since: str
    review: str
    keep: str
    to_next: str
    parts: Sequence[Part]
    spoken: str


@dataclass(frozen=True)
class Person:
    """Who belongs to it, or did."""

    href: str
    title: str
    role: str
    since: str
    until: str


@dataclass(frozen=True)
class Plastic:
    """A card, by the end of its number."""

    number: str
    state: str
    since: str


@dataclass(frozen=True)
class Page:
    """The page."""

    customer: str
    title: str
    name: str
    state: str
    holdings: Sequence[Holding]
    standing: Standing | None
    people: Sequence[Person]
    cards: Sequence[Plastic]


class Make:
    """Says it, in somebody's language; `known` has customers by their names."""

    def __init__(self, say: Speech, known: Mapping[str, Customer]) -> None:
        self.say, self.known = say, known

    def page(
        self,
        customer: str,
        membership: Membership,
        accounts: Sequence[Account],
        units: Iterable[Found],
        standing: TierStanding,
        tiers: Iterable[Tier],
        members: Iterable[Member],
        cards: Iterable[Card],
    ) -> Page:
        """All of it."""
        return Page(
            customer=customer,
            title=self._called(customer),
            name=membership.name,
            state=self.say(STATES[membership.state]) if membership.state in STATES else "",
            holdings=[self._holding(each, accounts) for each in units],
            standing=self._standing(standing, {each.name: each for each in tiers}),
            people=[self._person(each) for each in members],
            cards=[self._card(each) for each in cards],
        )

    def nobody(self, customer: str) -> Page:
        """Of a customer who is in none."""
        told = self.say("They are in no membership yet.")
        return Page(customer, self._called(customer), "", told, [], None, [], [])

    def _called(self, customer: str) -> str:
        found = self.known.get(customer)
        return (found.display_name if found else "") or self.say("A customer")

    def _holding(self, found: Found, accounts: Iterable[Account]) -> Holding:
        beside = {each.type: each.balance for each in accounts if each.unit == found.account.unit}
        number = self.say.number
        return Holding(
            account=found.account.name,
            title=self.say.titled(words.last(found.account.unit)),
            usable=number(found.account.balance),
            pending=number(beside.get(Account.TYPE_PENDING, 0)),
            reserved=number(beside.get(Account.TYPE_RESERVED, 0)),
            ends=self._ends(found),
            lines=[self._line(each) for each in found.entries],
        )

    def _ends(self, found: Found) -> list[End]:
        """What can be spent, by the day on which it ends; what never does comes last."""
        amounts: Counter[datetime | None] = Counter()
        for lot in found.lots:
            if lot.state == Lot.STATE_ACTIVE:
                amounts[moment(lot.expire_time) if lot.HasField("expire_time") else None] += lot.remaining
        amounts[None] += max(0, found.account.balance - sum(amounts.values()))
        most = max(amounts.values())
        days = sorted(day for day in amounts if day is not None)
        return [
            End(
                day=self.say.on(day) if day else self.say("never"),
                amount=self.say.number(amounts[day]),
                parts=stacked({"kept" if day is None else "late": amounts[day]}, most),
            )
            for day in [*days, None]
            if amounts[day]
        ]

    def _line(self, entry: Entry) -> Line:
        number = self.say.number
        return Line(
            when=self.say.moment(moment(entry.post_time)),
            what=self.say.titled(entry.reason_code),
            amount=f"{'+' if entry.amount > 0 else '-'}{number(abs(entry.amount))}",
            balance=number(entry.balance),
        )

    def _standing(self, standing: TierStanding, tiers: Mapping[str, Tier]) -> Standing | None:
        if not standing.HasField("progress"):
            return None
        say, has, following = self.say, tiers.get(standing.tier), tiers.get(standing.next_tier)
        progress, towards = exact(standing.progress), following or has
        goal = exact(towards.threshold) if towards else Decimal(0)
        keep = exact(standing.missing_to_keep) if standing.HasField("missing_to_keep") else None
        spoken = say("{n} of {goal}", n=say.number(progress), goal=say.number(goal))
        return Standing(
            name=standing.name,
            title=has.display_name if has else say("No tier yet"),
            since=say.on(moment(standing.reach_time)) if standing.HasField("reach_time") else "",
            review=say.on(moment(standing.review_time)) if standing.HasField("review_time") else "",
            keep="" if keep is None else say.number(keep) if keep else say("nothing more"),
            to_next=say(
                "{n} to {tier}", n=say.number(exact(standing.missing_to_next)), tier=following.display_name
            )
            if following
            else "",
            parts=_share(progress, goal),
            spoken=spoken,
        )

    def _person(self, member: Member) -> Person:
        role = N_("answers for it") if member.role == Member.ROLE_PRIMARY else N_("member")
        return Person(
            href=f"/{member.customer}",
            title=self._called(member.customer),
            role=self.say(role),
            since=self.say.on(moment(member.join_time)),
            until=self.say.on(moment(member.leave_time)) if member.HasField("leave_time") else "",
        )

    def _card(self, card: Card) -> Plastic:
        blocked = self.say("blocked") if card.state == Card.STATE_BLOCKED else self.say("in use")
        return Plastic(f"… {card.number[-4:]}", blocked, self.say.on(moment(card.create_time)))


def _share(progress: Decimal, goal: Decimal) -> Sequence[Part]:
    """How much of a goal is reached, as a line as long as the goal."""
    if not goal:
        return []
    done = max(Decimal(0), progress if progress < goal else goal)
    return stacked({"kept": float(done), "waits": float(goal - done)}, float(goal))
