"""How customers want to be reached, and what for: shown, and kept as a whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import Response

from chassis.api.messages import moment
from chassis.errors import Aborted, InvalidArgument, Refusal
from desk.language.catalogues import N_, violation
from desk.pages.actions.kinds.consents import waits
from desk.pages.preferring import CHANNELS, preferred, reordered
from desk.pages.quieting import as_typed, field_of, filled_in, typed_hours, typed_pauses
from desk.pages.services import Services, refusal_of
from desk.pages.wordings import by_purpose
from desk.selfservice import choices
from desk.selfservice.answering import page, to
from desk.selfservice.asking import Own
from desk.selfservice.offering import Offering
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_SMS
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import ListPurposesRequest, ListWordingsRequest
from rapport.customer.v1.self_service_link_service_pb2 import (
    ResolveSelfServiceLinkRequest,
    SelfServiceConsent,
    SubmitSelfServiceConsentsRequest,
    SubmitSelfServicePreferencesRequest,
)
from rapport.customer.v1.suppression_service_pb2 import ListSuppressionsRequest
from rapport.customer.v1.wording_pb2 import Wording

if TYPE_CHECKING:
    from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceAsyncStub

PAGE = 1000
NOTED_AT_ONCE = 100  # one call says so many within its time, each of them with others waiting
CHANGED = N_("Something was changed meanwhile: please look at it again. Nothing is saved yet.")
MARKED = N_("Nothing is saved yet: please look at what is marked.")
_TYPES = {CHANNEL_EMAIL: Identifier.TYPE_EMAIL, CHANNEL_SMS: Identifier.TYPE_PHONE}
_SAID_OF = ("channels", "quiet_hours", "pauses", "language_code", "time_zone")
_CHOSEN = ("etag", "prefer", "language", "time_zone")
_REFUSED = 400
_RIGHT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Contacting:
    """The page on which they say so."""

    links: SelfServiceLinkServiceAsyncStub
    services: Services
    offering: Offering

    async def contact(self, own: Own) -> Response:
        """As they said it last."""
        return await self._page(own)

    async def keep(self, own: Own) -> Response:
        """Keep what they chose; nothing of it where they are told what is wrong, or changed meanwhile."""
        said = [*choices.changed(own.fields, await self._purposes())]
        try:
            await self._keep_preferences(own)
        except (grpc.aio.AioRpcError, Refusal) as error:
            refusal = refusal_of(error)
            if refusal.code == "INVALID_ARGUMENT":
                return await self._page(own, 400, _wrong(refusal, own), own.say.refusal(refusal))
            if refusal.code != "ABORTED":
                raise
            asked = ResolveSelfServiceLinkRequest(token=own.token)
            again = replace(own, linked=await self.links.ResolveSelfServiceLink(asked))
            return await self._page(again, 409, trouble=own.say(CHANGED))
        noted = await self.note(own, said, "preference-page")
        if await self._is_kept_from(own, noted):
            return to("/contact", own, "suppressed")
        return to("/contact", own, "waits" if any(waits(each, own.say.now) for each in noted) else "kept")

    async def _is_kept_from(self, own: Own, noted: Sequence[Consent]) -> bool:
        """Whether a yes reaches no address of theirs: each came back, or they complained of what came."""
        granted = [each for each in noted if each.state == Consent.STATE_GRANTED and each.channel in _TYPES]
        if not granted:
            return False
        listing = ListSuppressionsRequest(customer=own.customer, filter="NOT release_time:*", page_size=PAGE)
        suppressed, who, purposes = await asyncio.gather(
            self.services.suppressions.ListSuppressions(listing),
            self.services.customers.GetCustomer(GetCustomerRequest(name=own.customer)),
            self._purposes(),
        )
        categories = {each.name: each.category for each in purposes}
        for each in granted:
            addresses = {a.name for a in who.identifiers if a.type == _TYPES[each.channel]}
            kept = {
                one.identifier
                for one in suppressed.suppressions
                if one.category in ("", categories.get(each.purpose, ""))
            }
            if addresses and addresses <= kept:
                return True
        return False

    async def _keep_preferences(self, own: Own) -> None:
        before = own.linked.preferences
        zone = choices.zone(own.text("time_zone"), before)
        chosen = Preferences(
            name=before.name,
            etag=own.text("etag"),
            channels=reordered(before, own.text("prefer"), CHANNELS),
            quiet_hours=typed_hours(own),
            pauses=typed_pauses(own, before, own.say.zone_of(zone), own.say.now),
            language_code=choices.language(own.text("language"), before, own.say),
            time_zone=zone,
        )
        # Nothing else: what another name of theirs said of it, which is not shown here, holds on.
        paths = [each for each in _SAID_OF if getattr(chosen, each) != getattr(before, each)]
        if not paths:
            return
        if chosen.etag != before.etag:  # which is none before they were ever set: nothing would be compared
            raise Aborted("ETAG_MISMATCH", "They were changed meanwhile.")
        request = SubmitSelfServicePreferencesRequest(
            token=own.token,
            preferences=chosen,
            update_mask=FieldMask(paths=paths),
            request_id=own.request_id("preferences"),
        )
        await self.links.SubmitSelfServicePreferences(request)

    async def _page(
        self, own: Own, status: int = 200, wrong: Mapping[str, str] = _RIGHT, trouble: str = ""
    ) -> Response:
        """What they chose and did not keep stays; what changed meanwhile of preferences is as it is now."""
        preferences, purposes = own.linked.preferences, await self._purposes()
        stop = preferences.contact_stop if preferences.HasField("contact_stop") else None
        held: dict[str, Any] = {
            **filled_in(preferences, own.say.zone, own.say),
            "prefer": preferred(preferences),
            "language": own.say.language.locale.language,
            "time_zone": preferences.time_zone,
        }
        if status == _REFUSED:
            held |= as_typed(own) | {each: own.text(each) for each in _CHOSEN}
        return page(
            own,
            "contact.html",
            status,
            choices=choices.choices(
                purposes, await self._wordings(own), own.linked, own.say, own.fields, self.offering
            ),
            offered=[
                (code, own.say(words))
                for code, words in CHANNELS.items()
                if code in self.offering or code == held["prefer"]
            ],
            held=held,
            stopped=own.say.on(moment(stop.effective_time)) if stop else "",
            zone=own.say.zone.key,
            zones=choices.zones(own),
            languages=choices.LANGUAGES,
            wrong=wrong,
            trouble=own.say(MARKED) if wrong else trouble,
        )

    async def note(self, own: Own, said: Sequence[SelfServiceConsent], source: str) -> Sequence[Consent]:
        """What holds then: a yes may have to be confirmed.

        A no is noted first, by itself: it holds whatever a yes beside it is refused for.
        """
        noted: list[Consent] = []
        for state in (Consent.STATE_DENIED, Consent.STATE_GRANTED):
            some = [each for each in said if each.state == state]
            for first in range(0, len(some), NOTED_AT_ONCE):
                consents = some[first : first + NOTED_AT_ONCE]
                request = SubmitSelfServiceConsentsRequest(token=own.token, consents=consents, source=source)
                noted += (await self.links.SubmitSelfServiceConsents(request)).consents
        return noted

    async def _wordings(self, own: Own) -> dict[str, Wording]:
        """What they agree to, by purpose, in their language where there is that."""
        language = own.say.language.tag
        request = ListWordingsRequest(parent="purposes/-", page_size=PAGE, language_code=language)
        found = await _to_the_end(self.services.purposes.ListWordings, request, "wordings")
        return by_purpose(found)

    async def _purposes(self) -> Sequence[Purpose]:
        """All of them."""
        request = ListPurposesRequest(page_size=PAGE)
        return await _to_the_end(self.services.purposes.ListPurposes, request, "purposes")


def _wrong(refusal: Refusal, own: Own) -> dict[str, str]:
    """What is wrong, by the field of the form; nothing where it is of none of them."""
    found = refusal.violations if isinstance(refusal, InvalidArgument) else ()
    told = {field_of(each, own): violation(each, own.say.language) for each in found}
    return told if told.keys() <= own.fields.keys() else {}


async def _to_the_end(call: Callable[[Any], Awaitable[Any]], request: Any, what: str) -> list[Any]:
    """A list to its last page."""
    found: list[Any] = []
    while True:
        listed = await call(request)
        found += getattr(listed, what)
        if not listed.next_page_token:
            return found
        request.page_token = listed.next_page_token
