"""What others are told once a notice has ended, and of a promise what its customer was told by it."""

from datetime import datetime

from chassis.facts import fact_of
from notifications.domain.days import due
from notifications.domain.facts import NoticeFailed, NoticeSent, NoticeSuppressed, NoticeUnknown, ToldPromise
from notifications.domain.notice import Concern, Notice, State

_NOT_SENT: dict[State, type[NoticeSuppressed | NoticeUnknown | NoticeFailed]] = {
    State.SUPPRESSED: NoticeSuppressed,
    State.UNKNOWN: NoticeUnknown,
    State.FAILED: NoticeFailed,
}


def end_fact(notice: Notice) -> NoticeSent | NoticeSuppressed | NoticeFailed | NoticeUnknown:
    """What to tell the others once it has ended. That it arrived, `NoticeDelivered` tells."""
    if not notice.told:
        return fact_of(_NOT_SENT[notice.state], notice)
    assert notice.send_time is not None, "a notice that was sent has it"
    return fact_of(NoticeSent, notice, told_promise=told_promise(notice, notice.send_time))


def told_promise(notice: Notice, at: datetime) -> ToldPromise | None:
    """The new date that the customer counts on now. Only a policy's notice of a risk can tell one."""
    if notice.concern != Concern.AT_RISK or notice.superseded:
        return None
    new_due_time, new_due_date = due(notice.variables["new_date"], notice.time_zone)
    return ToldPromise(
        promise=notice.promise,
        customer=notice.customer,
        promise_version=notice.promise_version,
        new_due_time=new_due_time,
        new_due_date=new_due_date,
        time_zone=notice.time_zone,
        tell_time=at,
        reason_code=notice.variables["reason"],
    )
