"""Which facts lead to which notices, and what news of a promise means for the notices that exist about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from notifications.domain.notice import (
    ALREADY_TOLD,
    LIVE,
    PROMISE_AT_RISK,
    PROMISE_ENDED,
    PROMISE_RECOVERED,
    Concern,
    Notice,
    State,
)

EVENTS = {
    Concern.AT_RISK: "rapport.cases.v1.PromiseAtRisk",
    Concern.RECOVERED: "rapport.cases.v1.PromiseRecovered",
}
MUST_SAY = {Concern.RECOVERED: ("old_date",)}  # besides what a template's kind must
PLATFORM = "platform"  # the department that owns what every installation begins with
UNTOLD = (State.SUPPRESSED, State.FAILED)
UNTRUE = (PROMISE_RECOVERED, ALREADY_TOLD)
EVENT_TYPES = tuple(EVENTS.values())


@dataclass(slots=True)
class NoticePolicy:
    """A rule: this fact leads to this notice. Every change is a new version."""

    id: str
    version: int
    event_type: str
    template: str
    enabled: bool
    department_id: str
    create_time: datetime

    @property
    def name(self) -> str:
        """The resource name."""
        return f"noticePolicies/{self.id}"

    @property
    def department(self) -> str:
        """`departments/{department}` whose rule this is."""
        return f"departments/{self.department_id}"


@dataclass(frozen=True, slots=True)
class News:
    """How a promise is at one of its versions, as an event told or its owner says.

    Attributes:
        concern: whether it is at risk with a date to tell, or not (RECOVERED); NONE when it has ended.
        variables: what a notice of this would say; empty when it has ended.
        expire_time: from when on it is of no use to say it.
        due_time: by when it was promised: from then on nothing can be in time.
        department: whose promise it is, `departments/{department}`.

    """

    promise: str
    version: int
    customer: str
    case: str
    concern: Concern
    variables: dict[str, str]
    expire_time: datetime
    due_time: datetime
    department: str


def recovery(risk: dict[str, str]) -> dict[str, str]:
    """What a notice of a recovery says: the date that was promised is the one that we expect again."""
    return risk | {"reason": "", "new_date": risk["old_date"]}


def something_followed(notice: Notice, moot: str) -> bool:
    """Whether there is news that the end of an attempt leaves open; `moot` is why it was no longer true."""
    if moot in (PROMISE_ENDED, ALREADY_TOLD):
        return False
    return moot in (PROMISE_RECOVERED, PROMISE_AT_RISK) or notice.heard_version > notice.said_version


def meanwhile(notice: Notice, moot: str, wanted: dict[str, str]) -> News:
    """The news that was heard while an attempt was under way.

    Args:
        notice: the notice, which has ended or waits again.
        moot: why it was no longer true by then; "" when it was.
        wanted: what it was to say by then. What else was news was not kept: the owner is asked.

    """
    concern = {PROMISE_RECOVERED: Concern.RECOVERED, PROMISE_AT_RISK: Concern.AT_RISK}.get(
        moot, notice.concern
    )
    recovered = concern == Concern.RECOVERED
    due_time = notice.due_time or notice.expire_time
    return News(
        promise=notice.promise,
        version=notice.heard_version,
        customer=notice.customer,
        case=notice.case,
        concern=concern,
        variables=recovery(wanted) if recovered else wanted,
        expire_time=due_time if recovered else notice.expire_time,
        due_time=due_time,
        department=notice.department,
    )


class Step(Enum):
    """What news asks for."""

    REQUEST = auto()
    REVISE = auto()
    WITHDRAW = auto()


def untrue(concern: Concern, news: News) -> str:
    """Why a notice of `concern` must not be sent, given the news; "" when it may be."""
    if news.concern == concern:
        return ""
    reasons = {Concern.AT_RISK: PROMISE_AT_RISK, Concern.RECOVERED: PROMISE_RECOVERED}
    return reasons.get(news.concern, PROMISE_ENDED)


def next_steps(before: Sequence[Notice], news: News) -> list[tuple[Step, Notice | None]]:
    """What to do about news of a promise, and with which notice. News comes in any order, and again.

    Args:
        before: the notices that policies made about this promise for this customer, newest first.
        news: what was heard.

    """
    if any(news.version <= notice.heard_version for notice in before):
        return []
    return steps(before, news)


def steps(before: Sequence[Notice], news: News) -> list[tuple[Step, Notice | None]]:
    """As `next_steps`, for news that is the newest.

    A customer is told a date once. While the message has not ended, a newer date replaces the older one in
    it; once it was sent the promise moves, and its successor has a name of its own. When nobody knows whether
    it was sent, the customer may know of the risk: so is told of a recovery, and of another date, but not of
    the same again. While a message is under way nothing else is begun: its end decides what follows. What
    may be with the customer is not withdrawn but revised, or nobody would tell them the truth after it.
    """
    latest = before[0] if before else None
    if latest is not None and not latest.ended and latest.concern != news.concern:
        if not latest.waits:
            return [(Step.WITHDRAW, latest)]
        withdrawn = [replace(latest, state=State.UNKNOWN)] if latest.in_doubt else []
        return [(Step.WITHDRAW, latest), *steps([*withdrawn, *before[1:]], news)]
    # What was not sent because it was not true, and a recovery that was told to nobody, changed nothing.
    known = [
        n
        for n in before
        if n.state not in UNTOLD or (n.concern == Concern.AT_RISK and n.reason_code not in UNTRUE)
    ]
    if news.concern == Concern.AT_RISK:
        if known and known[0].waits and not known[0].in_doubt and not _at_risk(known[1:], news):
            return [(Step.WITHDRAW, known[0])]
        return _at_risk(known, news)
    told = [n for n in known if n.state not in UNTOLD]
    doubtful = told and told[0].concern == Concern.AT_RISK and told[0].state == State.UNKNOWN
    return [(Step.REQUEST, None)] if news.concern == Concern.RECOVERED and doubtful else []


def replaced(before: Sequence[Notice], concern: Concern) -> list[Notice]:
    """Those that count no longer, and are live no longer, once a notice of `concern` is requested."""
    return [
        notice
        for notice in before
        if not notice.superseded
        and (notice.state == State.UNKNOWN or (notice.ended and notice.concern == concern))
    ]


def _at_risk(known: Sequence[Notice], news: News) -> list[tuple[Step, Notice | None]]:
    latest = known[0] if known else None
    if latest is None or latest.concern != Concern.AT_RISK:
        return [(Step.REQUEST, None)]  # the first word of it, or the risk is back after a recovery was told
    if not latest.ended:
        changed = latest.reason_code or news.variables != latest.variables
        return [(Step.REVISE, latest)] if changed else []
    if latest.state in LIVE:
        return []
    unsaid = latest.state == State.UNKNOWN and latest.said_version < latest.promise_version
    other_date = unsaid or latest.variables["new_date"] != news.variables["new_date"]
    return [(Step.REQUEST, None)] if other_date else []
