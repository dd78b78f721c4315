"""ConsentService."""

from typing import Any

from chassis.api.entities import found
from chassis.api.messages import enum_name, to_message
from chassis.errors import NotFound
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer import names
from customer.domain.consents import choose_contact
from customer.domain.timeline import Channel
from customer.store import consents as store
from customer.store.customers import CUSTOMER
from customer.store.identifiers import IDENTIFIERS_OF
from customer.usecases.consents import preferences_of, update_consent, update_preferences
from rapport.common.v1 import channel_pb2
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.customer.v1 import consent_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceServicer
from rapport.customer.v1.preferences_pb2 import Preferences

_CHANNEL = channel_pb2.Channel.DESCRIPTOR


class ConsentRpc(Rpc, ConsentServiceServicer):
    """Consent, preferences, and where to send."""

    UpdateConsent = change(pb.UpdateConsentRequest, update_consent, Consent)
    GetConsent = get(names.CONSENT, store.CONSENT, Consent)
    ListConsents = listing(pb.ListConsentsResponse, store.LIST_CONSENTS, parent=(names.CUSTOMER, CUSTOMER))
    ExplainConsent = explain(names.CONSENT, store.CONSENT, Consent)
    UpdatePreferences = change(pb.UpdatePreferencesRequest, update_preferences, Preferences)

    async def GetPreferences(self, request: pb.GetPreferencesRequest, context: Any) -> Preferences:
        """Get how the customer wants to be reached."""
        customer = await found(self.db, names.CUSTOMER, CUSTOMER, *names.PREFERENCES.ids(request.name))
        return to_message(Preferences, await preferences_of(self.db, customer.id))

    async def ExplainPreferences(self, request: pb.ExplainPreferencesRequest, context: Any) -> Explanation:
        """Explain how the customer wants to be reached."""
        asked = pb.GetPreferencesRequest(name=request.name)
        return await self.explainer.explain(request, await self.GetPreferences(asked, context))

    async def CheckContact(self, request: pb.CheckContactRequest, context: Any) -> pb.CheckContactResponse:
        """Say whether and where a customer may be contacted now."""
        customer = await found(self.db, names.CUSTOMER, CUSTOMER, *names.CUSTOMER.ids(request.name))
        (purpose_id,) = names.PURPOSE.ids(request.purpose)
        standings = await store.STANDINGS.all(self.db, customer_id=customer.id, purpose_id=purpose_id)
        if not standings:
            raise NotFound(request.purpose)
        contact = choose_contact(
            standings,
            [Channel(enum_name(_CHANNEL, number)) for number in dict.fromkeys(request.channels)],
            (await preferences_of(self.db, customer.id)).channels,
            await IDENTIFIERS_OF.all(self.db, customer_ids=[customer.id]),
        )
        return to_message(
            pb.CheckContactResponse,
            contact,
            display_name=customer.shown_name if contact.allowed else "",
            language_code=customer.language_code,
            time_zone=customer.time_zone,
            relationship_manager=customer.relationship_manager,
        )
