"""What there is below a link: the pages, and what they send. Each answers with HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import grpc
from starlette.responses import HTMLResponse, Response

from chassis.errors import NotFound
from desk.language.catalogues import N_
from desk.pages.preferring import CHANNELS
from desk.pages.selfservice import view
from desk.pages.selfservice.loading import find
from desk.pages.services import Services
from desk.pages.wordings import called
from desk.selfservice import choices
from desk.selfservice.answering import page
from desk.selfservice.asking import Own
from desk.selfservice.contacting import Contacting
from desk.ui.words import last
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest
from rapport.common.v1.channel_pb2 import CHANNEL_WEB, DIRECTION_INBOUND
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import GetPurposeRequest
from rapport.customer.v1.self_service_link_service_pb2 import StopSelfServiceContactRequest
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import RecordInteractionRequest

if TYPE_CHECKING:
    from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceAsyncStub

TEXT_MAX = 4000
ENDS = N_("No more by {channel} about this: {what}.")
ENDED = N_("You get no more by {channel} about this: {what}.")
SENT = N_("Thank you. We have it, and you will hear from us. You wrote:")


class Nothing(NotFound):
    """There is nothing for whoever asks: by a wrong link, about a case that is not theirs, at no path."""

    def __init__(self) -> None:
        super().__init__("a page")


def _channel(own: Own) -> str:
    """The channel that an address of unsubscribing names, e-mail without. NotFound for another."""
    channel = own.request.query_params.get("channel", "email")
    if channel not in CHANNELS:
        raise Nothing()
    return channel


def _unsubscribe(own: Own, purpose: Purpose | None, *, done: bool) -> HTMLResponse:
    """Of the purpose and the channel that its address names, or of all."""
    if purpose is None:
        return page(own, "unsubscribe.html", about="", sentence="", done=done)
    channel, what = _channel(own), called(purpose, own.say)
    about = urlencode({"purpose": last(purpose.name), "channel": channel})
    told = own.say(ENDED if done else ENDS, channel=own.say(CHANNELS[channel]), what=what.title)
    return page(own, "unsubscribe.html", about=f"?{about}", sentence=what.within(told), done=done)


@dataclass(frozen=True)
class Acts:
    """The pages of whoever holds a link."""

    links: SelfServiceLinkServiceAsyncStub
    services: Services
    contacting: Contacting

    async def home(self, own: Own) -> Response:
        """Promises and cases, and a box to ask or answer."""
        return await self._home(own)

    async def answer(self, own: Own) -> Response:
        """What they ask or answer reaches whoever has it, as a contact on their timeline; they read it again.

        About a case its owner; about anything else who looks after them.
        """
        text = own.text("text")
        if not text or len(text) > TEXT_MAX:
            told = N_("must be given") if not text else N_("is too long")
            return await self._home(own, 400, text=text[:TEXT_MAX], wrong=own.say(told))
        about, topic = await self._about(own)
        entry = TimelineEntry(
            channel=CHANNEL_WEB, direction=DIRECTION_INBOUND, topic=topic, summary=text, resource=about
        )
        request = RecordInteractionRequest(
            parent=own.customer, timeline_entry=entry, request_id=own.request_id(f"answer {about}")
        )
        await self.services.timeline.RecordInteraction(request)
        return await self._home(own, told=own.say(SENT), asked=text)

    async def _home(
        self, own: Own, status: int = 200, *, text: str = "", wrong: str = "", asked: str = "", told: str = ""
    ) -> Response:
        """The page, with what was typed and is `wrong`, or what was `asked`."""
        shown = view.shown(await find(self.services, own.customer, own.say.now), own.say)
        topics = [(each.name, f"{each.title}, {each.since}") for each in shown.cases]
        topics += [(each.name, each.what) for each in shown.promises if each.name]
        about = own.text("about") if wrong or not topics else topics[0][0]
        chosen = {"shown": shown, "topics": topics, "about": about, "text": text, "wrong": wrong}
        if told:
            chosen["told"] = told
        return page(own, "home.html", status, most=TEXT_MAX, asked=asked, **chosen)

    async def _about(self, own: Own) -> tuple[str, str]:
        """What they write about, and its topic: a case, a promise, or themselves.

        NotFound for what is not of the very name of the link, as for what is not there.
        """
        name = own.text("about")
        about: Case | Promise
        try:
            if not name:
                return own.customer, ""
            if name.startswith("cases/"):
                case = about = await self.services.cases.GetCase(GetCaseRequest(name=name))
                topic, is_theirs = case.topic, case.kind != Case.KIND_PROBLEM
            elif name.startswith("promises/"):
                promise = about = await self.services.promises.GetPromise(GetPromiseRequest(name=name))
                topic, is_theirs = promise.kind, True
            else:
                raise Nothing()
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
                raise Nothing() from None
            raise
        if about.customer != own.customer or not is_theirs:
            raise Nothing()
        return about.name, topic

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
        await self.links.StopSelfServiceContact(
            StopSelfServiceContactRequest(token=own.token, source="stop-all")
        )
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
        if purpose.essential:
            raise Nothing()
        return purpose
