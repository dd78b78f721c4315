"""What the pages say of messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.notices.chosen import STATES, Chosen
from desk.ui import words
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_service_pb2 import NoticeReport

_TOLD = {
    "REQUESTED": N_("waits"),
    "SENDING": N_("is on its way"),
    "SENT": N_("was sent"),
    "DELIVERED": N_("arrived"),
    "SUPPRESSED": N_("was not sent"),
    "FAILED": N_("failed"),
    "UNKNOWN": N_("was sent, perhaps"),
}
MOODS = {"SENT": "ok", "DELIVERED": "ok", "SUPPRESSED": "no", "FAILED": "no", "UNKNOWN": "stale"}
_OUTCOMES = {
    "PENDING": N_("is on its way"),
    "ACCEPTED": N_("was taken"),
    "TEMPORARY_FAILURE": N_("did not work yet"),
    "PERMANENT_FAILURE": N_("was refused for good"),
    "UNKNOWN": N_("nobody knows whether it was taken"),
}
_DELIVERIES = {
    "DELIVERED": N_("it arrived"),
    "DELAYED": N_("the provider goes on trying"),
    "TEMPORARY_FAILURE": N_("it did not arrive, for no fault of the address"),
    "TECHNICAL_FAILURE": N_("it did not arrive, for a fault between us and the provider"),
    "PERMANENT_FAILURE": N_("there is no such address"),
}
REPORTED = {  # what messages are counted by, and the field of a row
    "policy": (N_("By policy"), "notice_policy"),
    "template": (N_("By words"), "template"),
    "channel": (N_("By channel"), "channel"),
    "department": (N_("By department"), "department"),
}

# What has none of what messages are counted by.
_NOBODY = {
    "policy": N_("what people send"),
    "template": N_("none yet"),
    "channel": N_("none yet"),
    "department": N_("nobody's"),
}


@dataclass(frozen=True)
class Line:
    """A message of the list, or the page of one."""

    name: str
    title: str
    who: str
    customer: str
    when: str
    state: str
    mood: str
    why: str
    channel: str
    department: str
    policy: str  # which asked for it, in the version that did; empty of what people send
    version: int
    later: str  # until when it is deferred, or before when it is not sent


@dataclass(frozen=True)
class Attempt:
    """An attempt to hand a message over, and what was reported of it."""

    when: str
    provider: str
    outcome: str
    mood: str
    code: str
    reported: str
    again: bool  # of the same message as one before


@dataclass(frozen=True)
class Row:
    """What became of messages of one kind."""

    title: str
    href: str
    row: NoticeReport.Row
    contacts: str
    same: str


def line(notice: Notice, customers: Mapping[str, Customer], say: Speech) -> Line:
    """A message."""
    state, known = value_name(notice, "state"), customers.get(notice.customer, Customer())
    channel = value_name(notice, "channel")
    why = notice.reason_code or notice.defer_reason_code
    return Line(
        notice.name,
        say.titled(notice.kind),
        known.display_name or say("a customer"),
        notice.customer,
        say.moment(moment(notice.create_time)),
        told(state, say),
        MOODS.get(state, ""),
        say.code(why) if why else "",
        say.code(words.spoken(channel)) if channel != "UNSPECIFIED" else "",
        say.named(notice.department) if notice.department else "",
        notice.notice_policy,
        notice.policy_version,
        _later(notice, state, say),
    )


def _later(notice: Notice, state: str, say: Speech) -> str:
    if state != "REQUESTED":
        return ""
    if notice.HasField("defer_time"):
        return say("until {when}", when=say.moment(moment(notice.defer_time)))
    if notice.HasField("schedule_time"):
        return say("not before {when}", when=say.moment(moment(notice.schedule_time)))
    return ""


def times(notice: Notice, say: Speech) -> list[tuple[str, str]]:
    """What happened to it when, as far as it has."""
    found = (
        (say("Asked for"), "create_time"),
        (say("Not sent before"), "schedule_time"),
        (say("Decided again"), "defer_time"),
        (say("Of no more use from then on"), "expire_time"),
        (say("Sent"), "send_time"),
        (say("Arrived"), "deliver_time"),
        (say("The customer turned to us"), "inbound_time"),
        (say("The customer turned to us about the same thing"), "subject_inbound_time"),
    )
    return [(told, say.moment(moment(getattr(notice, name)))) for name, told in _there(notice, found)]


def _there(notice: Notice, found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, told) for told, name in found if notice.HasField(name)]  # type: ignore[arg-type]


def attempts(found: Sequence[DeliveryAttempt], say: Speech) -> list[Attempt]:
    """The attempts to hand it over, oldest first."""
    keys: set[str] = set()
    rows = []
    for each in found:
        rows.append(_attempt(each, each.provider_key in keys, say))
        keys.add(each.provider_key)
    return rows


def _attempt(each: DeliveryAttempt, again: bool, say: Speech) -> Attempt:
    outcome, delivery = value_name(each, "outcome"), value_name(each, "delivery")
    reported = [
        say(_DELIVERIES[delivery]) if delivery in _DELIVERIES else "",
        say("its reader complained") if each.HasField("complaint_time") else "",
        _moment(each.delivery_time if each.HasField("delivery_time") else None, say),
    ]
    return Attempt(
        say.moment(moment(each.start_time)),
        say.named(each.provider),
        say(_OUTCOMES.get(outcome, _OUTCOMES["PENDING"])),
        {"ACCEPTED": "ok", "PERMANENT_FAILURE": "no", "UNKNOWN": "stale"}.get(outcome, ""),
        each.provider_code,
        ", ".join(filter(None, reported)),
        again,
    )


def _moment(at: Timestamp | None, say: Speech) -> str:
    return say.moment(moment(at)) if at else ""


def choices(what: Chosen, say: Speech) -> list[tuple[str, str, bool]]:
    """Where messages are, to choose from: a URL, its words, and whether it is chosen."""
    found = [(what.other(state=""), say("All"), not what.state)]
    return found + [
        (what.other(state=key), say(told), what.state == key) for key, (told, _) in STATES.items()
    ]


def rows(report: NoticeReport, by: str, department: str, say: Speech) -> list[Row]:
    """What became of messages, by what they are counted by."""
    return [_row(each, by, department, say) for each in report.rows]


def _row(row: NoticeReport.Row, by: str, department: str, say: Speech) -> Row:
    field = REPORTED[by][1]
    code = words.last(getattr(row, field)) if by != "channel" else words.spoken(value_name(row, field))
    code = "" if code == "unspecified" else code
    title = say.titled(code) if code else say(_NOBODY[by])
    chosen = Chosen(**({"department": department} | ({by: code} if code else {})))
    return Row(title, chosen.url() if code else "", row, *contacted(row, say))


def contacted(row: NoticeReport.Row, say: Speech) -> tuple[str, str]:
    """Of how many that were sent the customer turned to us, about anything and the same thing."""
    sent = row.sent_count

    def share(count: int) -> str:
        told = N_("{share} ({n} of {all})")
        return say(told, share=say.percent(count / sent), n=count, all=sent) if sent else ""

    return share(row.inbound_count), share(row.subject_inbound_count)


def reasons(row: NoticeReport.Row, say: Speech) -> list[tuple[str, str, str]]:
    """Why messages wait or were not sent, each with how many."""
    return [
        (say.number(each.notice_count), told(value_name(each, "state"), say), say.code(each.reason_code))
        for each in row.reasons
    ]


def told(state: str, say: Speech) -> str:
    """What became of a message: `was sent`."""
    return say(_TOLD.get(state, _TOLD["REQUESTED"]))
