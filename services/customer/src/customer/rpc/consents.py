"""The gRPC services of purposes and consents."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import enum_name, to_message
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from chassis.business_time import WEEKDAYS
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.languages import nearest
from chassis.servicer import Rpc
from customer import names
from customer.domain.quiet import NEVER_WELCOME, QuietHours, welcome
from customer.domain.suppressions import AddressKey
from customer.domain.timeline import Channel
from customer.domain.zones import zone_of
from customer.store import consents as consent_store
from customer.store import tables as store
from customer.usecases import consents, purposes
from customer.usecases.contact import check_contact
from customer.usecases.stopping import stop_contact, withdraw_contact_stop
from rapport.common.v1 import channel_pb2
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.customer.v1 import consent_service_pb2 as consent_pb
from rapport.customer.v1 import purpose_service_pb2 as purpose_pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceServicer
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceServicer
from rapport.customer.v1.wording_pb2 import Wording

_CHANNEL = channel_pb2.Channel.DESCRIPTOR
_DAYS = dict(enumerate(WEEKDAYS, start=1))  # as google.type.DayOfWeek numbers them


def welcome_at_times(check: Check, sent: Preferences, now: datetime) -> None:
    """Quiet that can be, and ends."""
    said = [
        QuietHours([_DAYS[day] for day in each.days if day in _DAYS], each.starts, each.ends)
        for each in sent.quiet_hours
    ]
    wrong = [(i, *problem) for i, each in enumerate(said) for problem in each.problems()]
    for i, field, allowed in wrong:
        check.refuse(f"quiet_hours[{i}].{field}", "INVALID_HOURS", allowed)
    if not wrong and not any(welcome(said)):
        check.refuse("quiet_hours", "INVALID_HOURS", NEVER_WELCOME)
    for i, pause in enumerate(sent.pauses):
        starts, ends = time_of(pause, "start_time"), time_of(pause, "end_time")
        if starts and ends and ends <= starts:
            check.refuse(f"pauses[{i}].end_time", "INVALID_TIME", "must be after start_time")


def _issued(issued: consents.Issued) -> consent_pb.IssueConsentTokenResponse:
    return to_message(consent_pb.IssueConsentTokenResponse, issued)


class PurposeRpc(Rpc, PurposeServiceServicer):
    """The purposes of contact."""

    CreatePurpose = change(purpose_pb.CreatePurposeRequest, purposes.create_purpose, Purpose)
    GetPurpose = get(names.PURPOSE, consent_store.PURPOSE, Purpose)
    ListPurposes = listing(purpose_pb.ListPurposesResponse, consent_store.LIST_PURPOSES)
    ExplainPurpose = explain(names.PURPOSE, consent_store.PURPOSE, Purpose)
    UpdatePurpose = change(purpose_pb.UpdatePurposeRequest, purposes.update_purpose, Purpose)
    CreateWording = change(purpose_pb.CreateWordingRequest, purposes.create_wording, Wording)
    _wordings = listing(
        purpose_pb.ListWordingsResponse,
        consent_store.LIST_WORDINGS,
        parent=(names.PURPOSE, consent_store.PURPOSE),
    )
    _every_wording = listing(purpose_pb.ListWordingsResponse, consent_store.LIST_EVERY_WORDING)
    UpdateWording = change(purpose_pb.UpdateWordingRequest, purposes.update_wording, Wording)

    async def ListWordings(self, request: purpose_pb.ListWordingsRequest, context: Any) -> Any:
        """The latest of a purpose, or of all; for who reads a language one of each."""
        every = request.parent == names.EVERY_PURPOSE
        if not request.language_code:
            return await (self._every_wording if every else self._wordings)(request, context)
        of: dict[str, Any] = {"purpose_id": "", "languages": nearest(request.language_code)}
        if not every:
            (of["purpose_id"],) = ids = names.PURPOSE.parse(request.parent, "parent")
            await found(self.db, names.PURPOSE, consent_store.PURPOSE, *ids)
        rows = consent_store.LIST_NEAREST_WORDINGS
        page, token = await rows.page(self.db, request, partial(to_message, Wording), **of)
        return purpose_pb.ListWordingsResponse(wordings=page, next_page_token=token)

    async def GetWording(self, request: purpose_pb.GetWordingRequest, context: Any) -> Wording:
        """The latest version of a wording, or the one that is named."""
        of_version, latest = names.WORDING_VERSION, names.WORDING
        if (ids := of_version.match(request.name)) is not None:
            wording = await found(self.db, of_version, consent_store.WORDING_VERSION, *ids)
            return to_message(Wording, wording, name=wording.version_name)
        return to_message(
            Wording, await found(self.db, latest, consent_store.WORDING, *latest.parse(request.name))
        )


class ConsentRpc(Rpc, ConsentServiceServicer):
    """Consent, preferences, and where to send."""

    addresses: AddressKey
    time_zone: str  # in which they live of whom nobody knows it
    rules: ClassVar[Rules] = {Preferences: welcome_at_times}

    UpdateConsent = change(consent_pb.UpdateConsentRequest, consents.update_consent, Consent)
    IssueConsentToken = change(consent_pb.IssueConsentTokenRequest, consents.issue_token, _issued)
    ConfirmConsent = change(consent_pb.ConfirmConsentRequest, consents.confirm_consent, Consent)
    GetConsent = get(names.CONSENT, consent_store.CONSENT, Consent)
    ListConsentVersions = listing(
        consent_pb.ListConsentVersionsResponse,
        consent_store.LIST_VERSIONS,
        parent=(names.CONSENT, consent_store.OWN_CONSENT),
    )
    ExplainConsent = explain(names.CONSENT, consent_store.CONSENT, Consent)
    StopContact = change(consent_pb.StopContactRequest, stop_contact, Preferences)
    WithdrawContactStop = change(consent_pb.WithdrawContactStopRequest, withdraw_contact_stop, Preferences)
    UpdatePreferences = change(consent_pb.UpdatePreferencesRequest, consents.update_preferences, Preferences)

    async def FindRequestedConsent(
        self, request: consent_pb.FindRequestedConsentRequest, context: Any
    ) -> consent_pb.FindRequestedConsentResponse:
        """Say what a token confirms."""
        asked = (await consents.requested(self.db, request.token, self.db.clock.now())).consent
        customer = await found(self.db, names.CUSTOMER, store.CUSTOMER, asked.customer_id)
        preferences = await consents.preferences_of(self.db, asked.customer_id)
        return consent_pb.FindRequestedConsentResponse(
            consent=to_message(Consent, asked),
            language_code=preferences.language_code or customer.language_code,
            time_zone=zone_of(customer, self.time_zone).name,
        )

    async def ListConsents(
        self, request: consent_pb.ListConsentsRequest, context: Any
    ) -> consent_pb.ListConsentsResponse:
        """List what holds, or held at a time."""
        (customer_id,) = names.CUSTOMER.parse(request.parent, "parent")
        at = time_of(request, "read_time")
        rows, then = (consent_store.LIST_CONSENTS_AT, {"at": at}) if at else (consent_store.LIST_CONSENTS, {})
        page, token = await rows.page(
            self.db, request, partial(to_message, Consent), customer_id=customer_id, **then
        )
        if not page:
            await found(self.db, names.CUSTOMER, store.CUSTOMER, customer_id)
        return consent_pb.ListConsentsResponse(consents=page, next_page_token=token)

    async def GetPreferences(self, request: consent_pb.GetPreferencesRequest, context: Any) -> Preferences:
        """Get how the customer wants to be reached."""
        customer = await found(self.db, names.CUSTOMER, store.CUSTOMER, *names.PREFERENCES.ids(request.name))
        preferences = await consents.preferences_of(self.db, customer.id)
        return to_message(Preferences, await consents.shown(self.db, preferences))

    async def ExplainPreferences(
        self, request: consent_pb.ExplainPreferencesRequest, context: Any
    ) -> Explanation:
        """Explain how the customer wants to be reached."""
        asked = consent_pb.GetPreferencesRequest(name=request.name)
        return await self.explainer.explain(request, await self.GetPreferences(asked, context))

    async def CheckContact(
        self, request: consent_pb.CheckContactRequest, context: Any
    ) -> consent_pb.CheckContactResponse:
        """Say whether and where a customer may be contacted now."""
        (customer_id,), (purpose_id,) = names.CUSTOMER.ids(request.name), names.PURPOSE.ids(request.purpose)
        customer = await found(self.db, names.CUSTOMER, store.CUSTOMER, customer_id)
        channels = [Channel(enum_name(_CHANNEL, number)) for number in dict.fromkeys(request.channels)]
        contact = await check_contact(
            self.db,
            self.addresses,
            customer,
            customer_id,
            purpose_id,
            channels,
            urgent=request.urgent,
            app_for_everybody=request.app_for_everybody,
            installation_zone=self.time_zone,
        )
        for each in contact.decisions:
            each.decide_time = self.db.clock.now()
        return to_message(
            consent_pb.CheckContactResponse,
            contact,
            display_name=customer.shown_name if contact.allowed else "",
            relationship_manager=customer.relationship_manager,
        )
