"""Asking the customer service whom a filter finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chassis.api.messages import moment
from notifications.usecases.notice_job import Page
from rapport.customer.v1.customer_service_pb2 import ListCustomersRequest

if TYPE_CHECKING:
    from rapport.customer.v1.customer_pb2 import Customer
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Selection:
    """Asks the customer service whom a filter finds."""

    customers: CustomerServiceAsyncStub

    async def page(self, filter: str, before: datetime, token: str, size: int) -> Page:
        """Some of those who were there before then. grpc.aio.AioRpcError."""
        request = ListCustomersRequest(filter=filter, page_size=size, page_token=token)
        listed = await self.customers.ListCustomers(request)
        found = [each.name for each in listed.customers if moment(each.create_time) < before]
        return Page(found, listed.next_page_token)

    async def first(self, filter: str, most: int) -> Sequence[Customer]:
        """The first of those who are there now. grpc.aio.AioRpcError."""
        found: list[Customer] = []
        token = ""
        while len(found) < most:
            request = ListCustomersRequest(filter=filter, page_size=most - len(found), page_token=token)
            listed = await self.customers.ListCustomers(request)
            found, token = [*found, *listed.customers], listed.next_page_token
            if not token:
                break
        return found
