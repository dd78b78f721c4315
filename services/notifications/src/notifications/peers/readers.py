"""Who reads what is rendered, as whoever asks may see them: nobody is lent the right to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from chassis.grpc.status import refusal
from notifications.peers.signers import Signers
from notifications.usecases.words import reach_of
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest

if TYPE_CHECKING:
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub

_OF_THE_CALLER = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)


@dataclass(frozen=True, repr=False, slots=True)
class Reader:
    """A customer who reads, and who signs. Personal: used once, never kept, never shown."""

    language_code: str
    time_zone: str
    variables: dict[str, str]  # what the platform says of both, in every template


@dataclass(frozen=True, slots=True)
class Readers:
    """Asks the customer service, and who signs."""

    customers: CustomerServiceAsyncStub
    signers: Signers

    async def of(self, customer: str, case: str) -> Reader:
        """A customer, by name, and who signs what is about a case of theirs, or none.

        What they refuse the caller: RESOURCE_NOT_FOUND, PERMISSION_DENIED.
        """
        try:
            found = await self.customers.GetCustomer(GetCustomerRequest(name=customer))
            agent = await self.signers.of(found.relationship_manager, case)
        except grpc.aio.AioRpcError as error:
            if error.code() in _OF_THE_CALLER:
                raise refusal(error) from None
            raise
        said = {"customer_name": found.display_name}
        if agent:
            said |= {"contact_name": agent.display_name, "contact_reach": reach_of(agent.phone, agent.email)}
        return Reader(found.language_code, found.effective_time_zone, said)
