"""Why a purchase earned what it did, by which version of which rule; and what a rule gives."""

from chassis.facts import Told, Why, why_told
from loyalty.domain.earning import Earning, Given, Reason
from loyalty.domain.earning_rule import Cap, EarningRule, Holder
from loyalty.names import EARNING_RULE, UNIT

_WORDS = {
    Reason.CONDITION: "its condition does not hold",
    Reason.UNDECIDED: "nobody can say whether its condition holds",
    Reason.DATES: "it was bought on another day than those of the campaign",
    Reason.CURRENCY: "it was paid in another currency",
    Reason.EXCLUDED: "another rule of its group gave something",
    Reason.NOTHING: "it is rounded to nothing",
    Reason.CAPPED: "the most that may be given was given",
    Reason.CLOSED: "the membership is closed",
}
_OF = {Holder.PURCHASE: "of a purchase", Holder.MEMBER: "of a membership", Holder.EVERYBODY: "of everybody"}


def why_rule(rule: EarningRule, told: Told) -> Why:
    """What a version gives, on which days, and how much at most."""
    first, last = rule.start_date, rule.end_date
    days = f" from {first}" * bool(first) + f" to {last}" * bool(last)
    caps = ", ".join(map(_most, rule.caps))
    most = f", at most {caps}" if caps else ""
    gives = f"It gives {_gives(rule)}{days}{most} ({rule.unit})."
    return Why(f"{gives} {why_told(rule, told).summary}".strip(), inputs={"caps": caps} if caps else {})


def _gives(rule: EarningRule) -> str:
    if rule.points_per_currency_unit is not None:
        return f"{rule.points_per_currency_unit:f} points for each {rule.currency_code}"
    if rule.multiplier is not None:
        return f"{rule.multiplier:f} times what the rules before it give"
    return f"{rule.fixed_points} points"


def _most(cap: Cap) -> str:
    """`300 of a membership a month`."""
    return f"{cap.points} {_OF[cap.holder]}{f' a {cap.period.lower()}' if cap.period else ''}"


def why_earned(earning: Earning, told: Told) -> Why:
    """What each rule gave, line by line; what is left of it after what was given back."""
    given, left = (sum(map(sum, of)) for of in _sums(earning))
    rest = "" if given == left else f" Of them {left} are left after what was given back."
    known = why_told(earning, told).summary
    anew = earning.reevaluation_job
    by = f" Reckoned anew by {anew}, not by the rules of when it was recorded." if anew else ""
    summary = f"It earned {given} by {len(earning.given)} rules.{rest}{by} {known}".strip()
    return Why(summary, inputs={_name(each): _said(each) for each in earning.given})


def _sums(earning: Earning) -> tuple[list[list[int]], list[list[int]]]:
    return [each.points for each in earning.given], [each.standing for each in earning.given]


def _name(given: Given) -> str:
    return EARNING_RULE.version().format(given.rule, given.version)


def _said(given: Given) -> str:
    """`5, by line 2, 2, 1 programs/main/units/points`, or the reason where nothing was given."""
    reasons = {cell for cell in given.cells if isinstance(cell, str)}
    if not any(given.points) and len(reasons) == 1:
        return f"0: {_WORDS[Reason(reasons.pop())]}"
    unit = UNIT.format(given.program, given.unit)
    lines = ", ".join(str(points) for points in given.points)
    capped = f"; {given.withheld} withheld by its caps" if given.withheld else ""
    return f"{sum(given.points)} {unit}, by line: {lines}{capped}"
