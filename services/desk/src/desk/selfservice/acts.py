"""What there is below a link: the pages, and what they send. Each answers with HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import grpc
from starlette.responses import HTMLResponse, Response

from chassis.api.purposes import is_needed
from chassis.errors import NotFound
from desk.language.catalogues import N_
from desk.pages.selfservice import view
from desk.pages.selfservice.loading import Found, find
from desk.pages.services import Services
from desk.selfservice import choices
from desk.selfservice.answering import page, to
from desk.selfservice.asking import Own
from desk.selfservice.contacting import Contacting
from desk.ui.words import last
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.common.v1.channel_pb2 import CHANNEL_WEB, DIRECTION_INBOUND
from rapport.customer.v1.customer_link_service_pb2 import StopLinkedContactRequest
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import GetPurposeRequest
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import RecordInteractionRequest

if TYPE_CHECKING:
    from rapport.customer.v1.customer_link_service_pb2_grpc import CustomerLinkServiceAsyncStub

TEXT_MAX = 4000


class Nothing(NotFound):
    """There is nothing for whoever asks: by a wrong link, about a case that is not theirs, at no path."""

    def __init__(self) -> None:
        super().__init__("a page")


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
    contacting: Contacting

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
        return to("", own, "sent")

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

    async def ask_unsubscribe(self, own: Own) -> Response:
        """A page with a button: to look at it changes nothing."""
        return _unsubscribe(own, await self._purpose(own), done=False)

    async def unsubscribe(self, own: Own) -> Response:
        """By one click, of a mail program (RFC 8058) or the button: no more of the purpose on a channel."""
        purpose = await self._purpose(own)
        if purpose is None:
            return await self.stop(own)
        await self.contacting.note(
            own, [choices.said(purpose.name, _channel(own), granted=False)], "one-click"
        )
        return _unsubscribe(own, purpose, done=True)

    async def stop(self, own: Own) -> Response:
        """Nothing but what they have of us, on every channel."""
        await self.links.StopLinkedContact(StopLinkedContactRequest(token=own.token, source="stop-all"))
        return _unsubscribe(own, None, done=True)

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
