"""What can be exported, from which list it comes, and which columns say it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from google.protobuf.message import Message

from rapport.options.v1 import options_pb2
from rapport_imports import own
from rapport_imports.exports import rows
from rapport_imports.exports.cells import Cell

# Whose a row is, in all kinds but that of customers; from the customer service.
WHOSE = (own.CUSTOMER, "customer_name", "customer_email")


@dataclass(frozen=True)
class Kind:
    """One kind of things: the method that lists them, as `package.service.Service/Method`.

    `parent` is the field of the request that names a customer, where a list is of one customer. `columns` are
    those beside `WHOSE`, and `rows` makes of a message its rows: the values of these.
    """

    name: str
    service: str
    method: str
    parent: str = ""
    special: Callable[[Message], Iterator[dict[str, Cell]]] | None = None
    named: tuple[str, ...] = ()  # the columns of a special kind
    whose: bool = field(default=True)

    @cached_property
    def request(self) -> Any:
        return getattr(self._module, f"{self._method}Request")

    def call(self, channel: Any) -> Callable[[Any], Any]:
        """What asks the list for a page."""
        service, _, method = self.method.partition("/")
        module, _, stub = service.rpartition(".")
        stubs = import_module(f"rapport.{module}_pb2_grpc")
        found: Callable[[Any], Any] = getattr(getattr(stubs, f"{stub}Stub")(channel), method)
        return found

    @cached_property
    def items(self) -> str:
        """The field of the answer that has the things."""
        answer = getattr(self._module, f"{self._method}Response").DESCRIPTOR
        return str(next(each.name for each in answer.fields if each.message_type))

    @cached_property
    def has_filter(self) -> bool:
        return "filter" in self.request.DESCRIPTOR.fields_by_name

    @cached_property
    def permission(self) -> str:
        """What whoever lists them must hold."""
        service = self.method.partition("/")[0].rpartition(".")[2]
        method = self._module.DESCRIPTOR.services_by_name[service].methods_by_name[self._method]
        return str(method.GetOptions().Extensions[options_pb2.permission])

    @property
    def columns(self) -> tuple[str, ...]:
        return self.named or (own.MARKS[self.name], *self._read)

    def rows(self, message: Message) -> Iterator[Mapping[str, Cell]]:
        """The rows of a message, of which values may be left out."""
        if self.special:
            yield from self.special(message)
        else:
            name: str = message.name  # type: ignore[attr-defined]
            read = {column: of(message) for column, of in self._read.items()}
            yield {own.MARKS[self.name]: name, **read}

    def customer(self, message: Any) -> str:
        """Whose it is, `customers/{uuid}`; empty for nobody's."""
        if "customer" in message.DESCRIPTOR.fields_by_name:
            return str(message.customer)
        kind, _, rest = message.name.partition("/")
        if kind in ("customers", "customerValues"):
            return f"customers/{rest.partition('/')[0]}"
        return ""

    @property
    def _method(self) -> str:
        return self.method.partition("/")[2]

    @cached_property
    def _module(self) -> Any:
        return import_module(f"rapport.{self.method.partition('/')[0].rpartition('.')[0]}_pb2")

    @cached_property
    def _read(self) -> dict[str, Any]:
        from rapport_imports.exports.cells import columns_of

        answer = getattr(self._module, f"{self._method}Response").DESCRIPTOR
        of = answer.fields_by_name[self.items].message_type
        return columns_of(of, frozenset({"name", "customer"}))


_CUSTOMER, _CASES = "customer.v1", "cases.v1"
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "customers",
            "customer",
            f"{_CUSTOMER}.customer_service.CustomerService/ListCustomers",
            special=rows.of_customer,
            named=rows.CUSTOMER,
            whose=False,
        ),
        Kind(
            "purchases",
            "loyalty",
            "loyalty.v1.purchase_service.PurchaseService/ListPurchases",
            special=rows.of_purchase,
            named=rows.PURCHASE,
        ),
        Kind("promises", "cases", f"{_CASES}.promise_service.PromiseService/ListPromises"),
        Kind(
            "consents",
            "customer",
            f"{_CUSTOMER}.consent_service.ConsentService/ListConsents",
            parent="parent",
        ),
        Kind(
            "timeline",
            "customer",
            f"{_CUSTOMER}.timeline_service.TimelineService/ListTimelineEntries",
            parent="parent",
        ),
        Kind("cases", "cases", f"{_CASES}.case_service.CaseService/ListCases"),
        Kind("work-items", "cases", f"{_CASES}.work_item_service.WorkItemService/ListWorkItems"),
        Kind("notices", "notifications", "notifications.v1.notice_service.NoticeService/ListNotices"),
        Kind("goodwill", "loyalty", "loyalty.v1.goodwill_service.GoodwillService/ListGoodwill"),
        Kind("values", "loyalty", "loyalty.v1.purchase_service.PurchaseService/ListCustomerValues"),
        Kind(
            "attributes",
            "customer",
            f"{_CUSTOMER}.attribute_service.AttributeService/ListAttributeValues",
            parent="parent",
        ),
    )
}
