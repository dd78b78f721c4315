"""When a person has to tell the customer what a notice does not, or not in time, or not before they did.

Whoever finds another reason why a notice comes to nobody, or too late, tells the same fact with a code of its
own: it may be told of one notice more than once.
"""

from datetime import datetime

from chassis.facts import fact_of
from notifications.domain.facts import NoticeCallRequested
from notifications.domain.notice import Concern, Notice, State
from notifications.domain.reasons import MOOT, Reason


def call_instead(notice: Notice) -> NoticeCallRequested | None:
    """Of one about something of theirs that has ended and told nobody; nothing of what need not be told.

    It has to be told if its purpose is essential.
    """
    ended = notice.state in (State.SUPPRESSED, State.FAILED)
    over = notice.reason_code in (*MOOT, Reason.TAKEN_BACK, Reason.POLICY_OFF, Reason.CUSTOMER_NOT_FOUND)
    about = bool(notice.promise or notice.case)
    return fact_of(NoticeCallRequested, notice, call_by_time=None) if ended and not over and about else None


def too_late(notice: Notice, now: datetime, again: datetime) -> NoticeCallRequested | None:
    """Of a notice of a delay that is tried `again` when the promise is over, and not before: once."""
    due = notice.due_time
    if notice.concern is not Concern.AT_RISK or notice.ended or not due or not now < due <= again:
        return None
    return fact_of(NoticeCallRequested, notice, reason_code=Reason.TOO_LATE, call_by_time=None)


def call_first(notice: Notice) -> NoticeCallRequested:
    """Of a notice that waits until a person has told the customer."""
    return fact_of(NoticeCallRequested, notice, reason_code=Reason.CALL_FIRST)
