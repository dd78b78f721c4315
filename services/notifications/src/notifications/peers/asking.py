"""What other services are asked before a message leaves, and by who looks at what one would be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc

from chassis.context import Call, acting, service_itself
from chassis.errors import Unavailable
from chassis.grpc.status import refusal
from notifications.domain.reasons import Reason
from notifications.domain.route import named, names_app_first
from notifications.domain.strategy import DeliveryStrategy
from notifications.domain.template import Template
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.consent_service_pb2 import CheckContactRequest, CheckContactResponse

if TYPE_CHECKING:
    from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub

_AT_ONCE = 8  # customers who are asked about


def check_of(
    customer: str, purpose: str, channels: Sequence[str], *, urgent: bool, app_for_everybody: bool
) -> CheckContactRequest:
    """Whether, and on which of these channels, a customer may be told something for a purpose."""
    return CheckContactRequest(
        name=customer,
        purpose=purpose,
        channels=[channel_pb2.Channel.Value(f"CHANNEL_{each}") for each in channels],
        urgent=urgent,
        app_for_everybody=app_for_everybody,
    )


async def allowances(
    service: str,
    consents: ConsentServiceAsyncStub,
    customers: Sequence[str],
    template: Template,
    delivery: DeliveryStrategy | None,
    served: Sequence[str],
) -> list[CheckContactResponse]:
    """What each customer allows of notices in a template's words now, on any channel; of who is gone, that.

    In their order, by our own right, for a preview: nothing of an address is told. Unavailable
    CUSTOMERS_NOT_ASKED.
    """
    channels = [each for each in named(delivery) or served if each in served]
    room = asyncio.Semaphore(_AT_ONCE)

    async def of(customer: str) -> CheckContactResponse:
        if not channels:
            return CheckContactResponse(reason_code=Reason.CHANNEL_NOT_SERVED)
        request = check_of(
            customer,
            template.purpose,
            channels,
            urgent=template.urgent,
            app_for_everybody=names_app_first(delivery),
        )
        try:
            async with room:
                return await consents.CheckContact(request)
        except grpc.aio.AioRpcError as error:
            if refusal(error).metadata.get("resource") == customer:
                return CheckContactResponse(reason_code=Reason.CUSTOMER_NOT_FOUND)
            told = "What customers allow cannot be asked now. Try again."
            raise Unavailable("CUSTOMERS_NOT_ASKED", told) from error

    with acting(Call("preview", service_itself(service))):
        return list(await asyncio.gather(*map(of, customers)))
