"""What a customer may be contacted for: what they said, when, where, and what proves it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.api.messages import moment, value_name
from chassis.languages import UNKNOWN
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.actions.kinds.stopping import STOP, WITHDRAW, stopped
from desk.pages.customer.entries import who_did
from desk.pages.customer.loading import LIVE_S, Names
from desk.pages.services import Parts, ask
from desk.pages.wordings import by_purpose, version_of
from desk.ui.speech import Speech
from desk.ui.words import last, spoken
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    GetPreferencesRequest,
    ListConsentsRequest,
    ListConsentVersionsRequest,
    ListConsentVersionsResponse,
    UpdateConsentRequest,
)
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_service_pb2 import (
    ListPurposesRequest,
    ListWordingsRequest,
    ListWordingsResponse,
)
from rapport.customer.v1.suppression_pb2 import Suppression
from rapport.customer.v1.suppression_service_pb2 import ListSuppressionsRequest, ListSuppressionsResponse

_CHANNELS = {
    "email": N_("E-mail"),
    "voice": N_("Calls"),
    "sms": N_("SMS"),
    "letter": N_("Letters"),
    "app": N_("App"),
}
HISTORIES, VERSIONS = 20, 20  # of whose history so much is shown
_KEPT_FROM = {
    Suppression.REASON_UNSUBSCRIBED: N_("they unsubscribed"),
    Suppression.REASON_HARD_BOUNCE: N_("it does not exist or takes nothing"),
    Suppression.REASON_COMPLAINT: N_("they complained to whoever runs their mail"),
    Suppression.REASON_ERASURE: N_("what we knew of them was erased"),
    Suppression.REASON_MANUAL: N_("somebody decided it"),
}


@dataclass(frozen=True)
class Said:
    """A line of what holds, and what was noted of it, the latest first."""

    words: str
    history: Sequence[str]


async def _open(doing: Doing) -> Values:
    services, say = doing.look.services, doing.look.say
    who = await ask(
        LIVE_S,
        customer=services.customers.GetCustomer(GetCustomerRequest(name=doing.customer)),
        wishes=services.consents.GetPreferences(GetPreferencesRequest(name=f"{doing.customer}/preferences")),
    )
    wishes, names = who.of("wishes", Preferences), Names(doing.look.viewer, doing.look.memory)
    language = wishes.language_code or who.of("customer", Customer).language_code or UNKNOWN
    every = ListWordingsRequest(parent="purposes/-", page_size=1000, language_code=language)
    purposes, said, parts = await asyncio.gather(
        services.purposes.ListPurposes(ListPurposesRequest(page_size=1000)),
        services.consents.ListConsents(ListConsentsRequest(parent=doing.customer, page_size=1000)),
        ask(
            LIVE_S,
            suppressed=services.suppressions.ListSuppressions(_holding(doing.customer)),
            wordings=services.purposes.ListWordings(every),
        ),
    )
    wordings = by_purpose(parts.of("wordings", ListWordingsResponse).wordings)
    suppressed = parts.of("suppressed", ListSuppressionsResponse).suppressions
    called = {each.name: each.display_name or say.titled(last(each.name)) for each in purposes.purposes}
    histories = await _histories(doing, said.consents, names, wishes.contact_stop.noter)
    return {
        "channel": "email",
        "state": "",
        "proof": "",
        "purpose": "purposes/service" if "purposes/service" in called else "",
        "channels": [(code, say(told)) for code, told in _CHANNELS.items()],
        "purposes": list(called.items()),
        "states": [("GRANTED", say("yes")), ("DENIED", say("no"))],
        "agreed": [
            (f"wording-{last(name)}", version_of(each), called.get(name, name), each.text)
            for name, each in wordings.items()
        ],
        "stopped": stopped(wishes, names, say),
        "stop": STOP.href(doing.customer),
        "withdraw": WITHDRAW.href(doing.customer),
        "suppressed": [kept_from(each, say) for each in suppressed],
        "said": [Said(recorded(each, called, say), histories.get(each.name, ())) for each in said.consents],
    }


async def _histories(
    doing: Doing, consents: Sequence[Consent], names: Names, noter: str
) -> Mapping[str, Sequence[str]]:
    """What was noted of each, in lines; of those of which nobody says it, nothing.

    `names` learn who noted it, and `noter`.
    """
    look = doing.look
    listing = look.services.consents.ListConsentVersions
    shown = [each.name for each in consents[:HISTORIES]]
    asked = {name: listing(ListConsentVersionsRequest(parent=name, page_size=VERSIONS)) for name in shown}
    parts = await ask(LIVE_S, **asked) if asked else Parts()
    found = {name: parts.of(name, ListConsentVersionsResponse).consents for name in shown}
    noters = {each.noter for versions in found.values() for each in versions}
    await names.learn(look.services, {noter, *noters})
    return {name: [_noted(each, names, look.say) for each in versions] for name, versions in found.items()}


def _holding(customer: str) -> ListSuppressionsRequest:
    return ListSuppressionsRequest(customer=customer, filter="NOT release_time:*", page_size=VERSIONS)


def kept_from(suppression: Suppression, say: Speech) -> str:
    """Why nothing is sent to an address: `E-mail, marketing: nothing is sent, since 18 Sep: ...`."""
    kind = say("E-mail") if suppression.type == Identifier.TYPE_EMAIL else say("Number")
    return say(
        "{what}: nothing is sent, since {day}: {reason}",
        what=", ".join(filter(None, (kind, suppression.category and say.code(suppression.category)))),
        day=say.on(moment(suppression.create_time)),
        reason=say(_KEPT_FROM.get(suppression.reason, _KEPT_FROM[Suppression.REASON_MANUAL])),
    )


def waits(consent: Consent, now: datetime) -> bool:
    """Whether they said yes, have not confirmed it, and still can."""
    is_asked = consent.HasField("confirm_expire_time") and not consent.HasField("confirm_time")
    return is_asked and consent.state == Consent.STATE_DENIED and now < moment(consent.confirm_expire_time)


def recorded(consent: Consent, called: Mapping[str, str], say: Speech) -> str:
    """What the customer said, as a line: `Service, e-mail: yes, since 18 Sep`."""
    if waits(consent, say.now):
        return say(
            "{purpose}, {channel}: no, unless they confirm their yes by {day}",
            purpose=called.get(consent.purpose) or say.titled(last(consent.purpose)),
            channel=say.code(spoken(value_name(consent, "channel"))),
            day=say.on(moment(consent.confirm_expire_time)),
        )
    return say(
        "{purpose}, {channel}: {answer}, since {day}",
        purpose=called.get(consent.purpose) or say.titled(last(consent.purpose)),
        channel=say.code(spoken(value_name(consent, "channel"))),
        answer=_answer(consent, say),
        day=say.on(moment(consent.effective_time)),
    )


def _answer(consent: Consent, say: Speech) -> str:
    if waits(consent, say.now):
        return say("yes, to be confirmed")
    return say("yes") if consent.state == Consent.STATE_GRANTED else say("no")


def _noted(consent: Consent, names: Names, say: Speech) -> str:
    """One answer with what proves it: `yes, today 09:00, web form, forms/4711, Alice Brandt`."""
    version = _wording(consent)
    wording = say("wording {version}", version=version) if version else ""
    confirmed = say("confirmed by them") if consent.HasField("confirm_time") else ""
    parts = (
        _answer(consent, say),
        say.moment(moment(consent.effective_time)),
        say.code(consent.source) if consent.source else "",
        wording,
        confirmed or consent.proof,
        who_did(consent.noter, "", names, say),
    )
    return ", ".join(filter(None, parts))


def _wording(consent: Consent) -> str:
    """Which wording they agreed to: `de 2` of ours, or what another system calls its own."""
    _, _, ours = consent.wording.partition("/wordings/")
    return ours.replace("/versions/", " ") or consent.wording_version


async def _do(doing: Doing) -> Done:
    purpose = last(doing.text("purpose"))
    name = f"{doing.customer}/consents/{purpose}.{doing.text('channel')}"
    said = Consent(
        name=name,
        state=doing.choice("state", Consent.State),
        source="desk",
        wording=doing.text(f"wording-{purpose}") if doing.text("state") == "GRANTED" else "",
        proof=doing.reference("proof") if doing.text("proof") else "",
    )
    request = doing.request(UpdateConsentRequest, consent=said, allow_missing=True)
    noted = await doing.look.services.consents.UpdateConsent(request)
    return Done(doing.look.say("Noted: {what}.", what=recorded(noted, {}, doing.look.say)))


CONSENT = Action(
    id="consent",
    label=N_("Contact consent"),
    permission="customer.consents.write",
    fields=[
        Field("channel", N_("Channel"), among="channels"),
        Field("purpose", N_("Purpose"), among="purposes"),
        Field("state", N_("May we contact them by it"), among="states"),
        Field(
            "proof",
            N_("What proves it"),
            required=False,
            most=100,
            hint=N_("optional, such as a form or a recording: forms/4711"),
        ),
    ],
    open=_open,
    do=_do,
    template="pages/actions/kinds/consent.html",
)
