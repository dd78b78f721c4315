"""What there is below a link: the pages, and what they send. Each answers with HTML."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chassis.api.purposes import is_needed
from chassis.errors import Aborted, NotFound, Refusal
from desk.language.catalogues import N_
from desk.own import choices
from desk.own.asking import Own
from desk.pages.actions.kinds.consents import waits
from desk.pages.base import render
from desk.pages.quieting import filled_in, typed_hours, typed_pauses
from desk.pages.services import Services, refusal_of
from desk.pages.theirs import view
from desk.pages.theirs.loading import Found, find
from desk.ui.words import last
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.common.v1.channel_pb2 import CHANNEL_WEB, DIRECTION_INBOUND
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_link_service_pb2 import (
    ChangeLinkedPreferencesRequest,
    FindLinkedCustomerRequest,
    LinkedConsent,
    NoteLinkedConsentsRequest,
    StopLinkedContactRequest,
)
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import (
    GetPurposeRequest,
    ListPurposesRequest,
    ListWordingsRequest,
)
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import RecordInteractionRequest
from rapport.customer.v1.wording_pb2 import Wording

if TYPE_CHECKING:
    from rapport.customer.v1.customer_link_service_pb2_grpc import CustomerLinkServiceAsyncStub

PAGE = 1000
NOTED_AT_ONCE = 100  # one call says so many within its time, each of them with others waiting
TEXT_MAX = 4000
SAID = {
    "sent": N_("Thank you. We have it, and you will hear from us."),
    "kept": N_("Saved. It holds from now on."),
    "waits": N_("Saved. What you have to confirm holds once you did; all else holds from now on."),
    "stopped": N_("Stopped. From now on you hear from us only about what you have of us."),
}
CHANGED = N_("Something was changed meanwhile: please look at it again.")


_SAID_OF = ("channels", "quiet_hours", "pauses", "language_code")
_TOLD = {"ABORTED": 409, "INVALID_ARGUMENT": 400}


class Nothing(NotFound):
    """There is nothing for whoever asks: by a wrong link, about a case that is not theirs, at no path."""

    def __init__(self) -> None:
        super().__init__("a page")


def page(own: Own, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of whoever holds the link."""
    told = SAID.get(own.request.query_params.get("said", ""), "")
    base = f"/c/{own.token}"
    html = render(f"own/{template}", say=own.say, base=base, form=uuid4(), told=own.say(told), **values)
    return HTMLResponse(html, status)


def home_values(found: Found, own: Own) -> dict[str, Any]:
    """What the page of promises and cases shows."""
    cases, promises = view.shown(found, own.say)
    return {
        "cases": cases,
        "promises": promises,
        "more": found.more,
        "trouble": own.say.refusal(found.trouble) if found.trouble else "",
        "most": TEXT_MAX,
    }


def _to(path: str, own: Own, said: str) -> Response:
    return RedirectResponse(f"/c/{own.token}{path}?said={said}", 303)


def _channel(own: Own) -> str:
    """The channel that an address of unsubscribing names, e-mail without. NotFound for another."""
    channel = own.request.query_params.get("channel", "email")
    if channel not in choices.CHANNELS:
        raise Nothing()
    return channel


def _unsubscribe(own: Own, purpose: Purpose | None, *, done: bool) -> HTMLResponse:
    """Of the purpose and the channel that its address names, or of all."""
    if purpose is None:
        return page(own, "unsubscribe.html", about="", title="", done=done)
    channel = _channel(own)
    about = urlencode({"purpose": last(purpose.name), "channel": channel})
    title, by = own.say(purpose.display_name), own.say(choices.CHANNELS[channel])
    return page(own, "unsubscribe.html", about=f"?{about}", title=title, channel=by, done=done)


@dataclass(frozen=True)
class Acts:
    """The pages of whoever holds a link."""

    links: CustomerLinkServiceAsyncStub
    services: Services

    async def home(self, own: Own) -> Response:
        """Promises and cases."""
        found = await find(self.services, own.customer)
        return page(own, "home.html", **home_values(found, own), text="", wrong="")

    async def answer(self, own: Own) -> Response:
        """What they ask or answer about a case reaches whoever has it, as a contact on their timeline."""
        text, case = own.text("text"), own.text("about")
        if not text or len(text) > TEXT_MAX:
            told = N_("must be given") if not text else N_("is too long")
            found = await find(self.services, own.customer)
            values = home_values(found, own)
            return page(own, "home.html", 400, **values, text=text[:TEXT_MAX], wrong=own.say(told))
        about = await self._own_case(own, case)
        entry = TimelineEntry(
            channel=CHANNEL_WEB,
            direction=DIRECTION_INBOUND,
            topic=about.topic,
            summary=text,
            resource=about.name,
        )
        request = RecordInteractionRequest(
            parent=own.customer, timeline_entry=entry, request_id=own.request_id(f"answer {about.name}")
        )
        await self.services.timeline.RecordInteraction(request)
        return _to("", own, "sent")

    async def _own_case(self, own: Own, name: str) -> Case:
        """A case of the very name of the link. NotFound for any other, as for none."""
        if not name.startswith("cases/"):
            raise Nothing()
        try:
            case: Case = await self.services.cases.GetCase(GetCaseRequest(name=name))
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
                raise Nothing() from None
            raise
        if case.customer != own.customer or case.kind == Case.KIND_PROBLEM:
            raise Nothing()
        return case

    async def contact(self, own: Own) -> Response:
        """How they want to be reached, and what for."""
        return await self._contact(own, 200, "")

    async def keep(self, own: Own) -> Response:
        """Keep what they chose. Of what somebody else changed meanwhile they are told, and look again."""
        # First what is said of purposes: the last word holds, whatever was meanwhile.
        said = [*choices.changed(own.fields, await self._purposes())]
        noted = await self._note(own, said, "preference-page")
        try:
            await self._keep_preferences(own)
        except (grpc.aio.AioRpcError, Refusal) as error:
            refusal = refusal_of(error)
            if refusal.code not in _TOLD:
                raise
            asked = FindLinkedCustomerRequest(token=own.token)
            again = replace(own, linked=await self.links.FindLinkedCustomer(asked))
            told = own.say(CHANGED) if refusal.code == "ABORTED" else own.say.refusal(refusal)
            return await self._contact(again, _TOLD[refusal.code], told)
        return _to("/contact", own, "waits" if any(waits(each, own.say.now) for each in noted) else "kept")

    async def _keep_preferences(self, own: Own) -> None:
        before = own.linked.preferences
        chosen = Preferences(
            name=before.name,
            etag=own.text("etag"),
            channels=choices.reordered(before, own.text("prefer")),
            quiet_hours=typed_hours(own),
            pauses=typed_pauses(own, before, own.say.zone),
            language_code=choices.language(own.text("language"), before, own.say),
        )
        # Nothing else: what another name of theirs said of it, which is not shown here, holds on.
        paths = [each for each in _SAID_OF if getattr(chosen, each) != getattr(before, each)]
        if not paths:
            return
        if chosen.etag != before.etag:  # which is none before they were ever set: nothing would be compared
            raise Aborted("ETAG_MISMATCH", "They were changed meanwhile.")
        request = ChangeLinkedPreferencesRequest(
            token=own.token,
            preferences=chosen,
            update_mask=FieldMask(paths=paths),
            request_id=own.request_id("preferences"),
        )
        await self.links.ChangeLinkedPreferences(request)

    async def _contact(self, own: Own, status: int, trouble: str) -> Response:
        purposes = await self._purposes()
        preferences = own.linked.preferences
        return page(
            own,
            "contact.html",
            status,
            choices=choices.choices(purposes, await self._wordings(own), own.linked, own.say),
            preferred=choices.preferred(preferences),
            offered=[(code, own.say(words)) for code, words in choices.CHANNELS.items()],
            quiet=filled_in(preferences, own.say.zone, own.say),
            zone=own.say.zone.key,
            languages=choices.LANGUAGES,
            trouble=trouble,
        )

    async def ask_unsubscribe(self, own: Own) -> Response:
        """A page with a button: to look at it changes nothing."""
        return _unsubscribe(own, await self._purpose(own), done=False)

    async def unsubscribe(self, own: Own) -> Response:
        """By one click, of a mail program (RFC 8058) or the button: no more of the purpose on a channel."""
        purpose = await self._purpose(own)
        if purpose is None:
            return await self.stop(own)
        await self._note(own, [choices.said(purpose.name, _channel(own), granted=False)], "one-click")
        return _unsubscribe(own, purpose, done=True)

    async def stop(self, own: Own) -> Response:
        """Nothing but what they have of us, on every channel."""
        await self.links.StopLinkedContact(StopLinkedContactRequest(token=own.token, source="stop-all"))
        return _unsubscribe(own, None, done=True)

    async def _note(self, own: Own, said: Sequence[LinkedConsent], source: str) -> Sequence[Consent]:
        """What holds then: a yes may have to be confirmed."""
        noted: list[Consent] = []
        for first in range(0, len(said), NOTED_AT_ONCE):
            some = said[first : first + NOTED_AT_ONCE]
            request = NoteLinkedConsentsRequest(token=own.token, consents=some, source=source)
            noted += (await self.links.NoteLinkedConsents(request)).consents
        return noted

    async def _wordings(self, own: Own) -> dict[str, Wording]:
        """What they agree to, by purpose, in their language where there is that."""
        request = ListWordingsRequest(parent="purposes/-", page_size=PAGE)
        found = await _to_the_end(self.services.purposes.ListWordings, request, "wordings")
        return choices.by_purpose(found, own.say.language.tag)

    async def _purpose(self, own: Own) -> Purpose | None:
        """The purpose that an address names; None for none. NotFound for one that nobody stops by a link."""
        code = own.request.query_params.get("purpose", "")
        if not code:
            return None
        try:
            purpose: Purpose = await self.services.purposes.GetPurpose(
                GetPurposeRequest(name=f"purposes/{code}")
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
                raise Nothing() from None
            raise
        if is_needed(purpose):
            raise Nothing()
        return purpose

    async def _purposes(self) -> Sequence[Purpose]:
        """All of them."""
        request = ListPurposesRequest(page_size=PAGE)
        return await _to_the_end(self.services.purposes.ListPurposes, request, "purposes")


async def _to_the_end(call: Callable[[Any], Awaitable[Any]], request: Any, what: str) -> list[Any]:
    """A list to its last page."""
    found: list[Any] = []
    while True:
        listed = await call(request)
        found += getattr(listed, what)
        if not listed.next_page_token:
            return found
        request.page_token = listed.next_page_token
