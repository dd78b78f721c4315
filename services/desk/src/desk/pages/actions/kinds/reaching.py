"""How a customer wants to be reached: the channel that they prefer, and the language."""

import asyncio

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Aborted, invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.customer.things import thing_of
from desk.pages.preferring import CHANNELS, NONE, preferred, reordered
from rapport.customer.v1.consent_service_pb2 import GetPreferencesRequest, UpdatePreferencesRequest
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.preferences_pb2 import Preferences


async def _known(doing: Doing) -> Preferences:
    request = GetPreferencesRequest(name=f"{doing.customer}/preferences")
    return await doing.look.services.consents.GetPreferences(request)


async def _open(doing: Doing) -> Values:
    known, say = await _known(doing), doing.look.say
    channel = preferred(known)
    offered = {NONE: say("no preference"), **{code: say(words) for code, words in CHANNELS.items()}}
    offered.setdefault(channel, say.code(channel))
    return {
        "etag": known.etag,
        "channel": channel,
        "channels": list(offered.items()),
        "language_code": known.language_code,
    }


async def _do(doing: Doing) -> Done:
    known, who = await asyncio.gather(
        _known(doing), doing.look.services.customers.GetCustomer(GetCustomerRequest(name=doing.customer))
    )
    if doing.text("etag") != known.etag:  # which is none before they were ever set: nothing would be compared
        raise Aborted("ETAG_MISMATCH", "They were changed meanwhile.")
    channel = doing.text("channel")
    if channel not in (NONE, preferred(known), *CHANNELS):
        raise invalid("channel", "INVALID_CODE", N_("must be one of those that are offered"))
    chosen = Preferences(
        name=known.name,
        etag=known.etag,
        channels=reordered(known, channel, CHANNELS),
        language_code=doing.text("language_code"),
    )
    # Nothing else: what another name of theirs said of it holds on.
    paths = [each for each in ("channels", "language_code") if getattr(chosen, each) != getattr(known, each)]
    if paths:
        mask = FieldMask(paths=paths)
        request = doing.request(UpdatePreferencesRequest, preferences=chosen, update_mask=mask)
        await doing.look.services.consents.UpdatePreferences(request)
    told = N_("Noted how {who} wants to be reached.") if paths else N_("Nothing was to be changed of {who}.")
    return Done(doing.look.say(told, who=thing_of(who, doing.look.say)))


REACHING = Action(
    id="reaching",
    label=N_("Channel and language"),
    permission="customer.preferences.write",
    fields=[
        Field("channel", N_("Preferred channel"), among="channels"),
        Field(
            "language_code",
            N_("Language in which we write to them"),
            required=False,
            most=35,
            hint=N_("such as de or en-GB; empty: the language of their details"),
        ),
    ],
    consequence=N_("What goes out from now on heeds it. They change it on their own pages as well."),
    open=_open,
    do=_do,
)
