"""News of a promise, and what it means for the notices that exist about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from notifications.domain import notice as rules
from notifications.domain.reasons import MOOT, Reason


@dataclass(frozen=True, slots=True)
class News:
    """How a promise is at one of its versions, as an event told or its owner says."""

    promise: str
    version: int
    customer: str
    case: str
    # Whether it is at risk with a date to tell, or not (RECOVERED); NONE when it has ended.
    concern: rules.Concern
    variables: dict[str, str]  # what a notice of this would say; empty when it has ended
    expire_time: datetime  # from when on it is of no use to say it
    due_time: datetime  # by when it was promised: from then on nothing can be in time
    time_zone: str  # where its days are days; "" when it is of a moment
    department: str  # whose promise it is, `departments/{department}`


def recovery(risk: dict[str, str]) -> dict[str, str]:
    """What a notice of a recovery says: the date that was promised is the one that we expect again."""
    return risk | {"reason": "", "new_date": risk["old_date"]}


def meanwhile(notice: rules.Notice, why: str, wanted: dict[str, str]) -> News:
    """The news that was heard while an attempt at a notice was under way.

    `why` it was no longer true by then is "" when it was; `wanted` is what it was to say by then. What else
    was news was not kept: the owner is asked.
    """
    by_now: Mapping[str, rules.Concern] = {
        Reason.PROMISE_RECOVERED: rules.Concern.RECOVERED,
        Reason.PROMISE_AT_RISK: rules.Concern.AT_RISK,
    }
    concern = by_now.get(why, notice.concern)
    recovered = concern == rules.Concern.RECOVERED
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
        time_zone=notice.time_zone,
        department=notice.department,
    )


class Step(Enum):
    """What news asks for."""

    REQUEST = auto()
    REVISE = auto()
    WITHDRAW = auto()


def untrue(concern: rules.Concern, news: News) -> Reason | None:
    """Why a notice of `concern` must not be sent, given the news; None when it may be."""
    if news.concern == concern:
        return None
    of_concern = {
        rules.Concern.AT_RISK: Reason.PROMISE_AT_RISK,
        rules.Concern.RECOVERED: Reason.PROMISE_RECOVERED,
    }
    return of_concern.get(news.concern, Reason.PROMISE_ENDED)


def next_steps(before: Sequence[rules.Notice], news: News) -> list[tuple[Step, rules.Notice | None]]:
    """What to do about news of a promise, and with which notice. News comes in any order, and again.

    `before` are the notices that policies made about this promise for this customer, newest first.
    """
    if any(news.version <= notice.heard_version for notice in before):
        return []
    return steps(before, news)


def steps(before: Sequence[rules.Notice], news: News) -> list[tuple[Step, rules.Notice | None]]:
    """As `next_steps`, for news that is the newest.

    One notice at a time waits or is under way. While it is under way, it takes what is to be said after it,
    and its end decides. While it waits, it says the newest, unless it may have arrived already: then another
    says it. When the customer need not be told, it is withdrawn.
    """
    head = unended(before)
    if head is None:
        return [(Step.REQUEST, None)] if _is_wanted(before, news) else []
    if head.state == rules.State.SENDING:
        return _revision(head, news) if head.concern == news.concern else [(Step.WITHDRAW, head)]
    rest = [notice for notice in before if notice is not head]
    if head.concern == news.concern and not head.in_doubt:
        return _revision(head, news) if _is_wanted(rest, news) else [(Step.WITHDRAW, head)]
    if head.concern == news.concern and head.variables == news.variables:
        return []
    withdrawn = [replace(head, state=rules.State.UNKNOWN)] if head.in_doubt else []
    return [(Step.WITHDRAW, head), *steps([*withdrawn, *rest], news)]


def unended(before: Sequence[rules.Notice]) -> rules.Notice | None:
    """The one that waits, or is under way."""
    return next((notice for notice in before if not notice.ended), None)


def moot(notice: rules.Notice, news: News) -> Reason:
    """Why a notice is withdrawn, given the news."""
    return untrue(notice.concern, news) or (
        Reason.OUTCOME_UNKNOWN if notice.in_doubt else Reason.ALREADY_TOLD
    )


def recount(before: Sequence[rules.Notice]) -> list[rules.Notice]:
    """Have the newest count of what the customer was told, or may have been. Those for which that is new."""
    told = [notice for notice in before if notice.may_have_arrived]
    changed = [notice for i, notice in enumerate(told) if notice.superseded != (i > 0)]
    for notice in changed:
        notice.count(superseded=not notice.superseded)
    return changed


def what_follows(
    before: Sequence[rules.Notice], notice: rules.Notice, why: str, wanted: dict[str, str]
) -> News | None:
    """The news to act on after what became of an attempt at a notice; None when nothing more is to be said.

    What another notice waits to say may need no saying any more, when the answer came late. `before` as for
    `next_steps`, `notice` among them; `why` and `wanted` as for `meanwhile`.
    """
    waiting = next((each for each in before if each.waits and each is not notice), None)
    if waiting is not None:
        notice, why, wanted = waiting, "", waiting.variables
    if unended(before) not in (None, notice) or why in (Reason.PROMISE_ENDED, Reason.ALREADY_TOLD):
        return None
    return replace(meanwhile(notice, why, wanted), version=max(each.heard_version for each in before))


def _revision(head: rules.Notice, news: News) -> list[tuple[Step, rules.Notice | None]]:
    changed = head.reason_code or news.variables != head.variables
    return [(Step.REVISE, head)] if changed else []


def _is_wanted(before: Sequence[rules.Notice], news: News) -> bool:
    """Whether the customer must be told, after all that they were told, or may have been.

    A customer is told a date once. Once it was sent the promise moves, and its successor has a name of its
    own. When nobody knows whether it was sent, the customer may know of the risk: so is told of a recovery,
    and of another date, but not of the same again. What could not be sent is not tried again as it was.
    """
    if news.concern == rules.Concern.NONE:
        return False
    tried = [notice for notice in before if notice.may_have_arrived or notice.reason_code not in MOOT]
    if tried and not tried[0].may_have_arrived and _says(tried[0], news):
        return False
    last = next((notice for notice in tried if notice.may_have_arrived), None)
    doubtful = last is not None and last.concern == rules.Concern.AT_RISK and not last.told
    if news.concern == rules.Concern.RECOVERED:
        return doubtful
    if last is None or last.concern == rules.Concern.RECOVERED:
        return True
    return doubtful and not _says(last, news)


def _says(notice: rules.Notice, news: News) -> bool:
    return notice.concern == news.concern and notice.variables["new_date"] == news.variables["new_date"]
