"""Noting what a colleague is told: that a customer wants nothing more of us that they can do without."""

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.api.messages import moment
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.customer.entries import who_did
from desk.pages.customer.loading import Names
from desk.ui.speech import Speech
from rapport.customer.v1.consent_service_pb2 import (
    GetPreferencesRequest,
    StopContactRequest,
    WithdrawContactStopRequest,
)
from rapport.customer.v1.preferences_pb2 import ContactStop, Preferences


def stopped(preferences: Preferences, names: Names, say: Speech) -> str:
    """Since when and by whose word they want nothing more; empty where they never said so."""
    if not preferences.HasField("contact_stop"):
        return ""
    stop = preferences.contact_stop
    told = say(
        "Since {when} they want nothing more but what they have of us. What they allowed after that holds.",
        when=say.moment(moment(stop.effective_time)),
    )
    who = who_did(stop.noter, "", names, say)
    noted = say("Noted by: {who}.", who=who) if who else ""
    return f"{told} {noted}".strip()


async def _stop(doing: Doing) -> Done:
    proof = doing.reference("proof") if doing.text("proof") else ""
    request = doing.request(StopContactRequest, name=doing.customer, source="desk", proof=proof)
    await doing.look.services.consents.StopContact(request)
    return Done(doing.look.say("Noted: they hear of us only about what they have of us."))


async def _seen(doing: Doing) -> Values:
    """The stop that the form shows, by its time: what is said while it is open is not meant."""
    return {"etag": (await _stop_of(doing)).effective_time.ToJsonString()}


async def _withdraw(doing: Doing) -> Done:
    seen = Timestamp()
    seen.FromJsonString(doing.text("etag"))
    name = (await _stop_of(doing)).customer or doing.customer
    request = doing.request(
        WithdrawContactStopRequest, name=name, reason_code="wrong-customer", stop_time=seen
    )
    await doing.look.services.consents.WithdrawContactStop(request)
    return Done(doing.look.say("Withdrawn: what they had said before it holds again."))


async def _stop_of(doing: Doing) -> ContactStop:
    of = GetPreferencesRequest(name=f"{doing.customer}/preferences")
    return (await doing.look.services.consents.GetPreferences(of)).contact_stop


WITHDRAW = Action(
    id="withdraw-stop",
    label=N_("That was somebody else"),
    permission="customer.suppressions.release",
    fields=[],
    button=N_("Withdraw it"),
    consequence=N_(
        "What they had said before holds again, and what this suppressed is released. That it was noted, and"
        " withdrawn by you, is kept."
    ),
    open=_seen,
    do=_withdraw,
)


STOP = Action(
    id="stop-contact",
    label=N_("They want nothing more of us"),
    permission="customer.consents.write",
    fields=[
        Field(
            "proof",
            N_("What proves it"),
            required=False,
            most=100,
            hint=N_("optional, such as a form or a recording: forms/4711"),
        ),
    ],
    button=N_("Note that they want nothing more"),
    consequence=N_(
        "Nothing is sent that they can do without, by any department and of any purpose, of later ones too."
        " What they have of us goes on: its messages are essential. What they allow after this holds; their"
        " addresses open again by their own page, or by who may release them."
    ),
    final=True,
    do=_stop,
)
