"""What the page of a call says: a pure function of what the services answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from chassis.api.messages import moment, value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.kinds.goodwill import GOODWILL
from desk.pages.actions.kinds.handing import GIVE, HAND_OVER
from desk.pages.actions.kinds.promises import AGREE
from desk.pages.actions.offering import Act, offered
from desk.pages.customer.loading import Names
from desk.pages.customer.promises import dates_of
from desk.pages.customer.things import Handle, handle, lives_in
from desk.pages.services import Parts
from desk.ui.speech import Speech
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillResponse
from rapport.notifications.v1.notice_pb2 import Notice

# Each by the digit of its place.
OUTCOMES = {
    "REACHED": N_("I spoke with them"),
    "NO_ANSWER": N_("Nobody answers"),
    "VOICEMAIL": N_("I left a message"),
    "CALL_BACK": N_("They want to be called then"),
    "WRONG_NUMBER": N_("The number is not theirs"),
    "DECLINED": N_("They do not want to talk"),
}
NO_NUMBER = N_("No number of theirs works")
MADE = {
    "REACHED": N_("reached"),
    "NO_ANSWER": N_("nobody answered"),
    "VOICEMAIL": N_("a message was left"),
    "CALL_BACK": N_("another time was agreed"),
    "WRONG_NUMBER": N_("wrong number"),
    "DECLINED": N_("did not want to talk"),
}
# What is said where the department has no words of its own for it.
SCRIPTS = {
    "undeliverable-notice": N_(
        "I am calling because our message did not reach you. I am sorry that you hear of it so late. "
        "I can tell you what happened, and what you can count on now."
    ),
    "bad-news": N_(
        "I am calling because something will not be as we promised, and I want you to hear it from a person. "
        "I am sorry. I can tell you what happened, and what you can count on now."
    ),
    "feedback": N_(
        "I am calling about what you told us. Thank you for saying it, and I am sorry that it came to that. "
        "I would like to hear it from you, and put it right."
    ),
}
PLAIN = N_("I am calling from the company on a matter of yours. Is this a good moment?")
FROM, UNTIL = time(9), time(20)  # where they are: when nobody minds to be called
_WHY = {
    "not-reached": N_(
        "They were not reached, as often as it was tried. Who owns the case decides what is done."
    ),
    "no-number": N_("No number of theirs works. Who owns the case decides how they hear of it."),
    "never-open": N_(
        "The department that called has no hours to call again. Who owns the case decides what is done."
    ),
}


@dataclass(frozen=True)
class Number:
    """A number of theirs."""

    handle: Handle
    wrong: str  # since when somebody knows that it is not theirs; empty when it may be


@dataclass(frozen=True)
class CallPage:
    """All that the page says, in words."""

    title: str
    who: str
    there: str  # what time it is where they are, and whether that is a good one
    good: bool
    script: Sequence[str]  # its lines
    by_department: bool
    numbers: Sequence[Number]
    refused: bool  # that they are called
    facts: Sequence[tuple[str, str]]
    attempts: Sequence[str]
    waits: str  # until when it is not to be made, or why it came to who owns the case
    is_over: bool
    acts: Sequence[Act]
    day: str  # with time: when to call again, as the form proposes it
    time: str


@dataclass(frozen=True)
class Told:
    """What the services answered."""

    item: WorkItem
    case: Case
    parts: Parts

    @property
    def customer(self) -> Customer:
        known: Any = self.parts.of("customer", dict[str, Customer]).get(self.case.customer)
        return known or Customer()


def page(told: Told, viewer: Viewer, names: Names, say: Speech) -> CallPage:
    """The page."""
    item, known = told.item, told.customer
    there, good = _there(lives_in(known), say)
    day, at = proposed(lives_in(known), say)
    own = item.call.script
    return CallPage(
        title=say("Call: {reason}", reason=say.code(item.call.reason_code)),
        who=known.display_name or say("a customer"),
        there=there,
        good=good,
        script=(own or say(SCRIPTS.get(item.call.reason_code, PLAIN))).splitlines(),
        by_department=bool(own),
        numbers=_numbers(known, say),
        refused=value_name(told.parts.of("consent", Consent), "state") == "DENIED",
        facts=_facts(told, say),
        attempts=[_attempt(each, names, say) for each in item.call.attempts],
        waits=_waits(item, say),
        is_over=value_name(item, "state") == "FINISHED",
        acts=_acts(told, viewer),
        day=day,
        time=at,
    )


def outcomes(page: CallPage, say: Speech) -> Sequence[tuple[str, str]]:
    """What may become of it, each with its words; without a number that works, that there is none."""
    none = {} if any(not each.wrong for each in page.numbers) else {"WRONG_NUMBER": NO_NUMBER}
    return [(code, say(said)) for code, said in (OUTCOMES | none).items()]


def _there(zone: str, say: Speech) -> tuple[str, bool]:
    """What time it is where they are. Where nobody knows, any is as good as another."""
    if not zone:
        return say("Where they are is not known."), True
    local = say.now.astimezone(say.zone_of(zone))
    good = FROM <= local.time() < UNTIL
    told = N_("It is {time} where they are: a good time.")
    if not good:
        told = N_("It is {time} where they are: call between {start} and {end} there, from {here} on here.")
    first = datetime.combine(local.date() + timedelta(days=local.time() >= UNTIL), FROM, local.tzinfo)
    hours = {
        "start": say.clock(first, say.zone_of(zone)),
        "end": say.clock(datetime.combine(local.date(), UNTIL, local.tzinfo), say.zone_of(zone)),
        "here": say.moment(first),
    }
    return say(told, time=say.clock(say.now, say.zone_of(zone)), **hours), good


def proposed(zone: str, say: Speech) -> tuple[str, str]:
    """When to call again, in the reader's time: in two hours, or at the next good time for them."""
    local = (say.now + timedelta(hours=2)).astimezone(say.zone_of(zone))
    if not FROM <= local.time() < UNTIL:
        day = local.date() + timedelta(days=local.time() >= UNTIL)
        local = datetime.combine(day, FROM, local.tzinfo)
    here = local.astimezone(say.zone)
    return here.date().isoformat(), here.strftime("%H:%M")


def _numbers(known: Customer, say: Speech) -> Sequence[Number]:
    """Those that may be theirs first."""
    phones = [each for each in known.identifiers if value_name(each, "type") == "PHONE"]
    phones.sort(key=lambda each: each.HasField("unreachable_time"))
    return [
        Number(
            handle(each, say),
            say.moment(moment(each.unreachable_time)) if each.HasField("unreachable_time") else "",
        )
        for each in phones
    ]


def _facts(told: Told, say: Speech) -> Sequence[tuple[str, str]]:
    """What there is to tell, as it is now, and what may be offered."""
    facts = []
    if told.parts.has("promise"):
        promise = told.parts.of("promise", Promise)
        is_open = value_name(promise, "state") in ("OPEN", "AT_RISK", "BROKEN")
        was, now = dates_of(promise, None, is_open, say)
        facts.append((say("Promised"), say.about(promise)))
        facts.append((say("By when"), f"{was}, {say('now')} {now}" if was else now))
        if promise.reason_code:
            facts.append((say("Why"), say.code(promise.reason_code)))
        facts.append((say("Now"), say(_NOW.get(value_name(promise, "state"), N_("It is open.")))))
        if promise.HasField("delay_notify_time"):
            facts.append((say("They know"), say.moment(moment(promise.delay_notify_time))))
    if told.parts.has("notice"):
        notice = told.parts.of("notice", Notice)
        facts.append(
            (say("Our message"), say("did not reach them: {reason}", reason=say.code(notice.reason_code)))
        )
    if told.parts.has("allowance"):
        may = told.parts.of("allowance", CheckGoodwillResponse)
        left = min(may.customer_left, may.grantor_left, may.amount)
        facts.append((say("You may offer"), say.count(left, "{n} point", "{n} points")))
    return facts


_NOW = {
    "AT_RISK": N_("It will not be in time."),
    "BROKEN": N_("It was not kept."),
    "KEPT": N_("It was kept meanwhile: there is nothing bad to tell."),
    "KEPT_LATE": N_("It was kept, late."),
    "RENEGOTIATED": N_("Another date was agreed meanwhile."),
    "WITHDRAWN": N_("It was taken back meanwhile."),
}


def _attempt(each: Any, names: Names, say: Speech) -> str:
    outcome = say(MADE.get(value_name(each, "outcome"), N_("unknown")))
    when = say.moment(moment(each.end_time))
    return say("{when}, {who}: {outcome}", when=when, who=names(each.caller), outcome=outcome)


def _waits(item: WorkItem, say: Speech) -> str:
    call = item.call
    if item.block_reason_code == "call-later" and call.HasField("call_time"):
        return say("Not before {moment}.", moment=say.moment(moment(call.call_time)))
    return say(_WHY[call.owner_reason_code]) if call.owner_reason_code in _WHY else ""


def _acts(told: Told, viewer: Viewer) -> Sequence[Act]:
    """What can be agreed and offered on the telephone, and whose call it is."""
    item, customer = told.item, told.case.customer
    acts: list[Act] = []
    if promise := item.call.promise:
        owner = told.parts.of("promise", Promise).department
        agreed = offered(viewer, customer, AGREE, on=promise, owner=owner)
        acts += agreed or offered(viewer, customer, AGREE, on=promise, owner=told.case.department)
        acts += offered(viewer, customer, GOODWILL, on=promise)
    if value_name(item, "state") != "FINISHED":
        acts += offered(viewer, customer, GIVE, HAND_OVER, on=item.name, owner=item.department)
    return acts
