"""Asking the customer service whom a filter finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

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
        there = f'create_time < "{before.isoformat()}"'
        wanted = f"({filter}) AND {there}" if filter.strip() else there
        request = ListCustomersRequest(filter=wanted, page_size=size, page_token=token)
        listed = await self.customers.ListCustomers(request)
        return Page([each.name for each in listed.customers], listed.next_page_token)
