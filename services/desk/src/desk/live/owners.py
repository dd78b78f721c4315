"""Whose a handle is, as far as whoever asks may see that: a person who looks, or the desk itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rapport.customer.v1 import customer_service_pb2 as pb

if TYPE_CHECKING:
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub

MOST = 20  # of a number that more share, a person knows by other means whose it is


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer who has a handle.

    Attributes:
        customer: `customers/{uuid}`.
        display_name: what people call them. Personal.

    """

    customer: str
    display_name: str = field(repr=False)


async def owners_of(
    customers: CustomerServiceAsyncStub, value: str, within_s: float | None = None
) -> Sequence[Owner]:
    """Those who have a handle with this value, as it is matched; at most 20. grpc.aio.AioRpcError."""
    request = pb.SearchCustomersRequest(query=value, page_size=MOST)
    found = await customers.SearchCustomers(request, timeout=within_s)
    return [
        Owner(match.customer.name, match.customer.display_name)
        for match in found.matches
        if any(each.normalized_value == value for each in match.customer.identifiers)
    ]
