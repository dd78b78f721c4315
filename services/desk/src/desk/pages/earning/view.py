"""What the pages say of earning rules, and of what was earned by them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.api.messages import date_of, decimal, value_name
from desk.language.catalogues import N_
from desk.pages.earning.form import CAPS_MAX
from desk.pages.purchases.view import shown as shown_as
from desk.ui import words
from desk.ui.speech import Speech
from rapport.loyalty.v1.earning_rule_pb2 import Award, EarningRule
from rapport.loyalty.v1.purchase_pb2 import Purchase

WRITE, ACTIVATE = "loyalty.earning_rules.write", "loyalty.earning_rules.activate"
STATES = {"DRAFT": N_("draft"), "ACTIVE": N_("in force"), "ENDED": N_("ended")}
BASES = {
    "LINE": N_("each line of a purchase"),
    "PURCHASE": N_("a purchase as a whole"),
    "EVENT": N_("something that happened"),
}
HOLDERS = {
    "PURCHASE": N_("for one purchase"),
    "MEMBER": N_("for one member"),
    "EVERYBODY": N_("for all together"),
}
PERIODS = {"DAY": N_("a day"), "WEEK": N_("a week"), "MONTH": N_("a month"), "YEAR": N_("a year")}
# What conditions read most; docs/rules.md has all.
READ_MOST = (
    "purchase.amount.units",
    "purchase.store",
    "purchase.purchase_time",
    "line.product",
    "double(line.quantity.value)",
    "line.amount.units",
    "customer.tier",
    "customer.band",
    "customer.join_time",
)
REASONS = {
    "CONDITION": N_("its condition does not hold"),
    "UNDECIDED": N_("nobody can say whether its condition holds"),
    "DATES": N_("bought before or after the campaign"),
    "CURRENCY": N_("paid in another currency"),
    "EXCLUDED": N_("another rule of its group gave something"),
    "NOTHING": N_("rounded to nothing"),
    "CAPPED": N_("the most that may be given was given"),
    "CLOSED": N_("the membership is closed"),
}


@dataclass(frozen=True)
class Line:
    """A rule, in a sentence."""

    name: str
    title: str
    gives: str
    basis: str
    days: str
    state: str
    active: int  # the version that is in force; 0 for none
    department: str


@dataclass(frozen=True)
class Row:
    """What a rule gave for a line, or for all of a purchase; or why nothing."""

    rule: str  # with its version
    title: str
    line: int
    points: str
    left: str
    why: str


def lines(rules: Iterable[EarningRule], say: Speech) -> Sequence[Line]:
    """Every rule, in the order in which they are asked."""
    return [line(each, say) for each in sorted(rules, key=lambda each: (each.position, each.name))]


def line(rule: EarningRule, say: Speech) -> Line:
    return Line(
        rule.name,
        title(rule),
        gives(rule, say),
        say(BASES.get(value_name(rule, "basis"), "")),
        days(rule, say),
        say(STATES.get(value_name(rule, "state"), "")),
        rule.active_version,
        say.named(rule.department),
    )


def title(rule: EarningRule) -> str:
    """What people call it, else its code."""
    return rule.display_name or words.last(rule.name)


def gives(rule: EarningRule, say: Speech) -> str:
    """How much it gives, as people say it."""
    unit = words.last(rule.unit)
    if rule.HasField("points_per_currency_unit"):
        rate = rule.points_per_currency_unit.value
        return say("{n} {unit} for each {currency}", n=rate, unit=unit, currency=rule.currency_code)
    if rule.HasField("multiplier"):
        return say("{n} times what the rules before it give", n=rule.multiplier.value)
    return say("{n} {unit}", n=say.number(rule.fixed_points), unit=unit)


def days(rule: EarningRule, say: Speech) -> str:
    """The days of its campaign; empty without."""
    first = date_of(rule.start_date).isoformat() if rule.HasField("start_date") else ""
    last = date_of(rule.end_date).isoformat() if rule.HasField("end_date") else ""
    if first and last:
        return say("{first} to {last}", first=first, last=last)
    return say("from {day}", day=first) if first else say("until {day}", day=last) if last else ""


def caps(rule: EarningRule, say: Speech) -> Sequence[str]:
    """The most that it gives."""
    told = []
    for cap in rule.caps:
        holder, period = value_name(cap, "holder"), value_name(cap, "period")
        most = say("at most {n} {holder}", n=say.number(cap.points), holder=say(HOLDERS.get(holder, "")))
        told.append(f"{most}, {say(PERIODS[period])}" if period in PERIODS else most)
    return told


def cap_rows(rule: EarningRule) -> Sequence[tuple[str, str, str]]:
    """The caps as a form has them, points, holder and period, and room for one more."""
    found = [
        (str(each.points), f"HOLDER_{value_name(each, 'holder')}", f"PERIOD_{value_name(each, 'period')}")
        for each in rule.caps
    ]
    return [*found, ("", "HOLDER_MEMBER", "PERIOD_UNSPECIFIED")][:CAPS_MAX]


def dates(rule: EarningRule) -> tuple[str, str]:
    """The days of a campaign, as a form has them."""
    first, last = (
        date_of(getattr(rule, name)).isoformat() if rule.HasField(name) else ""
        for name in ("start_date", "end_date")
    )
    return first, last


def purchases(found: Iterable[Purchase], say: Speech) -> list[tuple[str, str]]:
    """Purchases to choose from: what was paid for something, and not given back."""
    sold = [shown_as(each, {}, say) for each in found if decimal(each.amount) > 0]
    return [
        (each.name, ", ".join(filter(None, (each.what, each.amount, each.when, each.store)))) for each in sold
    ]


def rows(awards: Iterable[Award], say: Speech, tried: str = "") -> Sequence[Row]:
    """What each rule gave for each line; one row where nothing was given. `tried` has no version yet."""
    found = []
    for award in awards:
        rule, _, version = award.earning_rule.partition("/versions/")
        called = say("{rule}, version {version}", rule=words.last(rule), version=version)
        if tried and rule == tried:
            called = say("as it is here")
        told: Iterable[Award | Award.Line] = award.lines
        if award.reason:
            told = [award]
        for each in told:
            number = each.line if isinstance(each, Award.Line) else 0
            why = say(REASONS.get(value_name(each, "reason"), ""))
            left = say.number(each.points_left)
            name = "" if tried and rule == tried else award.earning_rule
            found.append(Row(name, called, number, say.number(each.points), left, why))
    return found
