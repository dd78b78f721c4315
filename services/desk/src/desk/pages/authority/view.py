"""What the pages say of authority policies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chassis.api.messages import moment, value_name
from chassis.names import PLATFORM
from desk.language.catalogues import N_
from desk.pages.authority.examples import Band, Harm, counted, spoken
from desk.pages.authority.forms import UNITS
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy

ACTS = {
    "GOODWILL": N_("Give goodwill"),
    "EXTENSION": N_("Put a promise off"),
    "REFUND": N_("Give money"),
    "REPLACEMENT": N_("Give something in kind"),
}
_MONEY = N_("Amount, such as 25 EUR")
UNITS_SAID = {"GOODWILL": N_("Points"), "EXTENSION": N_("Days"), "REFUND": _MONEY, "REPLACEMENT": _MONEY}
EVERYBODYS = f"departments/{PLATFORM}"


@dataclass(frozen=True)
class Line:
    """A policy among all."""

    name: str
    title: str
    department: str
    act: str
    most: str  # the highest of its limits
    roles: Sequence[str]  # the permissions that it asks for
    disabled: bool


@dataclass(frozen=True)
class Version:
    """A version of a policy."""

    number: int
    name: str
    since: str
    most: str
    disabled: bool


@dataclass(frozen=True)
class Concerned:
    """Whose people go by a policy."""

    departments: Sequence[str]
    count: int  # of the people who serve customers there


def title(policy: AuthorityPolicy) -> str:
    return policy.display_name or words.last(policy.name)


def lines(policies: Iterable[AuthorityPolicy], say: Speech) -> list[Line]:
    """All of them, by department and act."""
    found = [
        Line(
            each.name,
            title(each),
            say.named(each.department),
            say(ACTS[value_name(each, "act")]),
            most(each, say),
            sorted({limit.permission for limit in each.limits} - {""}),
            each.disabled,
        )
        for each in policies
    ]
    return sorted(found, key=lambda each: (each.department, each.act, each.title))


def most(policy: AuthorityPolicy, say: Speech) -> str:
    """How much is done by a policy at most, at once."""
    act = value_name(policy, "act")
    number = max((counted(limit, UNITS[act]) for limit in policy.limits), default=0)
    currency = policy.limits[0].money.currency_code if policy.limits else ""
    return spoken(act, number, 0, currency, say)


def versions(found: Sequence[AuthorityPolicy], say: Speech) -> list[Version]:
    """The versions of a policy, the latest first."""
    return [
        Version(
            each.version,
            f"{each.name.partition('/versions/')[0]}/versions/{each.version}",
            say.moment(moment(each.update_time)),
            most(each, say),
            each.disabled,
        )
        for each in sorted(found, key=lambda each: -each.version)
    ]


def concerned(
    policy: AuthorityPolicy, policies: Iterable[AuthorityPolicy], agents: Iterable[Agent], say: Speech
) -> Concerned:
    """Who goes by a policy: its department; of the platform's, all that have none for the act."""
    with_own = {each.department for each in policies if each.act == policy.act and not each.disabled}
    people: dict[str, int] = {}
    for agent in agents:
        if not agent.inactive:
            people[agent.department] = people.get(agent.department, 0) + 1
    if policy.department == EVERYBODYS:
        going = {each: n for each, n in people.items() if each not in with_own - {EVERYBODYS}}
    else:
        going = {policy.department: people.get(policy.department, 0)}
    return Concerned(sorted(say.code(words.last(each)) for each in going), sum(going.values()))


def choices(say: Speech) -> Mapping[str, Sequence[tuple[str, str]]]:
    """What a limit may be for: value bands and harms."""
    return {
        "bands": [("", say("all customers"))]
        + [(each, say("{band} or better", band=say.titled(each.lower()))) for each in Band],
        "harms": [("", say("whatever it does to them"))]
        + [(each, say("{harm}, or worse", harm=say.titled(f"harm-{each.lower()}"))) for each in Harm],
    }
