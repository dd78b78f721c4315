"""Notices that are sent at an hour where the customer lives, which is known when one is about to be sent."""

from datetime import datetime, tzinfo

from chassis import ids
from chassis.facts import Decision, Outcome
from notifications.domain.days import hour_of, span
from notifications.domain.notice import Notice
from notifications.domain.reasons import Reason
from notifications.usecases.attempt import Forbidden, Quiet


def require_hour(notice: Notice, zone: tzinfo, now: datetime, before: list[Decision]) -> list[Decision]:
    """The steps `before` and this one, of a notice that has its hour.

    Quiet until then; Forbidden once it lasted, from that hour on, for as long as it is of use, and of a later
    year than the day's own when that day had begun before what it tells of. Its `expire_time` is when that is
    over everywhere.
    """
    if not notice.send_on:
        return before
    years = notice.years or 0
    at = hour_of(notice.send_on, notice.day_offset, notice.send_hour, zone, years)
    inputs = {"send_on": notice.send_on, "open_time": at.isoformat()}
    if notice.day_offset:
        inputs["day_offset"] = str(notice.day_offset)
    if years:
        inputs["years"] = str(years)
    if now < at and not _had_begun(notice, zone):
        step = Decision("schedule", Outcome.DEFERRED, Reason.SCHEDULED, inputs, now)
        raise Quiet(Reason.SCHEDULED, at, [*before, step])
    _, everywhere = span(notice.send_on, notice.day_offset, notice.send_hour, years)
    if now >= at + (notice.expire_time - everywhere) or _had_begun(notice, zone):
        step = Decision("schedule", Outcome.STOPPED, Reason.EXPIRED, inputs, now)
        raise Forbidden(Reason.EXPIRED, [*before, step])
    return [*before, Decision("schedule", Outcome.PASSED, inputs=inputs, decide_time=now)]


def _had_begun(notice: Notice, zone: tzinfo) -> bool:
    if not notice.years or notice.trigger_event is None:
        return False
    return hour_of(notice.send_on, notice.day_offset, 0, zone, notice.years) <= ids.moment(
        notice.trigger_event
    )
