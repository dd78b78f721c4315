"""What contact for a purpose may be, as the customer service says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc

from chassis.context import acting, current_call
from chassis.errors import NotFound
from rapport.customer.v1.purpose_service_pb2 import GetPurposeRequest

if TYPE_CHECKING:
    from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Purposes:
    """Asks by our own right: whoever writes words need not be told of purposes."""

    purposes: PurposeServiceAsyncStub

    async def is_essential(self, name: str) -> bool:
        """Whether a purpose is of what customers have of us. NotFound; grpc.aio.AioRpcError."""
        try:
            with acting(replace(current_call.get(), credential="")):
                purpose = await self.purposes.GetPurpose(GetPurposeRequest(name=name))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise NotFound(name) from None
            raise
        return purpose.essential
