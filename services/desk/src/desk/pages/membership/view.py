"""What the page says of a membership, and what can be done with it by whoever looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chassis.api.messages import exact, moment
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.action import Action
from desk.pages.actions.kinds import household as doing
from desk.pages.actions.kinds import memberships as ending
from desk.pages.actions.offering import offered
from desk.pages.customer.page import Card
from desk.pages.membership.holding import held
from desk.pages.membership.points import Found, holding
from desk.ui import words
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.card_pb2 import Card as Plastic
from rapport.loyalty.v1.member_pb2 import Member
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.tier_pb2 import Tier, TierStanding

STATES = {
    Membership.STATE_CLOSED: N_("This membership is closed."),
    Membership.STATE_MERGED: N_("This membership is part of another."),
}


@dataclass(frozen=True)
class Asked:
    """What loyalty answered of a membership, and the customer service of who is meant."""

    customer: str
    program: str
    membership: Membership | None  # None for who is in none of the program
    accounts: Sequence[Account] = ()
    units: Sequence[Found] = ()
    standing: TierStanding | None = None
    tiers: Sequence[Tier] = ()
    history: Sequence[TimelineEntry] = ()  # of the tier
    members: Sequence[Member] = ()
    cards: Sequence[Plastic] = ()
    parts: Sequence[Membership] = ()  # that were merged into it
    others: Sequence[tuple[Membership, str]] = ()  # that the same person has beside it, with what they hold
    known: Mapping[str, Customer] | None = None


def page(asked: Asked, viewer: Viewer, say: Speech) -> dict[str, Card]:
    """The cards of the page by name."""
    make = Make(asked, viewer, say)
    return {
        "membership": make.membership(),
        "points": make.points(),
        "tier": make.tier(),
        "household": make.household(),
        "cards": make.cards(),
    }


@dataclass(frozen=True)
class Make:
    """Says it, in somebody's language."""

    asked: Asked
    viewer: Viewer
    say: Speech

    @property
    def _is_active(self) -> bool:
        of = self.asked.membership
        return of is not None and of.state == Membership.STATE_ACTIVE

    def _offered(self, *actions: Action, on: str = "") -> Any:
        return offered(self.viewer, self.asked.customer, *actions, on=on)

    def _called(self, customer: str) -> str:
        found = (self.asked.known or {}).get(customer)
        return (found.display_name if found else "") or self.say("A customer")

    def membership(self) -> Card:
        """Whether they are in one, what that is, and which other one they have."""
        of, say = self.asked.membership, self.say
        if of is None:
            acts = self._offered(doing.ENROL, on=self.asked.program)
            return Card(name="", told=say("They are in no membership yet."), since="", others=(), acts=acts)
        is_closed = of.state == Membership.STATE_CLOSED
        acts = (ending.REOPEN,) if is_closed else (ending.CLOSE,) if self._is_active else ()
        return Card(
            name=of.name,
            told=say(STATES[of.state]) if of.state in STATES else "",
            since=say("since {when}", when=say.on(moment(of.create_time))),
            others=[
                Card(
                    name=each.name,
                    told=say(
                        "They have another one from the time when they were two customers: {what}.", what=what
                    ),
                    acts=self._offered(ending.MERGE_OWN, on=each.name) if self._is_active else (),
                )
                for each, what in self.asked.others
            ],
            acts=self._offered(*acts, on=of.name),
        )

    def points(self) -> Card:
        """What it holds in each unit, and what moved it last."""
        holds = {each.unit: each for each in held(self.asked.accounts)}
        acts = (ending.GIVE_POINTS, ending.ADJUST) if self._is_active else ()
        return Card(
            customer=self.asked.customer,
            program=words.last(self.asked.program),
            holdings=[
                holding(each, holds[each.account.unit], self._offered(*acts, on=each.account.name), self.say)
                for each in self.asked.units
            ],
        )

    def tier(self) -> Card:
        """The tier, how far it is to this and the next, and which it had."""
        say, standing = self.say, self.asked.standing
        if standing is None or not standing.HasField("progress"):
            return Card(name="", title="", parts=(), history=())
        tiers = {each.name: each for each in self.asked.tiers}
        has, following = tiers.get(standing.tier), tiers.get(standing.next_tier)
        progress, towards = exact(standing.progress), following or has
        goal = exact(towards.threshold) if towards else Decimal(0)
        keep = exact(standing.missing_to_keep) if standing.HasField("missing_to_keep") else None
        missing = say.number(exact(standing.missing_to_next)) if following else ""
        return Card(
            name=standing.name,
            title=has.display_name if has else say("No tier yet"),
            since=say.on(moment(standing.reach_time)) if standing.HasField("reach_time") else "",
            review=say.on(moment(standing.review_time)) if standing.HasField("review_time") else "",
            keep="" if keep is None else say.number(keep) if keep else say("nothing more"),
            to_next=say("{n} to {tier}", n=missing, tier=following.display_name) if following else "",
            parts=_share(progress, goal),
            spoken=say("{n} of {goal}", n=say.number(progress), goal=say.number(goal)),
            history=[
                Card(
                    name=each.name,
                    when=say.moment(moment(each.occur_time)),
                    what=say.fact(each.event_type),
                    why=each.resource,
                )
                for each in self.asked.history
            ],
        )

    def household(self) -> Card:
        """Who belongs to it, did, and came with another membership that is part of it."""
        of, say = self.asked.membership, self.say
        name = of.name if of else ""
        acts = (doing.ADD_MEMBER, ending.MERGE) if self._is_active else ()
        return Card(
            name=name,
            people=[self._person(each) for each in self.asked.members],
            parts=[
                Card(
                    name=each.name,
                    told=say("{who} brought a membership of their own.", who=self._called(each.customer)),
                    acts=self._offered(ending.UNMERGE, on=each.name) if self._is_active else (),
                )
                for each in self.asked.parts
            ],
            acts=self._offered(*acts, on=name),
        )

    def _person(self, member: Member) -> Card:
        say, is_over = self.say, member.HasField("leave_time")
        is_primary = member.role == Member.ROLE_PRIMARY
        may = (
            () if is_over or is_primary or not self._is_active else (doing.MAKE_PRIMARY, doing.REMOVE_MEMBER)
        )
        since = say.on(moment(member.join_time))
        until = say.on(moment(member.leave_time)) if is_over else ""
        return Card(
            name=member.name,
            href=f"/{member.customer}",
            title=self._called(member.customer),
            role=say(N_("answers for it") if is_primary else N_("member")),
            when=say("{since} to {until}", since=since, until=until)
            if is_over
            else say("since {when}", when=since),
            acts=self._offered(*may, on=member.name),
        )

    def cards(self) -> Card:
        """Its cards, by the end of their numbers."""
        name = self.asked.membership.name if self.asked.membership else ""
        acts = self._offered(doing.LINK_CARD, on=name) if self._is_active else ()
        return Card(rows=[self._card(each) for each in self.asked.cards], acts=acts)

    def _card(self, card: Plastic) -> Card:
        is_blocked = card.state == Plastic.STATE_BLOCKED
        may = (
            ()
            if is_blocked
            else (doing.REPLACE_CARD, doing.BLOCK_CARD)
            if self._is_active
            else (doing.BLOCK_CARD,)
        )
        return Card(
            name=card.name,
            number=f"… {card.number[-4:]}",
            state=self.say("blocked") if is_blocked else self.say("in use"),
            since=self.say("since {when}", when=self.say.on(moment(card.create_time))),
            acts=self._offered(*may, on=card.name),
        )


def people(members: Iterable[Member], parts: Iterable[Membership]) -> set[str]:
    """Whose names the page says."""
    return {each.customer for each in members} | {each.customer for each in parts}


def _share(progress: Decimal, goal: Decimal) -> Sequence[Part]:
    """How much of a goal is reached, as a line as long as the goal."""
    if not goal:
        return []
    done = max(Decimal(0), progress if progress < goal else goal)
    return stacked({"kept": float(done), "waits": float(goal - done)}, float(goal))
