"""The page by which somebody confirms a yes: it opens that alone, and no page of the customer's.

Anybody can type anybody's address: whoever has it sees what was said, and nothing of whom it was said.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chassis.clock import Clock
from desk.language.catalogues import N_
from desk.pages.base import render
from desk.pages.services import Services
from desk.pages.wordings import called, language_of
from desk.selfservice.asking import Own, speaking
from desk.selfservice.choices import words_of
from rapport.customer.v1.consent_service_pb2 import ConfirmConsentRequest, FindRequestedConsentRequest
from rapport.customer.v1.purpose_service_pb2 import GetPurposeRequest, GetWordingRequest
from rapport.customer.v1.self_service_link_service_pb2 import ResolveSelfServiceLinkResponse

if TYPE_CHECKING:
    from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub

CONFIRM = "confirm"
ENDED = "CONSENT_REQUEST_ENDED"
ASKED = N_("By {channel}, about this: {what}.")
CONFIRMED = N_("You hear from us by {channel} about this: {what}.")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Confirming:
    """Asks the customer service by the token, which is the right."""

    consents: "ConsentServiceAsyncStub"
    services: Services
    company: str

    async def opened(self, request: Request, token: str, clock: Clock) -> Own | None:
        """What a token confirms, as all that is known of whoever has it; None for what looks like none."""
        if not _TOKEN.fullmatch(token):
            return None
        found = await self.consents.FindRequestedConsent(FindRequestedConsentRequest(token=token))
        linked = ResolveSelfServiceLinkResponse(consents=[found.consent])
        say = speaking(request, clock, found.language_code, found.time_zone)
        return Own(request, token, linked, say, self.company)

    async def ask(self, own: Own) -> Response:
        """A page with a button: to look at it confirms nothing."""
        return await self._page(own, done=own.linked.consents[0].HasField("confirm_time"))

    async def confirm(self, own: Own) -> Response:
        """It counts from now on."""
        await self.consents.ConfirmConsent(ConfirmConsentRequest(token=own.token))
        return await self._page(own, done=True)

    async def _page(self, own: Own, *, done: bool) -> HTMLResponse:
        [consent] = own.linked.consents
        purpose = await self.services.purposes.GetPurpose(GetPurposeRequest(name=consent.purpose))
        wording = None
        if consent.wording:
            wording = await self.services.purposes.GetWording(GetWordingRequest(name=consent.wording))
        what, channel = called(purpose, own.say), words_of(consent.channel, own.say)
        sentence = CONFIRMED if done else ASKED
        told: dict[str, Any] = {
            "sentence": what.within(own.say(sentence, channel=channel, what=what.title)),
            "called": what,
            "wording": wording.text if wording else "",
            "language": language_of(wording) if wording else "",
        }
        told |= {"company": own.company, "token": own.token, "done": done}
        html = render("selfservice/confirm.html", say=own.say, **told)
        return HTMLResponse(html)
