"""When a customer wants quiet: hours of the week, and pauses of whole days where they are."""

import asyncio
from zoneinfo import ZoneInfo

from google.protobuf.field_mask_pb2 import FieldMask

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Values
from desk.pages.actions.kinds.reaching import REACHING
from desk.pages.customer.things import thing_of, zone_because
from desk.pages.quieting import filled_in, typed_hours, typed_pauses
from rapport.customer.v1.consent_service_pb2 import GetPreferencesRequest, UpdatePreferencesRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.preferences_pb2 import Preferences


async def _known(doing: Doing) -> tuple[Preferences, Customer, ZoneInfo]:
    services = doing.look.services
    preferences, customer = await asyncio.gather(
        services.consents.GetPreferences(GetPreferencesRequest(name=f"{doing.customer}/preferences")),
        services.customers.GetCustomer(GetCustomerRequest(name=doing.customer)),
    )
    return preferences, customer, doing.look.say.zone_of(customer.effective_time_zone)


async def _open(doing: Doing) -> Values:
    preferences, customer, zone = await _known(doing)
    wanted = filled_in(preferences, zone, doing.look.say)
    told = {"zone": customer.effective_time_zone, "because": zone_because(customer, doing.look.say)}
    return {**told, "reaching": REACHING.href(doing.customer), **wanted}


async def _do(doing: Doing) -> Done:
    before, customer, zone = await _known(doing)
    preferences = Preferences(
        name=f"{doing.customer}/preferences",
        etag=doing.text("etag"),
        quiet_hours=typed_hours(doing),
        pauses=typed_pauses(doing, before, zone, doing.look.say.now),
    )
    mask = FieldMask(paths=["quiet_hours", "pauses"])
    request = doing.request(UpdatePreferencesRequest, preferences=preferences, update_mask=mask)
    await doing.look.services.consents.UpdatePreferences(request)
    who = thing_of(customer, doing.look.say)
    return Done(doing.look.say("Noted when {who} wants quiet.", who=who))


QUIET = Action(
    id="quiet",
    label=N_("Quiet hours"),
    permission="customer.preferences.write",
    consequence=N_("Messages wait until then. What cannot wait, a colleague tells them."),
    open=_open,
    do=_do,
    template="pages/actions/kinds/quiet.html",
)
