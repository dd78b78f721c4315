"""SelfServiceLinkService."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from google.protobuf.empty_pb2 import Empty

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.context import Principal, acting, current_call
from chassis.grpc.methods import change
from chassis.servicer import Rpc
from customer.domain.consents import Consent as ConsentHeld
from customer.domain.links import Holder, LinkKeys
from customer.domain.suppressions import AddressKey
from customer.domain.zones import zone_of
from customer.names import CUSTOMER, SELF_SERVICE_LINK
from customer.rpc.consents import welcome_at_times
from customer.store import tables as store
from customer.usecases import links as usecases
from customer.usecases.opening import linked
from customer.usecases.stopping import stop_self_service_contact
from customer.usecases.taking_back import revoke_links
from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.self_service_link_pb2 import SelfServiceLink
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceServicer


def _noted(consents: Sequence[ConsentHeld]) -> pb.SubmitSelfServiceConsentsResponse:
    return pb.SubmitSelfServiceConsentsResponse(consents=[to_message(Consent, each) for each in consents])


@contextmanager
def _as(holder: Holder) -> Iterator[None]:
    """What is done inside the customer does, by way of whoever serves their pages."""
    call = current_call.get()
    customer = Principal(
        f"customer:{holder.id}",
        permissions=call.principal.permissions,
        expires_at=call.principal.expires_at,
        via=call.principal,
    )
    with acting(replace(call, principal=customer)):
        yield


class SelfServiceLinkRpc(Rpc, SelfServiceLinkServiceServicer):
    """Links to customers' own pages."""

    keys: LinkKeys
    addresses: AddressKey
    time_zone: str  # in which they live of whom nobody knows it
    rules: ClassVar[Rules] = {Preferences: welcome_at_times}

    _consents = change(pb.SubmitSelfServiceConsentsRequest, usecases.submit_self_service_consents, _noted)
    _preferences = change(
        pb.SubmitSelfServicePreferencesRequest, usecases.submit_self_service_preferences, Preferences
    )
    _stop = change(pb.StopSelfServiceContactRequest, stop_self_service_contact, lambda _: Empty())
    RevokeSelfServiceLinks = change(pb.RevokeSelfServiceLinksRequest, revoke_links, lambda _: Empty())

    async def GetSelfServiceLink(
        self, request: pb.GetSelfServiceLinkRequest, context: Any
    ) -> SelfServiceLink:
        """Get the link of a customer, by the very name that is asked for."""
        (customer_id,) = SELF_SERVICE_LINK.ids(request.name)
        token = await usecases.link_of(self.db, self.keys, customer_id)
        return SelfServiceLink(name=request.name, token=token)

    async def ResolveSelfServiceLink(
        self, request: pb.ResolveSelfServiceLinkRequest, context: Any
    ) -> pb.ResolveSelfServiceLinkResponse:
        """Find whose link it is, and what they said of contact."""
        holder = await linked(self.db, self.keys, request.token)
        consents = await usecases.consents_of(self.db, holder.id)
        preferences = await usecases.own_preferences(self.db, holder.id)
        zone = zone_of(await found(self.db, CUSTOMER, store.CUSTOMER, holder.id), self.time_zone)
        return pb.ResolveSelfServiceLinkResponse(
            customer=holder.name,
            language_code=preferences.language_code or holder.language_code,
            time_zone=zone.name,
            time_zone_source=Customer.TimeZoneSource.Value(f"TIME_ZONE_SOURCE_{zone.source}"),
            consents=[to_message(Consent, each) for each in consents],
            preferences=to_message(Preferences, preferences),
        )

    async def SubmitSelfServiceConsents(
        self, request: pb.SubmitSelfServiceConsentsRequest, context: Any
    ) -> Any:
        """Note what the customer says."""
        with _as(await linked(self.db, self.keys, request.token)):
            return await self._consents(request, context)

    async def StopSelfServiceContact(self, request: pb.StopSelfServiceContactRequest, context: Any) -> Any:
        """Note that the customer wants nothing but what they have of us."""
        with _as(await linked(self.db, self.keys, request.token)):
            return await self._stop(request, context)

    async def SubmitSelfServicePreferences(
        self, request: pb.SubmitSelfServicePreferencesRequest, context: Any
    ) -> Any:
        """Change how the customer wants to be reached."""
        with _as(await linked(self.db, self.keys, request.token)):
            return await self._preferences(request, context)
