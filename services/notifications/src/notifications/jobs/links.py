"""The way out that a message carries: a link by which its reader wants no more of the kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import grpc

from chassis.api.purposes import is_needed
from chassis.work.item import not_answered
from notifications.domain.notice import Notice
from notifications.domain.template import SERVICE
from rapport.customer.v1.customer_link_service_pb2 import GetCustomerLinkRequest
from rapport.customer.v1.purpose_service_pb2 import GetPurposeRequest

if TYPE_CHECKING:
    from rapport.customer.v1.customer_link_service_pb2_grpc import CustomerLinkServiceAsyncStub
    from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Links:
    """Asks the customer service. `site` is where customers reach their own pages; empty for nowhere."""

    links: CustomerLinkServiceAsyncStub
    purposes: PurposeServiceAsyncStub
    site: str

    async def unsubscribe(self, notice: Notice, channel: str) -> str:
        """The URL that takes a POST by which the customer leaves (RFC 8058); empty where nobody leaves.

        Later when nobody can say; Ours when the installation makes no links.
        """
        if not self.site or notice.purpose == SERVICE:
            return ""
        try:
            purpose = await self.purposes.GetPurpose(GetPurposeRequest(name=notice.purpose))
            if is_needed(purpose):
                return ""
            link = await self.links.GetCustomerLink(GetCustomerLinkRequest(name=f"{notice.customer}/link"))
        except grpc.aio.AioRpcError as error:
            raise not_answered("customer", error) from None
        about = f"purpose={quote(notice.purpose.removeprefix('purposes/'))}&channel={channel.lower()}"
        return f"{self.site}/c/{quote(link.token)}/unsubscribe?{about}"
