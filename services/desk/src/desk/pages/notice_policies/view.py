"""What the pages say of policies, and of whom one would have told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.notice_policies import forms
from desk.ui import words
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_policy_service_pb2 import PreviewNoticePolicyResponse
from rapport.notifications.v1.template_pb2 import Template
from rapport.notifications.v1.trigger_event_pb2 import TriggerEvent

OUTCOMES = {"TOLD": N_("told"), "DEFERRED": N_("told later"), "NOT_TOLD": N_("not told")}
WHY = {  # why an event tells nobody, or not by this policy; what messages say too, `words` has
    "other-department": N_("it is another department's"),
    "no-customer": N_("it names no customer"),
    "condition": N_("the condition does not hold"),
    "no-value": N_("it does not say what the words are given"),
    "no-date": N_("it has no such day"),
    "date-past": N_("the time to tell of it was over when it happened"),
    "merged": N_("another policy tells of it"),
    "not-known": N_("too much happened until then to say"),
}


@dataclass(frozen=True)
class Line:
    """A policy of the list."""

    name: str
    title: str
    event: str
    template: str
    department: str
    is_on: bool
    changed: str


@dataclass(frozen=True)
class Row:
    """An event, and what would have come of it."""

    when: str
    customer: str  # its name, `customers/{uuid}`; empty where the event names none
    who: str
    outcome: str
    mood: str
    why: str
    by: str  # the policy that tells in its place
    given: str  # what the words would have been given
    sent: str


def lines(policies: Iterable[NoticePolicy], say: Speech) -> list[Line]:
    """The policies, those of one department together."""
    found = [
        Line(
            each.name,
            say.named(each.name),
            trigger(each, say),
            each.template,
            say.named(each.department),
            not each.disabled,
            say.moment(moment(each.update_time)),
        )
        for each in policies
    ]
    return sorted(found, key=lambda line: (line.department, line.title))


def trigger(policy: NoticePolicy, say: Speech) -> str:
    """What leads to its notices, in words."""
    of_date = value_name(policy.customer_date, "date")
    return say(forms.DATES[of_date]) if of_date else say.fact(policy.event_type)


def events(found: Iterable[TriggerEvent], say: Speech) -> list[tuple[str, str]]:
    """Events to choose from, by the service that tells them."""
    return sorted(((each.event_type, event(each, say)) for each in found), key=lambda each: each[1])


def event(of: TriggerEvent, say: Speech) -> str:
    """`Loyalty: Voucher issued`."""
    return f"{say.titled(of.service)}: {say.fact(of.event_type)}"


def templates(
    found: Iterable[Template], policy: NoticePolicy, event: TriggerEvent | None, say: Speech
) -> list[tuple[str, str]]:
    """Those that it may send: of its department or the platform, with a text in their default language."""
    owners = (policy.department, "departments/platform")
    return [
        (each.name, say.named(each.name))
        for each in found
        if each.department in owners and each.default_language_code in each.language_codes
        if value_name(each, "type") != "PARTIAL" and _fits(each, event, policy)
    ]


def _fits(template: Template, event: TriggerEvent | None, policy: NoticePolicy) -> bool:
    """Whether a policy may send it: of an event about promises, what tells their dates.

    Of a date of customers, what needs to be given nothing.
    """
    if event is None:
        return not (policy.HasField("customer_date") and template.required_variables)
    if not event.tells_promises:
        return not template.tells_promises
    return template.tells_promises and template.type == event.template_type and not template.variables


def compared(before: NoticePolicy, now: NoticePolicy, say: Speech) -> list[tuple[str, str, str, bool]]:
    """What two versions say: of what, the one, the other, and whether that is another."""
    pairs = zip(_said(before, say), _said(now, say), strict=True)
    rows = [(told, one, other, one != other) for (told, one), (_, other) in pairs]
    return [row for row in rows if row[1] or row[2]]


def _said(policy: NoticePolicy, say: Speech) -> list[tuple[str, str]]:
    """What a policy says, in the words of its form; empty what it does not."""
    call, day = value_name(policy, "call_first"), policy.schedule.day
    offset = forms.day_of(policy).offset_days
    given = "; ".join(f"{name}: {text}" for name, text in sorted(policy.variables.items()))
    return [
        (say("When this happens"), trigger(policy, say)),
        (say("Words"), say.named(policy.template)),
        (say("Now"), say("switched off") if policy.disabled else say("on")),
        (say("If"), policy.condition),
        (say("What the words are given"), given),
        (say("The field that names who is told"), policy.customer_field),
        (say("What it is about, of which the newest event counts"), policy.subject_field),
        (say("By which day"), day.date_field),
        (say("So many days before or after it"), f"{offset:+}" if offset else ""),
        (say("From this hour on, where the customer lives"), forms.hour_of(policy)),
        (say("Each year again, by the day chosen above"), say("yes") if day.yearly else ""),
        (say("So long after it happened"), span(policy.schedule.delay, say)),
        (say("Of use for so long"), span(policy.expire_after, say)),
        (
            say("Not sent any more once this happens"),
            "; ".join(say.fact(each) for each in policy.cancel_event_types),
        ),
        (
            say("By which channels"),
            ", ".join(channel(each, say) for each in forms.channels(policy.delivery)),
        ),
        (
            say("The next one, too, when nobody reports that it arrived within"),
            span(policy.delivery.fallback_after, say),
        ),
        (say("Who is called first"), say(forms.CALLS[call]) if call else ""),
    ]


def channel(name: str, say: Speech) -> str:
    """A channel, `EMAIL`, as the beginning of a line."""
    return say.titled(words.spoken(name))


def channel_fields(typed: Mapping[str, str], say: Speech) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """A field for each channel, in the order in which they are tried."""
    offered = [(each, channel(each, say)) for each in forms.CHANNELS]
    firsts = (say("the one that the customer prefers"), say("no other"))
    return [
        (f"channel-{i}", typed[f"channel-{i}"], [("", firsts[min(i, 1)]), *offered])
        for i in range(len(forms.CHANNELS))
    ]


def span(lasts: Duration, say: Speech) -> str:
    """How long it is, exactly, in the unit of its form; empty for none."""
    return say.measured(*forms.counted(lasts)) if lasts.seconds else ""


def choices(names: Sequence[str], chosen: str, otherwise: str) -> list[tuple[str, str]]:
    """Fields of an event to choose from, and what is chosen already, whatever it is."""
    listed = [*names, *([chosen] if chosen and chosen not in names else [])]
    return [*([("", otherwise)] if otherwise else []), *((each, each) for each in listed)]


def previewed(
    answer: PreviewNoticePolicyResponse, customers: Mapping[str, Customer], say: Speech
) -> Mapping[str, Any]:
    """Whom it would have told, whom not, and why."""
    rows = [_row(each, customers, say) for each in answer.rows]
    next_time = moment(answer.next_start_time) if answer.HasField("next_start_time") else None
    counts = [
        (_outcome(each.outcome, say), _why(each.reason_code, say), say.number(each.looked_at_count))
        for each in answer.counts
    ]
    return {
        "count": answer.looked_at_count,
        "counts": counts,
        "rows": rows,
        "further": next_time.isoformat() if next_time else "",
        "until": say.moment(next_time) if next_time else "",
    }


def _row(row: PreviewNoticePolicyResponse.Row, customers: Mapping[str, Customer], say: Speech) -> Row:
    known = customers.get(row.customer)
    outcome = PreviewNoticePolicyResponse.Outcome.Name(row.outcome).removeprefix("OUTCOME_")
    return Row(
        say.moment(moment(row.occur_time)) if row.event_id else say.day(moment(row.occur_time).date()),
        row.customer if known else "",
        known.display_name if known else say("nobody we know"),
        _outcome(row.outcome, say),
        {"TOLD": "ok", "NOT_TOLD": "no"}.get(outcome, ""),
        _why(row.reason_code, say),
        row.notice_policy,
        ", ".join(f"{name}: {text}" for name, text in sorted(row.variables.items())),
        say.moment(moment(row.schedule_time)) if row.HasField("schedule_time") else "",
    )


def _outcome(outcome: PreviewNoticePolicyResponse.Outcome.ValueType, say: Speech) -> str:
    name = PreviewNoticePolicyResponse.Outcome.Name(outcome).removeprefix("OUTCOME_")
    return say(OUTCOMES.get(name, N_("not told")))


def _why(code: str, say: Speech) -> str:
    return say(WHY[code]) if code in WHY else say.code(code) if code else ""
