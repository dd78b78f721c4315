"""Whose purchase or order a row is: customers found by id or e-mail, made only for rows that are right."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import uuid4

import grpc

from chassis.api.handles import INVALID_REASONS, judge
from chassis.grpc.status import refusal
from rapport.common.v1.import_outcome_pb2 import IMPORT_OUTCOME_CREATED, IMPORT_OUTCOME_UNCLEAR
from rapport.customer.v1 import customer_pb2, customer_service_pb2, identifier_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport_imports.batches import violations
from rapport_imports.customers import external_id
from rapport_imports.decoding import UnreadableFile
from rapport_imports.engine import OrderOf, RowsRefused
from rapport_imports.fields import Cells
from rapport_imports.names import plain
from rapport_imports.reading import Reading
from rapport_imports.result import Result
from rapport_imports.tabular import ALREADY_IMPORTED, Problem, Row

W = TypeVar("W", bound="Whose")
Channels = Callable[[str], grpc.aio.Channel]
_SEVERAL = "associatedcontactids"  # of a deal in HubSpot
_SHARED = Problem(
    "customer.email", "IDENTIFIER_SHARED", "is what several customers have: name one by an id that is known"
)
NOBODY = "customers/00000000-0000-0000-0000-000000000000"


class Person(NamedTuple):
    """How a row names its customer: by an id in another system, an e-mail address, or both."""

    id: str
    email: str

    @property
    def called(self) -> str:
        """What a customer is called until somebody tells their name."""
        return self.id or self.email


class Whose(Protocol):
    """A row that belongs to somebody."""

    @property
    def person(self) -> Person: ...


def person(cells: Cells) -> Person:
    """The customer of a row: the column `customer` holds an id or an e-mail address, `email` the latter.

    Beside an id, what is no address is not needed.
    """
    before = len(cells.row.problems)
    customer, emails = cells.text("customer"), cells.several("email")
    if ";" in customer and plain(cells.column("customer")) == _SEVERAL:
        customer = customer.partition(";")[0].strip()
        cells.tell("FURTHER_CUSTOMERS", "names several customers: the first is taken", "customer")
    email, where = emails[0] if emails else "", "email"
    if "@" in customer:
        customer, email, where = "", customer, "customer"
    if email and judge("EMAIL", email, "").quality == "INVALID":
        if not customer:
            cells.wrong(where, *INVALID_REASONS["EMAIL"])
        email = ""
    if not (customer or email) and len(cells.row.problems) == before:
        cells.wrong("customer", "REQUIRED", "must be the id or e-mail address of a customer")
    return Person(customer, email)


class Customers:
    """The names of customers by how rows name them, asked for once each.

    A file is usually sorted by customer or by day, so a batch asks for far fewer customers than it has rows.
    """

    def __init__(self, channel: grpc.aio.Channel, system: str, *, dry_run: bool) -> None:
        self._service = CustomerServiceStub(channel)
        self._system = system
        self._names: dict[Person, str] = {}
        self.dry_run = dry_run
        self._made = 0
        self._unknown: set[Person] = set()
        self._one_by_one = asyncio.Lock()

    def tell(self, result: Result) -> None:
        """Say of how many nothing was known but what the file calls them."""
        would = "would be" if self.dry_run else "are"
        if count := self._made or len(self._unknown):
            result.notes.append(
                f"new customers: {count:,}; nothing was known of them, and they {would} called by their id "
                f"or address until `rapport import customers --system {self._system}` names them"
            )

    async def of(self, items: Sequence[Whose], check: Callable[[list[str]], Awaitable[object]]) -> list[str]:
        """The customer of each item; who is not known is made, or in a dry run `NOBODY`. RowsRefused.

        Nobody is made for a row that is wrong: `check` refuses those first. One batch after the other, so
        that who is in both is one customer.
        """
        async with self._one_by_one:
            names = await self._find(items)
            if NOBODY not in names or self.dry_run:
                return names
            await check(names)
            return await self._make(items)

    async def _find(self, items: Sequence[Whose]) -> list[str]:
        """The customer of each item, `NOBODY` for one that is not known yet. RowsRefused."""
        new = [who for who in dict.fromkeys(item.person for item in items) if who not in self._names]
        ids = [who for who in new if who.id]
        self._names |= await self._ask(items, ids, [self._id(who) for who in ids])
        rest = [who for who in new if who.email and who not in self._names]
        self._names |= await self._by_email(items, rest)
        if self.dry_run:
            self._unknown |= {who for who in new if who not in self._names}
        return [self._names.get(item.person, NOBODY) for item in items]

    async def _make(self, items: Sequence[Whose]) -> list[str]:
        """The customer of each item; those that were not known are made now. RowsRefused."""
        new = [who for who in dict.fromkeys(item.person for item in items) if who not in self._names]
        named = [who for who in new if who.id]
        self._names |= await self._ask(items, named, [self._id(who) for who in named], create=True)
        for who in named:
            if who.email:
                await self._add(self._names[who], _email(who))
        # Now that those are known by their addresses, too: whoever has no id here may be one of them.
        rest = [who for who in new if not who.id]
        self._names |= await self._ask(items, rest, [_email(who) for who in rest], create=True)
        return [self._names[item.person] for item in items]

    async def _by_email(self, items: Sequence[Whose], people: list[Person]) -> dict[Person, str]:
        """Those whom an address finds; they get the row's id, unless they have another one in its system."""
        found = await self._ask(items, people, [_email(who) for who in people])
        named = [who for who in found if who.id]
        if not named:
            return found
        request = customer_service_pb2.BatchGetCustomersRequest(names=[found[who] for who in named])
        answer = await self._service.BatchGetCustomers(request)
        given: set[str] = set()
        for who, customer in zip(named, answer.customers, strict=True):
            has_id = any(identifier.system == self._system for identifier in customer.identifiers)
            if has_id or customer.name in given:
                del found[who]  # two ids of one system are two customers
                continue
            given.add(customer.name)
            await self._add(customer.name, self._id(who))
        return found

    async def _add(self, customer: str, handle: identifier_pb2.Identifier) -> None:
        """Give a customer a handle, unless it is somebody else's or none that anybody is found by."""
        if self.dry_run:
            return
        request = customer_service_pb2.CreateIdentifierRequest(
            parent=customer, identifier=handle, request_id=str(uuid4())
        )
        try:
            await self._service.CreateIdentifier(request)
        except grpc.aio.AioRpcError as error:
            if error.code() not in (grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.FAILED_PRECONDITION):
                raise

    async def _ask(
        self,
        items: Sequence[Whose],
        people: list[Person],
        handles: list[identifier_pb2.Identifier],
        *,
        create: bool = False,
    ) -> dict[Person, str]:
        """The customers that the handles belong to; with `create`, whoever is missing is made. RowsRefused.

        A handle that several customers have refuses its rows alone: the service says one at a time.
        """
        if not people:
            return {}
        requests = [
            customer_service_pb2.ResolveCustomerRequest(
                identifier=handle,
                new_customer=customer_pb2.Customer(display_name=who.called[:200]) if create else None,
            )
            for who, handle in zip(people, handles, strict=True)
        ]
        asked = dict(zip(people, requests, strict=True))
        of_several: set[Person] = set()
        responses: Sequence[customer_service_pb2.ResolveCustomerResponse] = ()
        while asked:
            try:
                answer = await self._service.BatchResolveCustomers(
                    customer_service_pb2.BatchResolveCustomersRequest(
                        requests=asked.values(), request_id=str(uuid4()), allow_missing=not create
                    )
                )
            except grpc.aio.AioRpcError as error:
                if (index := _shared(error)) is None:
                    raise _of_rows(error, items, list(asked)) from error
                of_several.add(who := list(asked)[index])
                del asked[who]
            else:
                responses = answer.responses
                break
        self._made += sum(found.created for found in responses)
        if of_several:
            raise RowsRefused({i: [_SHARED] for i, item in enumerate(items) if item.person in of_several})
        return {who: found.customer for who, found in zip(asked, responses, strict=True) if found.customer}

    def _id(self, who: Person) -> identifier_pb2.Identifier:
        return external_id(self._system, who.id)


class OfCustomers:
    """Rows that belong to customers."""

    def __init__(self, customers: Customers) -> None:
        self.customers = customers
        self.corrected = 0

    def order_of(self, used: Mapping[str, str], spares: Mapping[str, list[str]]) -> OrderOf | None:
        """Each row is alone."""
        return None

    def begin(self, reading: Reading) -> None:
        """UnreadableFile unless a column says whose the rows are."""
        if not {"customer", "email"} & reading.columns.keys():
            raise UnreadableFile(
                "no column says whose the rows are; say which with --map customer=COLUMN, of ids or e-mail "
                "addresses"
            )

    async def finish(self, result: Result) -> Mapping[int, Sequence[Problem]]:
        """Tell how many were corrected, and who was made."""
        result.corrected = self.corrected
        result.known -= self.corrected
        self.customers.tell(result)
        return {}


class ByCustomer(OfCustomers, ABC, Generic[W]):
    """Rows of customers who are found first, or made, and that go to a service in batches."""

    unclear: str  # what is said of a row that another file may have brought

    async def send(self, items: list[tuple[Row, W]]) -> int:
        """Hand rows to the service; what was imported before is not imported again, but may be corrected."""
        check = partial(self.ask, items, validate_only=True)
        names = await self.customers.of([item for _, item in items], check)
        answer = await self.ask(items, names, validate_only=self.customers.dry_run)
        for (row, item), name, result in zip(items, names, answer.results, strict=True):
            if result.outcome == IMPORT_OUTCOME_UNCLEAR:
                row.problems.append(Problem("", ALREADY_IMPORTED, self.unclear))
            else:
                await self.heard(row, item, name, result)
        return sum(result.outcome == IMPORT_OUTCOME_CREATED for result in answer.results)

    @abstractmethod
    async def ask(self, items: list[tuple[Row, W]], names: list[str], *, validate_only: bool) -> Any:
        """Send the rows of the customers with these names, in one request; the answer has `results`."""

    @abstractmethod
    async def heard(self, row: Row, item: W, name: str, result: Any) -> None:
        """Go on from what became of a row of the customer of that name."""


def _email(who: Person) -> identifier_pb2.Identifier:
    return identifier_pb2.Identifier(type=identifier_pb2.Identifier.TYPE_EMAIL, value=who.email)


def _shared(error: grpc.aio.AioRpcError) -> int | None:
    """Which request of a batch has the handle that several customers have; None for any other error."""
    told = refusal(error)
    found = re.match(r"requests\[(\d+)\]", told.metadata.get("field", ""))
    return int(found[1]) if found and told.reason == "IDENTIFIER_SHARED" else None


def _of_rows(error: grpc.aio.AioRpcError, items: Sequence[Whose], people: Sequence[Person]) -> Exception:
    """What is wrong with handles, said of the rows that bear them; any other error as it is."""
    wrong = {
        people[index]: [replace(problem, column="customer") for problem in problems]
        for index, problems in violations(error).items()
    }
    problems = {i: wrong[item.person] for i, item in enumerate(items) if item.person in wrong}
    return RowsRefused(problems) if problems else error
