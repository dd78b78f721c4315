"""What somebody means by what they typed, told from how it is written; and asking who may know it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desk.pages.services import Parts, Services, any_of, ask
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest, ListPromisesRequest
from rapport.cases.v1.work_item_service_pb2 import GetWorkItemRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest, SearchCustomersRequest
from rapport.loyalty.v1.goodwill_service_pb2 import GetGoodwillRequest
from rapport.loyalty.v1.purchase_service_pb2 import GetPurchaseRequest
from rapport.notifications.v1.notice_service_pb2 import GetNoticeRequest

LEAST, MOST = 2, 200
# Whose a resource is says the service that has it. People paste these from logs, letters and addresses.
_RESOURCE = re.compile(
    r"(?<![A-Za-z])(?:customers|cases|promises|notices|goodwill|workItems|purchases)"
    r"/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])"
)
_ORDER = re.compile(r"(?:orders?\s*[/#:]?\s*|#\s*)([A-Z0-9][\w.-]*)", re.ASCII | re.IGNORECASE)
_BARE = re.compile(r"\d{3,9}", re.ASCII)  # of more digits no shop numbers its orders, and every phone is
_CODED = re.compile(r"(?=.*[A-Z])(?=.*\d)[A-Z0-9]+(?:[.-][A-Z0-9]+)+", re.ASCII | re.IGNORECASE)
_REFERENCE = re.compile(r"[a-z][a-z-]*/[\w.:/#-]{1,80}", re.ASCII)
PATIENCE_S = 2.0
PROMISES_MAX = 20  # of one reference
# By its collection, what tells a resource that is some customer's.
_TOLD_BY: Mapping[str, tuple[Callable[[Services], Any], Callable[..., Any]]] = {
    "cases": (lambda to: to.cases.GetCase, GetCaseRequest),
    "promises": (lambda to: to.promises.GetPromise, GetPromiseRequest),
    "workItems": (lambda to: to.work_items.GetWorkItem, GetWorkItemRequest),
    "notices": (lambda to: to.notices.GetNotice, GetNoticeRequest),
    "goodwill": (lambda to: to.goodwill.GetGoodwill, GetGoodwillRequest),
    "purchases": (lambda to: to.purchases.GetPurchase, GetPurchaseRequest),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be asked for."""

    # For the customer service: a handle or a name; empty when nothing else than `resource` is meant.
    text: str = field(default="", repr=False)
    resource: str = ""  # the name of a resource, `cases/{uuid}`
    reference: str = ""  # what promises may be about, `orders/5021`
    perhaps: str = ""  # the same of what may be an order's number, or no order's at all: `AB-5021`

    @property
    def references(self) -> Sequence[str]:
        """All that promises may be about."""
        if self.perhaps:
            return f"orders/{self.perhaps}", self.perhaps
        return (self.reference,) if self.reference else ()


def classify(typed: str) -> Asked:
    """What is meant by a text of 2 to 200 characters.

    The name of a resource anywhere in it is that resource; `orders/5021`, `order 5021`, `#5021` and `5021`
    are an order, and a customer may have that number, too; `AB-5021` may be one; all else is of a customer.
    """
    text = typed.strip()
    if resource := _RESOURCE.search(text):
        return Asked(resource=resource[0])
    if (order := _ORDER.fullmatch(text)) and any(map(str.isdigit, order[1])):
        return Asked(order[1], reference=f"orders/{order[1]}")
    if _BARE.fullmatch(text):
        return Asked(text, reference=f"orders/{text}")
    if _CODED.fullmatch(text):
        return Asked(text, perhaps=text)
    return Asked(text, reference=text if _REFERENCE.fullmatch(text) else "")


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
    if collection in _TOLD_BY:
        rpc, request = _TOLD_BY[collection]
        found = await rpc(services)(request(name=name))
        return await _owner(services, found.case if collection == "workItems" else found.customer)
    return await services.customers.GetCustomer(GetCustomerRequest(name=name))


async def _promised(services: Services, references: Sequence[str]) -> Sequence[tuple[Any, Customer]]:
    """The promises about something, each with whom it was made to."""
    request = ListPromisesRequest(filter=any_of("reference", references), page_size=PROMISES_MAX)
    promises = (await services.promises.ListPromises(request)).promises
    customers = await services.known(each.customer for each in promises)
    return [(each, customers[each.customer]) for each in promises if each.customer in customers]
