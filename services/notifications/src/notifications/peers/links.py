"""The links in a message: to its reader's pages, out of its purpose, or to confirm that they want it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import grpc

from chassis.grpc.status import reason
from chassis.languages import text_in
from chassis.work import Ours
from chassis.work.item import not_answered
from notifications.domain.confirming import consent_of
from notifications.domain.notice import Notice
from notifications.domain.reasons import Reason
from notifications.domain.template import CONFIRM_LINK, CONFIRM_PURPOSE, PAGES_LINK
from notifications.names import CONSENT
from notifications.peers.contacts import Contact
from notifications.usecases.attempt import Forbidden
from rapport.customer.v1.consent_service_pb2 import IssueConsentTokenRequest
from rapport.customer.v1.purpose_service_pb2 import GetPurposeRequest
from rapport.customer.v1.self_service_link_service_pb2 import GetSelfServiceLinkRequest

if TYPE_CHECKING:
    from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub
    from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceAsyncStub
    from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Links:
    """Asks the customer service. `site` is where customers reach their own pages; empty for nowhere."""

    links: SelfServiceLinkServiceAsyncStub
    purposes: PurposeServiceAsyncStub
    consents: ConsentServiceAsyncStub
    site: str

    async def confirming(self, notice: Notice, contact: Contact) -> dict[str, str]:
        """What stands for the variables of a notice that asks to confirm a yes; of any other nothing.

        The token in it is good for a week. It is no link to the customer's pages: who typed the address may
        have typed another's. Forbidden when nothing is to be confirmed any more; Later when nobody can say.
        """
        if CONFIRM_LINK not in notice.variables:
            return {}
        consent = consent_of(notice)
        if not consent:
            raise Ours(Reason.NO_CONSENT)
        if not self.site:
            raise Ours(Reason.NO_CUSTOMER_PAGES)
        _, about = CONSENT.parse(consent)
        asked = IssueConsentTokenRequest(name=consent, identifier=contact.identifier)
        try:
            purpose = await self.purposes.GetPurpose(
                GetPurposeRequest(name=f"purposes/{about.partition('.')[0]}")
            )
            issued = await self.consents.IssueConsentToken(asked)
        except grpc.aio.AioRpcError as error:
            gone = error.code() == grpc.StatusCode.NOT_FOUND or reason(error) == "CONSENT_NOT_REQUESTED"
            raise (Forbidden(Reason.CAUSE_GONE) if gone else not_answered("customer", error)) from None
        called = {each.language_code: each.display_name for each in purpose.translations}
        return {
            CONFIRM_LINK: f"{self.site}/c/{quote(issued.token)}/confirm",
            CONFIRM_PURPOSE: text_in(contact.language_code, called, purpose.display_name),
        }

    async def on(self, notice: Notice, contact: Contact, used: Set[str]) -> Contact:
        """The contact with the links on which its reader goes on: the way out, and the pages if `used`.

        They are of the name that has the address, whichever name the notice is about: names that were taken
        for one may be two, and a link opens what is kept under its name. Where nobody says whose it is there
        are none, nor in what asks to confirm that it is theirs. What they need is not kept back for a link.

        Later when nobody can say; Ours when the installation makes no way out.
        """
        whose = contact.identifier.partition("/identifiers/")[0]
        if not self.site or not whose or CONFIRM_LINK in notice.variables:
            return contact
        if contact.essential and PAGES_LINK not in used:
            return contact
        try:
            link = await self.links.GetSelfServiceLink(
                GetSelfServiceLinkRequest(name=f"{whose}/selfServiceLink")
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION and contact.essential:
                return contact
            raise not_answered("customer", error) from None
        pages = f"{self.site}/c/{quote(link.token)}"
        about = f"purpose={quote(notice.purpose.removeprefix('purposes/'))}&channel={contact.channel.lower()}"
        way_out = "" if contact.essential else f"{pages}/unsubscribe?{about}"
        return replace(contact, pages_url=pages, unsubscribe_url=way_out)
