"""What the pages of the till say of rewards, vouchers and goodwill."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.api.messages import enum_name, moment, value_name
from desk.language.catalogues import N_
from desk.pages.customer.gifts import said
from desk.pages.customer.loading import Names
from desk.ui.speech import Speech
from rapport.loyalty.v1.goodwill_pb2 import Goodwill
from rapport.loyalty.v1.redemption_pb2 import Redemption
from rapport.loyalty.v1.reward_pb2 import Reward, RewardVoucher
from rapport.loyalty.v1.reward_service_pb2 import CheckRewardsResponse
from rapport.loyalty.v1.voucher_pb2 import Voucher
from rapport.loyalty.v1.voucher_service_pb2 import VoucherOutcome

OBSTACLES = {
    "NOT_REDEEMABLE": N_("not to be had now"),
    "NOT_A_MEMBER": N_("they are no member"),
    "MEMBERSHIP_CLOSED": N_("the membership is closed"),
    "NOT_ELIGIBLE": N_("its condition does not hold for them"),
    "INSUFFICIENT_BALANCE": N_("too few points"),
    "OVER_LIMIT": N_("they had it as often as they may"),
    "OUT_OF_STOCK": N_("none is left"),
}
OUTCOMES = {
    "OK": N_("It can be used."),
    "UNKNOWN": N_("No voucher has that code."),
    "WRONG_HOLDER": N_("It is for somebody else: name whose it is."),
    "NOT_YET_VALID": N_("Its first day has not begun."),
    "EXPIRED": N_("Its last day is over."),
    "USED": N_("It was used."),
    "CANCELLED": N_("It was cancelled."),
    "TOO_LITTLE": N_("Less than that is left of it."),
    "OTHER_CURRENCY": N_("It is in another currency."),
}
STATES = {
    "ACTIVE": N_("can be used"),
    "USED": N_("used"),
    "CANCELLED": N_("cancelled"),
    "EXPIRED": N_("ended"),
    "GRANTED": N_("given"),
    "REVERSED": N_("taken back"),
    "REQUESTED": N_("asked for"),
    "DECLINED": N_("declined"),
}


@dataclass(frozen=True)
class Offer:
    """A reward, its price, and what stands in the way."""

    name: str
    title: str
    price: str
    stock: str
    obstacle: str


@dataclass(frozen=True)
class Kept:
    """What is set aside for a customer and not handed out."""

    name: str
    title: str
    price: str
    until: str


@dataclass(frozen=True)
class Ticket:
    """A voucher."""

    name: str
    worth: str
    left: str
    source: str
    days: str
    state: str
    is_active: bool


@dataclass(frozen=True)
class Grant:
    """What was given to put something right."""

    name: str
    what: str
    why: str
    harm: str  # the promise that it makes up for
    who: str
    department: str
    when: str
    state: str
    is_voucher: bool  # that can be issued, if it was not


def offers(checks: Iterable[CheckRewardsResponse.Check], say: Speech) -> Sequence[Offer]:
    """What can be had comes first."""
    found = [_offer(each, say) for each in checks]
    return sorted(found, key=lambda each: (bool(each.obstacle), each.title))


def _offer(check: CheckRewardsResponse.Check, say: Speech) -> Offer:
    reward = check.reward
    stock = say.number(reward.stock_count) if reward.HasField("stock_count") else say("as many as one likes")
    obstacle = say(OBSTACLES[check.reason]) if check.reason in OBSTACLES else say.code(check.reason.lower())
    return Offer(reward.name, reward.display_name, price(reward, say), stock, obstacle)


def price(of: Reward | Redemption, say: Speech) -> str:
    """`500 points`, `500 points and $5.00`."""
    points = say.count(of.points, "{n} point", "{n} points")
    if not of.HasField("cash"):
        return points
    return say("{points} and {money}", points=points, money=say.money(of.cash))


def kept(redemption: Redemption, say: Speech) -> Kept:
    until = say.moment(moment(redemption.expire_time))
    return Kept(redemption.name, say.named(redemption.reward), price(redemption, say), until)


def worth(of: Voucher | RewardVoucher, say: Speech) -> str:
    """What one use is worth."""
    if of.HasField("money"):
        return say.money(of.money)
    return say("{n} % off", n=of.percent_off) if of.percent_off else of.item


def ticket(voucher: Voucher, say: Speech) -> Ticket:
    state = value_name(voucher, "state")
    left = say("{n} of {most}", n=voucher.max_uses - voucher.used_count, most=voucher.max_uses)
    if voucher.in_parts:
        left = say.money(voucher.remaining_money)
    source = say("for points") if voucher.redemption else say("goodwill") if voucher.goodwill else ""
    ends = moment(voucher.expire_time) if voucher.HasField("expire_time") else None
    return Ticket(
        voucher.name,
        worth(voucher, say),
        left,
        source or say.titled(voucher.campaign),
        say.moment(ends) if ends else say("without end"),
        say(STATES[state]),
        state == "ACTIVE",
    )


def grant(goodwill: Goodwill, names: Names, say: Speech) -> Grant:
    kind = value_name(goodwill.in_kind, "kind") if goodwill.HasField("in_kind") else ""
    state = value_name(goodwill, "state")
    return Grant(
        goodwill.name,
        said(goodwill, say),
        say.code(goodwill.reason_code),
        goodwill.promise,
        names(goodwill.grantor or goodwill.requester),
        say.named(goodwill.causing_department),
        say.on(moment(goodwill.create_time)),
        say(STATES[state]),
        kind == "VOUCHER" and state == "GRANTED",
    )


def outcome(number: int, say: Speech) -> str:
    """What a code is worth, or what stands in the way."""
    known = OUTCOMES.get(enum_name(VoucherOutcome.DESCRIPTOR, number))
    return say(known) if known else say("Nobody can say.")
