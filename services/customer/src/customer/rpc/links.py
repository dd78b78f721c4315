"""CustomerLinkService."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from google.protobuf.empty_pb2 import Empty

from chassis.api.checks import Rules
from chassis.api.messages import timestamp, to_message
from chassis.context import Principal, acting, current_call
from chassis.grpc.methods import change
from chassis.servicer import Rpc
from customer.domain.consents import Consent as ConsentHeld
from customer.domain.links import Linked, LinkKeys
from customer.domain.suppressions import AddressKey
from customer.names import CUSTOMER_LINK
from customer.rpc.consents import welcome_at_times
from customer.store import consents as store
from customer.usecases import links as usecases
from customer.usecases.opening import linked
from customer.usecases.stopping import stop_linked_contact
from customer.usecases.taking_back import revoke_links
from rapport.customer.v1 import customer_link_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_link_pb2 import CustomerLink
from rapport.customer.v1.customer_link_service_pb2_grpc import CustomerLinkServiceServicer
from rapport.customer.v1.preferences_pb2 import Preferences


def _noted(consents: Sequence[ConsentHeld]) -> pb.NoteLinkedConsentsResponse:
    return pb.NoteLinkedConsentsResponse(consents=[to_message(Consent, each) for each in consents])


@contextmanager
def _as(holder: Linked) -> Iterator[None]:
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


class CustomerLinkRpc(Rpc, CustomerLinkServiceServicer):
    """Links to customers' own pages."""

    keys: LinkKeys
    addresses: AddressKey
    rules: ClassVar[Rules] = {Preferences: welcome_at_times}

    _consents = change(pb.NoteLinkedConsentsRequest, usecases.note_linked_consents, _noted)
    _preferences = change(pb.ChangeLinkedPreferencesRequest, usecases.change_linked_preferences, Preferences)
    _stop = change(pb.StopLinkedContactRequest, stop_linked_contact, lambda _: Empty())
    RevokeCustomerLinks = change(pb.RevokeCustomerLinksRequest, revoke_links, lambda _: Empty())

    async def GetCustomerLink(self, request: pb.GetCustomerLinkRequest, context: Any) -> CustomerLink:
        """Get the link of a customer, by the very name that is asked for."""
        (customer_id,) = CUSTOMER_LINK.ids(request.name)
        token = await usecases.link_of(self.db, self.keys, customer_id)
        return CustomerLink(name=request.name, token=token)

    async def FindLinkedCustomer(
        self, request: pb.FindLinkedCustomerRequest, context: Any
    ) -> pb.FindLinkedCustomerResponse:
        """Find whose link it is, and what they said of contact."""
        holder = await linked(self.db, self.keys, request.token)
        consents = await usecases.consents_of(self.db, holder.id)
        preferences = await usecases.own_preferences(self.db, holder.id)
        stopped = (await store.STOP.one(self.db, customer_id=holder.id)).stop_time
        return pb.FindLinkedCustomerResponse(
            customer=holder.name,
            language_code=preferences.language_code or holder.language_code,
            time_zone=holder.time_zone,
            consents=[to_message(Consent, each) for each in consents],
            preferences=to_message(Preferences, preferences),
            stop_time=timestamp(stopped) if stopped else None,
        )

    async def NoteLinkedConsents(self, request: pb.NoteLinkedConsentsRequest, context: Any) -> Any:
        """Note what the customer says."""
        with _as(await linked(self.db, self.keys, request.token)):
            return await self._consents(request, context)

    async def StopLinkedContact(self, request: pb.StopLinkedContactRequest, context: Any) -> Any:
        """Note that the customer wants nothing but what they have of us."""
        with _as(await linked(self.db, self.keys, request.token)):
            return await self._stop(request, context)

    async def ChangeLinkedPreferences(self, request: pb.ChangeLinkedPreferencesRequest, context: Any) -> Any:
        """Change how the customer wants to be reached."""
        with _as(await linked(self.db, self.keys, request.token)):
            return await self._preferences(request, context)
