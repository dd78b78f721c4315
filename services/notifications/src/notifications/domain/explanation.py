"""Why a notice was or was not sent, in words."""

from collections.abc import Mapping
from datetime import datetime

from chassis.facts import Told, Why, shown
from notifications.domain.attempt import Attempt
from notifications.domain.customer_date import tells_date
from notifications.domain.notice import Concern, Notice, State
from notifications.domain.reasons import Reason
from notifications.domain.template import Template

_SINCE: Mapping[str, str] = {  # after it was handed over
    Reason.SUPERSEDED: "something newer has happened since, so nothing more is tried",
    Reason.CAUSE_GONE: "what it was to tell has come to nothing since, so nothing more is tried",
}
# For these it waits, and ends once it is of no more use by when they are over.
_WAITED = (Reason.QUIET_HOURS, Reason.PAUSED, Reason.CONTACT_PRESSURE)


def why_notice(notice: Notice, template: Template, attempt: Attempt | None, _: Told) -> Why:
    """Why a notice was or was not sent: what became of it, by its latest attempt, and why it was wanted."""
    summary = f"{_what_became(notice, attempt)} {_why_wanted(notice)}"
    said = template.impersonal(notice.variables)
    return Why(summary, notice.notice_policy, str(notice.policy_version or ""), said, notice.decisions)


def _what_became(notice: Notice, attempt: Attempt | None) -> str:
    why = _words(notice.reason_code)
    tried = f" after {notice.attempt_count} attempts" if notice.attempt_count > 1 else ""
    match notice.state:
        case State.REQUESTED | State.SENDING if notice.accepted_on:
            assert notice.send_time is not None, "it was accepted"
            sent = f"Sent by {notice.accepted_on.lower()} on {shown(notice.send_time)}"
            return f"{sent}; {Reason.NOT_DELIVERED.words}, so another channel is tried."
        case State.REQUESTED if notice.defer_time:
            wanted = _words(notice.defer_reason_code)
            return f"Deferred until {shown(notice.defer_time)}, when it is decided again: {wanted}."
        case State.REQUESTED if attempt:
            code = _words(attempt.provider_code)
            return f"Not sent yet: attempt {attempt.number} failed ({code}) and another follows."
        case State.REQUESTED if notice.schedule_time and notice.send_on:
            hour = f"{notice.send_hour:02}:00 of its day where the customer lives"
            return (
                f"Not sent yet: it waits for {hour}, which is nowhere before {shown(notice.schedule_time)}."
            )
        case State.REQUESTED if notice.schedule_time:
            return f"Not sent yet: it is to be sent from {shown(notice.schedule_time)} on."
        case State.REQUESTED:
            return "Not sent yet: it waits for its first attempt."
        case State.SENDING:
            return "Being sent: the provider's answer is not known yet."
        case State.SUPPRESSED:
            late = ", and after that it is of no more use" if notice.reason_code in _WAITED else ""
            return f"Not sent: {why}{late}."
        case State.UNKNOWN:
            since = _SINCE.get(notice.reason_code, why)
            return f"Handed over{tried}, and whether the customer was told is not known: {since}."
        case State.FAILED:
            return f"Not delivered{tried}: {why}." if notice.bounced else f"Not sent{tried}: {why}."
        case _:
            assert notice.send_time is not None, "only a notice that was sent gets here"
            arrived = f" It arrived on {shown(notice.deliver_time)}." if notice.deliver_time else ""
            return f"Sent by {notice.channel.lower()} on {shown(notice.send_time)}{tried}.{arrived}"


def _words(code: str) -> str:
    """A code's words; of what a provider said, or another release, the code."""
    return next((each.words for each in Reason if each == code), code)


def _why_wanted(notice: Notice) -> str:
    said = notice.variables
    match notice.concern:
        case Concern.AT_RISK:
            return (
                f"It was wanted because {notice.promise} became at risk ({said['reason']}): "
                f"due {_when(said['old_date'])}, now expected {_when(said['new_date'])}."
            )
        case Concern.RECOVERED:
            return (
                f"It was wanted because {notice.promise}, due {_when(said['old_date'])}, is expected in "
                "time again, and the customer may have been told otherwise."
            )
        case _ if tells_date(notice):
            return f"{notice.notice_policy} asked for it, for a date of the customer's: {notice.send_on}."
        case _ if notice.notice_policy_id:
            return f"{notice.notice_policy} asked for it, for something happened to {notice.subject}."
        case _:
            return "A department asked for it."


def _when(said: str) -> str:
    """A day as it is, a moment as people read it."""
    return said if len(said) == len("2026-03-02") else shown(datetime.fromisoformat(said))
