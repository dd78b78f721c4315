"""Asking who it is: each service that may know, at once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from desk.pages.find.classifying import Asked
from desk.pages.services import Parts, Services, any_of, ask
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest, ListPromisesRequest
from rapport.cases.v1.work_item_service_pb2 import GetWorkItemRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import (
    GetCustomerRequest,
    SearchCustomersRequest,
)
from rapport.loyalty.v1.goodwill_service_pb2 import GetGoodwillRequest
from rapport.loyalty.v1.purchase_service_pb2 import GetPurchaseRequest
from rapport.notifications.v1.notice_service_pb2 import GetNoticeRequest

PATIENCE_S = 2.0
PROMISES_MAX = 20  # of one reference


async def search(services: Services, asked: Asked, page_size: int, page_token: str = "") -> Parts:
    """Everything that is found.

    The parts are `owner`, the customer whose the resource is; or `customers`, a page of matches, and with the
    first page `promises`, each with its customer.
    """
    if asked.resource:
        return await ask(PATIENCE_S, owner=_owner(services, asked.resource))
    request = SearchCustomersRequest(query=asked.text, page_size=page_size, page_token=page_token)
    questions: dict[str, Awaitable[Any]] = {"customers": services.customers.SearchCustomers(request)}
    if asked.references and not page_token:
        questions["promises"] = _promised(services, asked.references)
    return await ask(PATIENCE_S, **questions)


async def _owner(services: Services, name: str) -> Customer:
    """The customer whose a resource is. grpc.aio.AioRpcError."""
    collection = name.partition("/")[0]
    customer = name if collection == "customers" else await _CUSTOMER_OF[collection](services, name)
    return await services.customers.GetCustomer(GetCustomerRequest(name=customer))


async def _promised(services: Services, references: Sequence[str]) -> Sequence[tuple[Any, Customer]]:
    """The promises about something, each with whom it was made to."""
    request = ListPromisesRequest(filter=any_of("reference", references), page_size=PROMISES_MAX)
    promises = (await services.promises.ListPromises(request)).promises
    customers = await services.known(each.customer for each in promises)
    return [(each, customers[each.customer]) for each in promises if each.customer in customers]


async def _of_case(services: Services, name: str) -> str:
    return (await services.cases.GetCase(GetCaseRequest(name=name))).customer


async def _of_promise(services: Services, name: str) -> str:
    return (await services.promises.GetPromise(GetPromiseRequest(name=name))).customer


async def _of_work_item(services: Services, name: str) -> str:
    item = await services.work_items.GetWorkItem(GetWorkItemRequest(name=name))
    return await _of_case(services, item.case)


async def _of_notice(services: Services, name: str) -> str:
    return (await services.notices.GetNotice(GetNoticeRequest(name=name))).customer


async def _of_goodwill(services: Services, name: str) -> str:
    return (await services.goodwill.GetGoodwill(GetGoodwillRequest(name=name))).customer


async def _of_purchase(services: Services, name: str) -> str:
    return (await services.purchases.GetPurchase(GetPurchaseRequest(name=name))).customer


_CUSTOMER_OF: Mapping[str, Callable[[Services, str], Awaitable[str]]] = {
    "cases": _of_case,
    "promises": _of_promise,
    "workItems": _of_work_item,
    "notices": _of_notice,
    "goodwill": _of_goodwill,
    "purchases": _of_purchase,
}
