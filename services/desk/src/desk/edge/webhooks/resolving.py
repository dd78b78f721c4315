"""Whose a contact is: found by what the sender knows of them, or made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import grpc

from chassis.grpc.status import reason, refusal
from chassis.judgement import is_transient
from chassis.work import Later, Ours, Refused, code_of
from desk.edge.webhooks.contact import NUMBERS, Contact, Handle
from desk.edge.webhooks.sources import Source
from desk.live.calls import owners_of
from rapport.customer.v1 import customer_pb2, identifier_pb2
from rapport.customer.v1 import customer_service_pb2 as pb

if TYPE_CHECKING:
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub


class Waits(Refused):
    """A person has to say whose it is: `code` is why, `candidates` who may be meant."""

    def __init__(self, code: str, candidates: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.candidates = list(candidates)
        self.words = ""  # what it says, for that person


class Unreadable(Refused):
    """What cannot be understood: `problems` by field, without a value."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("not-understood")
        self.problems = list(problems)


class Customers:
    """Finds customers. Everything it raises is `NotDone`.

    An id, an account, an address or a social handle says who it is. A number says so where nothing better was
    given, and one customer has it: it proves nothing (docs/adr/0031). A fax's may be kept as a telephone's.
    """

    def __init__(self, stub: CustomerServiceAsyncStub) -> None:
        self._stub = stub

    async def of(self, contact: Contact, source: Source, id: UUID) -> str:
        """The customer of a contact, `customers/{uuid}`. Waits when a person has to choose."""
        if contact.customer:
            return contact.customer
        better = [each for each in contact.handles if each.type not in NUMBERS]
        asked = better or list(contact.handles)
        if not asked:
            has_number = any(each.isdigit() for each in contact.told)  # and not `anonymous`
            raise Waits("identifier-unusable" if has_number else "no-identifier")
        found = await self._owners(asked) or await self._owners(_as_dialled(asked))
        if len(found) > 1:
            raise Waits("identifiers-differ", sorted(found))
        if found:
            return found.pop()
        if not source.makes_customers or contact.is_automatic:
            raise Waits("unknown-customer")
        return await self._made(contact, asked[0], id)

    async def _owners(self, handles: Sequence[Handle]) -> set[str]:
        return {owner for each in handles if (owner := await self._owner(each))}

    async def _owner(self, handle: Handle) -> str:
        """Who has a handle; empty for nobody. Waits when several have it."""
        request = pb.BatchResolveCustomersRequest(allow_missing=True)
        request.requests.add(identifier=_identifier(handle))
        with answered():
            try:
                resolved = await self._stub.BatchResolveCustomers(request)
            except grpc.aio.AioRpcError as error:
                if reason(error) != "IDENTIFIER_SHARED":
                    raise
                owners = await owners_of(self._stub, handle.value)
                raise Waits("identifier-shared", [each.name for each in owners]) from None
        return resolved.responses[0].customer

    async def _made(self, contact: Contact, handle: Handle, id: UUID) -> str:
        request = pb.ResolveCustomerRequest(
            identifier=_identifier(handle),
            new_customer=customer_pb2.Customer(
                display_name=contact.name or handle.value[:200],
                language_code=contact.language_code,
                identifiers=[_identifier(each) for each in contact.handles if each != handle],
            ),
            request_id=str(uuid5(id, "customer")),
        )
        with answered():
            return (await self._stub.ResolveCustomer(request)).customer


@contextmanager
def answered(service: str = "customer") -> Iterator[None]:
    """What a service does not answer, or refuses, as the queue of work has it."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        told = refusal(error)
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            violations = getattr(told, "violations", ())
            raise Unreadable([f"{each.field}: {each.description}" for each in violations]) from None
        if told.metadata.get("resource", "").startswith("customers/") and told.code == "NOT_FOUND":
            raise Waits("customer-not-found") from None
        if is_transient(error) and error.code() not in _OURS:
            raise Later(code_of(f"{service}_{told.reason}")) from None
        raise Ours(code_of(f"{service}_{told.reason}")) from None


_OURS = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)


def _as_dialled(handles: Sequence[Handle]) -> list[Handle]:
    """Faxes' numbers as telephones', and the other way round."""
    other = {"FAX": "PHONE", "PHONE": "FAX"}
    return [replace(each, type=other[each.type]) for each in handles if each.type in NUMBERS]


def _identifier(handle: Handle) -> identifier_pb2.Identifier:
    return identifier_pb2.Identifier(
        type=identifier_pb2.Identifier.Type.Value(f"TYPE_{handle.type}"),
        system=handle.system,
        value=handle.value,
    )
