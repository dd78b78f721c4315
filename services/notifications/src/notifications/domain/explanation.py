"""Why a notice was or was not sent, in words."""

from datetime import datetime

from chassis.facts import Told, Why, shown
from notifications.domain import reasons
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Concern, Notice, State
from notifications.domain.pressure import CONTACT_PRESSURE
from notifications.domain.provider import PROVIDER_AWAY, PROVIDER_BUSY
from notifications.domain.template import Template
from notifications.domain.trigger import POLICY_OFF

_WHY = {
    "consent-denied": "the customer does not allow it",
    "suppressed": "nothing is sent to the customer's address any more",
    "quiet-hours": "the customer wants quiet until it is of no more use",
    "paused": "the customer wants quiet until it is of no more use",
    CONTACT_PRESSURE: "the customer has been sent enough until it is of no more use",
    "no-address": "no address of the customer is known",
    reasons.CHANNEL_NOT_SERVED: "nobody sends on a channel by which it may go",
    "customer-not-found": "there is no such customer",
    reasons.EXPIRED: "it was of no more use when it could first be sent",
    reasons.PROMISE_ENDED: "the promise had ended before it could be sent",
    reasons.PROMISE_RECOVERED: "the promise was expected to be kept in time again before it could be sent",
    reasons.PROMISE_AT_RISK: "the promise was at risk again before it could be sent",
    reasons.ALREADY_TOLD: "the same was told, or tried to be told, before",
    reasons.SUPERSEDED: "something newer happened before it could be sent",
    reasons.CAUSE_GONE: "what it was to tell had come to nothing before it could be sent",
    reasons.TOO_MANY: "its policy had told the customer so much within a day that something is wrong with it",
    POLICY_OFF: "its policy was switched off, or deleted, before it could be sent",
    reasons.TAKEN_BACK: "it was taken back before it was sent",
    reasons.GAVE_UP: "no attempt succeeded while it was of use",
    reasons.REFUSED: "the provider refused it for good",
    "invalid-address": "the customer's address is none",
    "address-needs-smtputf8": "the mail server cannot write to the customer's address",
    "not-repeatable": "what was handed over before could not be said again in the same words",
    reasons.BOUNCED: "the provider accepted it and could not deliver it",
    reasons.OUTCOME_UNKNOWN: "the provider's answer was lost",
}

_SINCE = {  # after it was handed over
    reasons.SUPERSEDED: "something newer has happened since, so nothing more is tried",
    reasons.CAUSE_GONE: "what it was to tell has come to nothing since, so nothing more is tried",
}

_QUIET = {
    "quiet-hours": "the customer wants quiet at this hour",
    "paused": "the customer wants a pause",
    CONTACT_PRESSURE: "the customer has been sent enough by all departments for now",
    PROVIDER_AWAY: "whoever hands it over takes nothing from us at the moment",
    PROVIDER_BUSY: "whoever hands it over has as much to do as it takes from us",
    reasons.SCHEDULED: "it is not yet the hour for it where the customer lives",
    reasons.CALL_FIRST: "a person is to tell the customer first; it is sent when they have, or nobody did",
}


def why_notice(notice: Notice, template: Template, attempt: Attempt | None, _: Told) -> Why:
    """Why a notice was or was not sent: what became of it, by its latest attempt, and why it was wanted."""
    summary = f"{_what_became(notice, attempt)} {_why_wanted(notice)}"
    said = template.impersonal(notice.variables)
    return Why(summary, notice.notice_policy, str(notice.policy_version or ""), said, notice.decisions)


def _what_became(notice: Notice, attempt: Attempt | None) -> str:
    why = _WHY.get(notice.reason_code, notice.reason_code)
    tried = f" after {notice.attempt_count} attempts" if notice.attempt_count > 1 else ""
    match notice.state:
        case State.REQUESTED | State.SENDING if notice.accepted_on:
            assert notice.send_time is not None, "it was accepted"
            sent = f"Sent by {notice.accepted_on.lower()} on {shown(notice.send_time)}"
            return f"{sent}; nobody reports that it arrived, so another channel is tried."
        case State.REQUESTED if notice.defer_time:
            wanted = _QUIET.get(notice.defer_reason_code, notice.defer_reason_code)
            return f"Deferred until {shown(notice.defer_time)}, when it is decided again: {wanted}."
        case State.REQUESTED if attempt:
            code = attempt.provider_code
            return f"Not sent yet: attempt {attempt.number} failed ({code}) and another follows."
        case State.REQUESTED if notice.schedule_time:
            return f"Not sent yet: it is to be sent from {shown(notice.schedule_time)} on."
        case State.REQUESTED:
            return "Not sent yet: it waits for its first attempt."
        case State.SENDING:
            return "Being sent: the provider's answer is not known yet."
        case State.SUPPRESSED:
            return f"Not sent: {why}."
        case State.UNKNOWN:
            since = _SINCE.get(notice.reason_code, why)
            return f"Handed over{tried}, and whether the customer was told is not known: {since}."
        case State.FAILED:
            return f"Not delivered{tried}: {why}." if notice.bounced else f"Not sent{tried}: {why}."
        case _:
            assert notice.send_time is not None, "only a notice that was sent gets here"
            arrived = f" It arrived on {shown(notice.deliver_time)}." if notice.deliver_time else ""
            return f"Sent by {notice.channel.lower()} on {shown(notice.send_time)}{tried}.{arrived}"


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
        case _ if notice.notice_policy_id:
            return f"{notice.notice_policy} asked for it, for something happened to {notice.subject}."
        case _:
            return "A department asked for it."


def _when(said: str) -> str:
    """A day as it is, a moment as people read it."""
    return said if len(said) == len("2026-03-02") else shown(datetime.fromisoformat(said))
