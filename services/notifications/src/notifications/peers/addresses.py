"""What a receipt says of an address: told to the customer service, which keeps addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc
import structlog

from chassis.api.handles import judge
from chassis.api.messages import timestamp
from chassis.context import acting, current_call
from chassis.grpc.status import reason
from notifications.domain.attempt import Attempt, Delivery, Receipt
from notifications.domain.notice import Notice
from notifications.domain.route import Addressed
from rapport.customer.v1 import (
    consent_pb2,
    consent_service_pb2,
    customer_service_pb2,
    identifier_pb2,
    purpose_service_pb2,
)
from rapport.customer.v1.suppression_pb2 import Suppression
from rapport.customer.v1.suppression_service_pb2 import CreateSuppressionRequest

if TYPE_CHECKING:
    from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub
    from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceAsyncStub
    from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceAsyncStub

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Suppresses what there is not, and heeds who complained. A repeat does nothing more."""

    customers: CustomerServiceAsyncStub
    consents: ConsentServiceAsyncStub
    suppressions: SuppressionServiceAsyncStub
    purposes: PurposeServiceAsyncStub
    kinds: Mapping[str, Addressed]  # by the code of their channel

    async def heed(self, notice: Notice, attempt: Attempt, receipt: Receipt, recipient: str) -> bool:
        """Before the receipt is kept, so that one that could not be heeded is heeded when it comes again.

        Whether it is to be kept: what came back from an address to which somebody passed the message on says
        nothing of the one to which it went. grpc.aio.AioRpcError when the customer service does not answer.
        """
        notice = replace(notice, channel=attempt.channel or notice.channel)  # it may be another by now
        if (kind := self.kinds.get(notice.channel)) is not None:
            with acting(
                replace(current_call.get(), credential="")
            ):  # by our right: who reports has none there
                return await self._heed(kind, notice, attempt, receipt, recipient)
        return True

    async def _heed(
        self, kind: Addressed, notice: Notice, attempt: Attempt, receipt: Receipt, recipient: str
    ) -> bool:
        says_no = receipt.delivery.failed or receipt.complaint
        if says_no and not await self._is_where_it_went(kind.type, attempt, recipient):
            return False
        if receipt.delivery is Delivery.PERMANENT_FAILURE and attempt.delivery is not receipt.delivery:
            why = Suppression(reason=Suppression.REASON_HARD_BOUNCE, source=kind.bounced_by)
            await self._suppress(why, kind.type, attempt, recipient)
        if receipt.complaint and attempt.complaint_time is None:
            found = await self.purposes.GetPurpose(purpose_service_pb2.GetPurposeRequest(name=notice.purpose))
            loop = kind.complained_by
            why = Suppression(reason=Suppression.REASON_COMPLAINT, category=found.category, source=loop)
            await self._suppress(why, kind.type, attempt, recipient)
            await self._withdraw(notice, receipt, loop)
        return True

    async def _is_where_it_went(self, of_type: str, attempt: Attempt, recipient: str) -> bool:
        """Whether a report is of the address to which it went, as far as anybody knows."""
        reported = judge(of_type, recipient, "").normalized_value
        if not attempt.identifier or not reported:
            return True
        request = customer_service_pb2.GetIdentifierRequest(name=attempt.identifier)
        try:
            went_to = await self.customers.GetIdentifier(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return True
            raise
        return _reached(went_to.normalized_value) == _reached(reported)

    async def _suppress(self, why: Suppression, of_type: str, attempt: Attempt, recipient: str) -> None:
        """The address to which it went, whatever the customer's is now, and whatever they said since.

        Of what is theirs no more there is none, nor of what is no address. An installation without a key for
        addresses keeps none: what else a receipt says is heeded all the same.
        """
        why.address = judge(of_type, recipient, "").normalized_value
        if not attempt.identifier or (recipient and not why.address):
            return
        why.identifier = attempt.identifier
        why.type = identifier_pb2.Identifier.Type.Value(f"TYPE_{of_type}")
        try:
            await self.suppressions.CreateSuppression(CreateSuppressionRequest(suppression=why))
        except grpc.aio.AioRpcError as error:
            if reason(error) == "NO_ADDRESS_PEPPER":
                _log.warning("the installation keeps no suppressions", notice=str(attempt.notice))
            elif error.code() is not grpc.StatusCode.NOT_FOUND:
                raise

    async def _withdraw(self, notice: Notice, receipt: Receipt, source: str) -> None:
        """Who complained wants no more of it. What they said later than that holds."""
        purpose = notice.purpose.removeprefix("purposes/")
        consent = consent_pb2.Consent(
            name=f"{notice.customer}/consents/{purpose}.{notice.channel.lower()}",
            state=consent_pb2.Consent.STATE_DENIED,
            source=source,
            effective_time=timestamp(receipt.time),
            proof=notice.name,
        )
        # Without a request id: said again it changes nothing, and another receipt has another time.
        request = consent_service_pb2.UpdateConsentRequest(consent=consent, allow_missing=True)
        try:
            await self.consents.UpdateConsent(request)
        except grpc.aio.AioRpcError as error:
            if reason(error) != "CONSENT_SUPERSEDED" and error.code() is not grpc.StatusCode.NOT_FOUND:
                raise


def _reached(address: str) -> str:
    """What is sent to of an address: no extension of a number."""
    return address.partition(";")[0]
