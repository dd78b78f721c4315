"""What may be done alone by whom for whom, tried with every role, value band and harm."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from google.type.money_pb2 import Money

from chassis.api.messages import decimal, money, value_name
from chassis.authority import authority
from chassis.context import Principal
from chassis.money import Currency
from desk.language.catalogues import N_
from desk.pages.authority.forms import UNITS
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy

NONE = N_("nothing")
UNLIMITED = N_("as much as they like")


class Band(StrEnum):
    """Value bands, the least first, as services rank them."""

    STANDARD = "STANDARD"
    SILVER = "SILVER"
    GOLD = "GOLD"
    PLATINUM = "PLATINUM"


class Harm(StrEnum):
    """What is done to a customer, the least first."""

    NONE = "NONE"
    INCONVENIENCE = "INCONVENIENCE"
    LOSS = "LOSS"
    SEVERE = "SEVERE"


@dataclass(frozen=True)
class Limit:
    """A limit as `chassis.authority` takes it."""

    permission: str
    least_band: Band | None
    least_harm: Harm | None
    amount: int
    rolling_day_amount: int
    currency: str = ""  # of amounts that are money, in its smallest unit


@dataclass
class Policy:
    """A policy as `chassis.authority` takes it."""

    name: str
    version: int
    department_id: str
    limits: Sequence[Limit]


@dataclass(frozen=True)
class Cell:
    """What may be done of an example."""

    now: str
    before: str = ""  # what it was, where it is another


@dataclass(frozen=True)
class Example:
    """What a role may do for a customer in a value band, by each harm."""

    band: str
    cells: Sequence[Cell]


def examples_of(
    before: Iterable[AuthorityPolicy], after: Iterable[AuthorityPolicy], of: AuthorityPolicy, say: Speech
) -> list[tuple[str, Sequence[Example]]]:
    """By role, what a department's people may do of an act: by all policies `after`, and `before`."""
    act, department = value_name(of, "act"), words.last(of.department)
    old, new = _of_act(before, act), _of_act(after, act)
    roles = {limit.permission for each in (*old, *new) for limit in each.limits} | {""}

    def amount(policies: Sequence[Policy], role: str, band: Band, harm: Harm) -> str:
        who = Principal("agent:anybody", department, frozenset({role} - {""}))
        may = authority(policies, who, band, harm)
        if may.policy is None:
            return say(NONE if UNITS[act] == "money" else UNLIMITED)
        currency = may.policy.limits[0].currency if may.policy.limits else ""
        return spoken(act, may.amount, may.rolling_day_amount, currency, say)

    def cell(role: str, band: Band, harm: Harm) -> Cell:
        was, now = (amount(each, role, band, harm) for each in (old, new))
        return Cell(now, "" if was == now else was)

    def example(role: str, band: Band) -> Example:
        return Example(say.titled(band.lower()), [cell(role, band, harm) for harm in Harm])

    return [(role, [example(role, band) for band in Band]) for role in sorted(roles)]


def spoken(act: str, amount: int, day: int, currency: str, say: Speech) -> str:
    """How much of an act, at once and within a day."""
    if not amount:
        return say(NONE)
    if currency:
        most, n = (say.money(money(Currency.of(currency).amount(each), currency)) for each in (amount, day))
        return say("{most}, {n} in 24 hours", most=most, n=n) if day else most
    if act == "EXTENSION":
        most = say.count(amount, "{n} day", "{n} days")
    else:
        most = say.count(amount, "{n} point", "{n} points")
    return say("{most}, {n} in 24 hours", most=most, n=day) if day else most


def counted(limit: AuthorityPolicy.Limit, field: str) -> int:
    """An amount of a limit; of money in the smallest unit of its currency."""
    amount: int | Money = getattr(limit, field)
    if isinstance(amount, int):
        return amount
    return Currency.of(amount.currency_code).smallest(decimal(amount)) if amount.currency_code else 0


def _of_act(policies: Iterable[AuthorityPolicy], act: str) -> list[Policy]:
    return [_policy(each) for each in policies if value_name(each, "act") == act and not each.disabled]


def _policy(each: AuthorityPolicy) -> Policy:
    unit = UNITS[value_name(each, "act")]
    limits = [
        Limit(
            limit.permission,
            Band(band) if (band := value_name(limit, "least_band")) else None,
            Harm(harm) if (harm := value_name(limit, "least_harm")) else None,
            counted(limit, unit),
            counted(limit, f"rolling_day_{unit}"),
            limit.money.currency_code,
        )
        for limit in each.limits
    ]
    return Policy(each.name, each.version, words.last(each.department), limits)
