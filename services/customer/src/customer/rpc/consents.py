"""ConsentService."""

from typing import Any
from uuid import UUID

from chassis.api.etags import etag
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from customer.domain.consents import Consent, ConsentStatus, Preferences, Purpose, choose_contact
from customer.domain.customers import Customer
from customer.domain.names import consent_name, customer_name, preferences_name
from customer.domain.timeline import Channel
from customer.rpc import names
from customer.store.consents import CONSENTS_OF, PREFERENCES_OF
from customer.store.customers import CUSTOMER
from customer.store.identifiers import IDENTIFIERS_OF
from customer.usecases.consents import set_consent, update_preferences
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import consent_pb2, consent_service_pb2, consent_service_pb2_grpc

_PURPOSE = consent_pb2.Purpose.DESCRIPTOR
_STATUS = consent_pb2.Consent.Status.DESCRIPTOR
_CHANNEL = channel_pb2.Channel.DESCRIPTOR
_CHANNELS_MAX = len(_CHANNEL.values)
_WORDING_MAX = 63


class ConsentRpc(consent_service_pb2_grpc.ConsentServiceServicer):
    """Consent, preferences, and where to send."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def SetConsent(
        self, request: consent_service_pb2.SetConsentRequest, tx: Transaction
    ) -> consent_pb2.Consent:
        """Note what the customer said."""
        check, sent = Check(), request.consent
        (customer_id,) = check.name(names.CUSTOMER, request.customer, "customer")
        within = check.at("consent")
        purpose = within.enum(_PURPOSE, sent.purpose, "purpose")
        channel = within.enum(_CHANNEL, sent.channel, "channel")
        status = within.enum(_STATUS, sent.status, "status")
        wording = within.text(sent.wording_version, "wording_version", max=_WORDING_MAX, required=False)
        check.raise_if_any()
        consent = await set_consent(
            tx, customer_id, Purpose(purpose), Channel(channel), ConsentStatus(status), wording
        )
        return _consent(consent)

    async def GetConsents(
        self, request: consent_service_pb2.GetConsentsRequest, context: Any
    ) -> consent_service_pb2.GetConsentsResponse:
        """Get what the customer ever said."""
        (customer_id,) = names.CUSTOMER.parse(request.customer, "customer")
        await self._customer(customer_id)
        consents = [_consent(consent) for consent in await CONSENTS_OF.all(self.db, customer_id=customer_id)]
        return consent_service_pb2.GetConsentsResponse(consents=sorted(consents, key=lambda c: c.name))

    @mutation
    async def UpdatePreferences(
        self, request: consent_service_pb2.UpdatePreferencesRequest, tx: Transaction
    ) -> consent_pb2.Preferences:
        """Change how the customer wants to be reached."""
        check, sent = Check(), request.preferences
        (customer_id,) = check.name(names.PREFERENCES, sent.name, "preferences.name")
        fields = masked(request.update_mask, sent, ["channels"])
        channels = _channels(check, sent.channels, "preferences.channels") if fields else None
        check.raise_if_any()
        return _preferences(await update_preferences(tx, customer_id, channels, sent.etag))

    async def GetPreferences(
        self, request: consent_service_pb2.GetPreferencesRequest, context: Any
    ) -> consent_pb2.Preferences:
        """Get how the customer wants to be reached."""
        (customer_id,) = names.PREFERENCES.parse(request.name)
        await self._customer(customer_id)
        return _preferences(await self._preferences_of(customer_id))

    async def CheckContact(
        self, request: consent_service_pb2.CheckContactRequest, context: Any
    ) -> consent_service_pb2.CheckContactResponse:
        """Say whether and where a customer may be contacted now."""
        check = Check()
        (customer_id,) = check.name(names.CUSTOMER, request.customer, "customer")
        purpose = check.enum(_PURPOSE, request.purpose, "purpose")
        channels = _channels(check, check.batch(request.channels, "channels", most=_CHANNELS_MAX), "channels")
        check.raise_if_any()
        customer = await self._customer(customer_id)
        contact = choose_contact(
            Purpose(purpose),
            channels,
            (await self._preferences_of(customer_id)).channels,
            await CONSENTS_OF.all(self.db, customer_id=customer_id),
            await IDENTIFIERS_OF.all(self.db, customer_ids=[customer_id]),
        )
        return to_message(
            consent_service_pb2.CheckContactResponse,
            contact,
            display_name=customer.shown_name if contact.allowed else "",
            language_code=customer.language_code,
            time_zone=customer.time_zone,
            relationship_manager=customer.relationship_manager,
        )

    async def _customer(self, customer_id: UUID) -> Customer:
        customer = await CUSTOMER.maybe(self.db, id=customer_id)
        if customer is None:
            raise NotFound(customer_name(customer_id))
        return customer

    async def _preferences_of(self, customer_id: UUID) -> Preferences:
        found = await PREFERENCES_OF.maybe(self.db, customer_id=customer_id)
        return found or Preferences(customer_id, [], 0)


def _channels(check: Check, numbers: Any, field: str) -> list[Channel]:
    """The channels without repeats, in their order."""
    found = [check.enum(_CHANNEL, number, f"{field}[{i}]") for i, number in enumerate(numbers)]
    return [Channel(name) for name in dict.fromkeys(found)]


def _consent(consent: Consent) -> consent_pb2.Consent:
    return to_message(consent_pb2.Consent, consent, name=consent_name(consent.customer_id, consent.key))


def _preferences(preferences: Preferences) -> consent_pb2.Preferences:
    return to_message(
        consent_pb2.Preferences,
        preferences,
        name=preferences_name(preferences.customer_id),
        etag=etag(preferences.version) if preferences.version else "",
    )
