"""Whose a handle is, as far as whoever asks may see that: a person who looks, or the desk itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapport.customer.v1 import customer_service_pb2 as pb

if TYPE_CHECKING:
    from rapport.customer.v1.customer_pb2 import Customer
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub

MOST = 20  # of a number that more share, a person knows by other means whose it is


async def owners_of(
    customers: CustomerServiceAsyncStub, value: str, within_s: float | None = None
) -> Sequence[Customer]:
    """Those who have a handle with this value, as it is matched; at most 20. grpc.aio.AioRpcError."""
    request = pb.SearchCustomersRequest(query=value, page_size=MOST)
    found = await customers.SearchCustomers(request, timeout=within_s)
    return [
        match.customer
        for match in found.matches
        if any(each.normalized_value == value for each in match.customer.identifiers)
    ]
