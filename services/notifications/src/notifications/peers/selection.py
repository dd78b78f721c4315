"""Asking the customer service whom a filter finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chassis.api.messages import moment
from notifications.usecases.notice_job import Page
from rapport.customer.v1.customer_service_pb2 import ListCustomersRequest

if TYPE_CHECKING:
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
