"""ConsentService."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from chassis.api.etags import etag
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.explain.explainer import Explainer
from chassis.grpc.mutation import mutation
from customer.domain.consents import CHANNEL_IDS, Consent, Preferences, choose_contact
from customer.domain.customers import Customer
from customer.domain.names import customer_name
from customer.domain.timeline import Channel
from customer.rpc import names
from customer.store.consents import CONSENT, LIST_CONSENTS, PREFERENCES_OF, STANDINGS
from customer.store.customers import CUSTOMER
from customer.store.identifiers import IDENTIFIERS_OF
from customer.usecases.consents import no_purpose, update_consent, update_preferences
from rapport.common.v1 import channel_pb2, explanation_pb2
from rapport.customer.v1 import consent_pb2, consent_service_pb2, consent_service_pb2_grpc, preferences_pb2

_STATE = consent_pb2.Consent.State.DESCRIPTOR
_CHANNEL = channel_pb2.Channel.DESCRIPTOR
_CHANNELS_MAX = len(_CHANNEL.values)
_WORDING_MAX = 63


class ConsentRpc(consent_service_pb2_grpc.ConsentServiceServicer):
    """Consent, preferences, and where to send."""

    def __init__(self, db: Database, explainer: Explainer) -> None:
        self.db = db
        self.explainer = explainer

    @mutation
    async def UpdateConsent(
        self, request: consent_service_pb2.UpdateConsentRequest, tx: Transaction
    ) -> consent_pb2.Consent:
        """Note what the customer said."""
        check, sent = Check(), request.consent
        said, within = _said(check, sent.name, "consent.name"), check.at("consent")
        read: dict[str, Callable[[], Any]] = {
            "state": lambda: within.enum(_STATE, sent.state, "state"),
            "source": lambda: within.code(sent.source, "source", required=False),
            "wording_version": lambda: within.text(
                sent.wording_version, "wording_version", max=_WORDING_MAX, required=False
            ),
            "effective_time": lambda: within.moment(sent, "effective_time", latest=tx.now, required=False),
        }
        fields = masked(request.update_mask, sent, list(read))
        changes = {field: value for field in fields if (value := read[field]()) is not None}
        check.raise_if_any()
        consent = await update_consent(tx, said, changes, sent.etag, allow_missing=request.allow_missing)
        return _consent(consent)

    async def GetConsent(
        self, request: consent_service_pb2.GetConsentRequest, context: Any
    ) -> consent_pb2.Consent:
        """Get what the customer said last."""
        return await self._get(request.name)

    async def ExplainConsent(
        self, request: consent_service_pb2.ExplainConsentRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Explain what the customer said last."""
        return await self.explainer.explain(request, await self._get(request.name))

    async def _get(self, name: str) -> consent_pb2.Consent:
        check = Check()
        customer_id, purpose_id, channel = _said(check, name, "name")
        check.raise_if_any()
        consent = await CONSENT.maybe(
            self.db, customer_id=customer_id, purpose_id=purpose_id, channel=channel
        )
        if consent is None:
            raise NotFound(name)
        return _consent(consent)

    async def ListConsents(
        self, request: consent_service_pb2.ListConsentsRequest, context: Any
    ) -> consent_service_pb2.ListConsentsResponse:
        """List what the customer said."""
        (customer_id,) = names.CUSTOMER.parse(request.parent, "parent")
        consents, token = await LIST_CONSENTS.page(self.db, request, _consent, customer_id=customer_id)
        if not consents:
            await self._customer(customer_id)
        return consent_service_pb2.ListConsentsResponse(consents=consents, next_page_token=token)

    @mutation
    async def UpdatePreferences(
        self, request: consent_service_pb2.UpdatePreferencesRequest, tx: Transaction
    ) -> preferences_pb2.Preferences:
        """Change how the customer wants to be reached."""
        check, sent = Check(), request.preferences
        (customer_id,) = check.name(names.PREFERENCES, sent.name, "preferences.name")
        fields = masked(request.update_mask, sent, ["channels"])
        channels = _channels(check, sent.channels, "preferences.channels") if fields else None
        check.raise_if_any()
        return _preferences(await update_preferences(tx, customer_id, channels, sent.etag))

    async def GetPreferences(
        self, request: consent_service_pb2.GetPreferencesRequest, context: Any
    ) -> preferences_pb2.Preferences:
        """Get how the customer wants to be reached."""
        (customer_id,) = names.PREFERENCES.parse(request.name)
        await self._customer(customer_id)
        return _preferences(await self._preferences_of(customer_id))

    async def CheckContact(
        self, request: consent_service_pb2.CheckContactRequest, context: Any
    ) -> consent_service_pb2.CheckContactResponse:
        """Say whether and where a customer may be contacted now."""
        check = Check()
        (customer_id,) = check.name(names.CUSTOMER, request.name, "name")
        (purpose_id,) = check.name(names.PURPOSE, request.purpose, "purpose")
        channels = _channels(check, check.batch(request.channels, "channels", most=_CHANNELS_MAX), "channels")
        check.raise_if_any()
        customer = await self._customer(customer_id)
        standings = await STANDINGS.all(self.db, customer_id=customer_id, purpose_id=purpose_id)
        if not standings:
            raise no_purpose(request.purpose)
        contact = choose_contact(
            standings,
            channels,
            (await self._preferences_of(customer_id)).channels,
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
        return found or Preferences(customer_id, [], None, 0)


def _channels(check: Check, numbers: Any, field: str) -> list[Channel]:
    """The channels without repeats, in their order."""
    found = [check.enum(_CHANNEL, number, f"{field}[{i}]") for i, number in enumerate(numbers)]
    return [Channel(name) for name in dict.fromkeys(found)]


def _said(check: Check, name: str, field: str) -> tuple[UUID, str, Channel]:
    """Whose consent, to which purpose, on which channel. INVALID_NAME."""
    customer_id, purpose_id, channel = check.name(names.CONSENT, name, field)
    known = CHANNEL_IDS.get(channel or "")
    if channel and known is None:
        check.refuse(field, "INVALID_NAME", f"must end with .{', .'.join(CHANNEL_IDS)}")
    return customer_id, purpose_id, known or Channel.UNSPECIFIED


def _consent(consent: Consent) -> consent_pb2.Consent:
    return to_message(consent_pb2.Consent, consent, etag=etag(consent.version))


def _preferences(preferences: Preferences) -> preferences_pb2.Preferences:
    version = preferences.version
    return to_message(preferences_pb2.Preferences, preferences, etag=etag(version) if version else "")
