"""CustomerService; and customers in requests as drafts, every handle judged, and back."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict

from chassis.api import customers
from chassis.api.checks import Rules
from chassis.api.customers import RULES
from chassis.api.handles import INVALID_REASONS
from chassis.api.messages import seen, to_message, value_name
from chassis.api.pages import Page, gathered, in_turns, paged
from chassis.api.resources import changeable, chosen
from chassis.api.validation import Check
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.grpc.mutation import mutation
from chassis.servicer import Rpc
from customer import names
from customer.domain import customers as domain
from customer.domain.customers import KIND_FIELDS, ORGANIZATION, PERSON, ProfileUpdate
from customer.domain.identifiers import Draft, Handle, why_identifier
from customer.domain.zones import zone_of
from customer.rpc.dates import date_of_text, text_of_date
from customer.rpc.identifiers import identifier_message
from customer.store import tables as store
from customer.store.search import Found
from customer.usecases import customers as usecases
from customer.usecases import identifiers
from customer.usecases.customers import Held, create_identifier, judged
from customer.usecases.resolve import CHARACTERS_MIN, Ask, resolve_customers
from customer.usecases.searching import key, search_customers
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.customer.v1 import customer_service_pb2 as pb
from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceServicer
from rapport.customer.v1.identifier_pb2 import Identifier

_PATHS = changeable(pb.UpdateCustomerRequest.DESCRIPTOR, Customer.DESCRIPTOR)
_PERSON = [field for field in KIND_FIELDS if field != "birth_date"]
KINDS = ("person", "organization")
_SHARED = ("display_name", "language_code", "time_zone", "region_code")


def read_draft(sent: Customer, *, confirmed: bool = False) -> Draft:
    """A customer to be made. Handles that cannot be right are kept, flagged, and match nobody."""
    handles = tuple(read_handle(each, sent.region_code) for each in sent.identifiers)
    return Draft(_profile(sent), handles, confirmed)


def read_changes(request: pb.UpdateCustomerRequest) -> ProfileUpdate:
    """What the mask of an update names, and nothing else that is sent."""
    sent, mask, masked = request.customer, request.update_mask, Customer()
    paths = chosen(mask, sent, _PATHS) or []
    FieldMask(paths=paths).MergeMessage(sent, masked)
    profile = _profile(masked)
    return ProfileUpdate(
        fields={(field := _field(path)): profile[field] for path in paths},
        kinds={path.partition(".")[0].upper() for path in paths if "." in path},
        as_a_whole=not {"*", *KINDS}.isdisjoint(mask.paths),
        kind=profile["kind"],
    )


def _field(path: str) -> str:
    """What a profile calls a field of the contract."""
    return path.rpartition(".")[2].replace("legal_name", "organization_name")


def read_handle(sent: Identifier, region_code: str) -> Handle:
    """A handle with its quality."""
    found = judged(sent.system, sent.value, customers.judged(sent, region_code))
    return replace(found, shared=True) if sent.shared else found


def shown(held: Held, installation_zone: str) -> Customer:
    """A customer as the contract has them."""
    customer = held.customer
    zone = zone_of(customer, installation_zone)
    kind: dict[str, Any] = {}
    if customer.kind == PERSON:
        kind["person"] = to_message(Person, customer, birth_date=date_of_text(customer.birth_date))
    elif customer.kind == ORGANIZATION:
        kind["organization"] = Organization(legal_name=customer.organization_name)
    return to_message(
        Customer,
        customer,
        **kind,
        effective_time_zone=zone.name,
        time_zone_source=zone.source,
        display_name=customer.shown_name,
        identifiers=[identifier_message(identifier) for identifier in held.identifiers],
        addresses=[Address(**address) for address in json.loads(customer.addresses or "[]")],
    )


def _profile(sent: Customer) -> dict[str, str]:
    """What a customer is called and where they are, flat: see `customer.domain.customers.Customer`."""
    profile = {field: seen(getattr(sent, field)).strip() for field in _SHARED}
    profile |= {field: seen(getattr(sent.person, field)).strip() for field in _PERSON}
    if sent.HasField("organization"):
        profile["organization_name"] = seen(sent.organization.legal_name).strip()
    addresses = [MessageToDict(address, preserving_proto_field_name=True) for address in sent.addresses]
    return profile | {
        "kind": (sent.WhichOneof("type") or "").upper(),
        "birth_date": text_of_date(sent.person.birth_date),
        "addresses": json.dumps(addresses, ensure_ascii=False) if addresses else "",
    }


def _of_one_kind(check: Check, request: pb.UpdateCustomerRequest, now: datetime) -> None:
    paths = request.update_mask.paths
    kinds = {path.partition(".")[0] for path in paths}.intersection(KINDS)
    if len(kinds) > 1 and any("." in path for path in paths):
        check.refuse("update_mask", "UNKNOWN_FIELD", "must be of a person or of an organization, not of both")


def _findable(check: Check, request: pb.ResolveCustomerRequest, now: datetime) -> None:
    kind = value_name(request.identifier, "type")
    if kind in INVALID_REASONS and not _handle(request).key:
        check.refuse("identifier.value", *INVALID_REASONS[kind])


def _searchable(check: Check, request: pb.SearchCustomersRequest, now: datetime) -> None:
    if request.query and len(request.query.strip()) < CHARACTERS_MIN:
        check.refuse("query", "TOO_SHORT", f"must have at least {CHARACTERS_MIN} characters")


def _handle(request: pb.ResolveCustomerRequest) -> Handle:
    return read_handle(request.identifier, request.new_customer.region_code)


class CustomerRpc(Rpc, CustomerServiceServicer):
    """Customers and their identifiers."""

    rules: ClassVar[Rules] = {
        **RULES,
        pb.UpdateCustomerRequest: _of_one_kind,
        pb.ResolveCustomerRequest: _findable,
        pb.SearchCustomersRequest: _searchable,
    }

    relationship_manager: str  # who new customers get, `agents/{agent}`
    time_zone: str  # in which they live of whom nobody knows it

    CreateIdentifier = change(pb.CreateIdentifierRequest, create_identifier, identifier_message)
    GetIdentifier = get(names.IDENTIFIER, store.IDENTIFIER, identifier_message)
    ListIdentifiers = listing(
        pb.ListIdentifiersResponse,
        store.LIST_IDENTIFIERS,
        identifier_message,
        parent=(names.CUSTOMER, store.CUSTOMER),
    )
    ExplainIdentifier = explain(names.IDENTIFIER, store.IDENTIFIER, identifier_message, why_identifier)
    UpdateIdentifier = change(pb.UpdateIdentifierRequest, identifiers.update_identifier, identifier_message)
    VerifyIdentifier = change(pb.VerifyIdentifierRequest, identifiers.verify_identifier, identifier_message)
    WithdrawIdentifierVerification = change(
        pb.WithdrawIdentifierVerificationRequest, identifiers.withdraw_verification, identifier_message
    )
    DeleteIdentifier = change(pb.DeleteIdentifierRequest, identifiers.delete_identifier, Empty)

    @mutation
    async def CreateCustomer(self, request: pb.CreateCustomerRequest, tx: Transaction) -> Customer:
        """Create a customer."""
        draft = read_draft(request.customer)
        held = await usecases.create_customer(tx, draft, self.relationship_manager, request.source)
        return shown(held, self.time_zone)

    @mutation
    async def UpdateCustomer(self, request: pb.UpdateCustomerRequest, tx: Transaction) -> Customer:
        """Change profile fields."""
        (customer_id,), etag = names.CUSTOMER.ids(request.customer.name), request.customer.etag
        update = read_changes(request)
        held = await usecases.update_customer(tx, customer_id, update, etag, request.source)
        return shown(held, self.time_zone)

    @mutation
    async def AssignRelationshipManager(
        self, request: pb.AssignRelationshipManagerRequest, tx: Transaction
    ) -> Customer:
        """Name the human who answers for the relationship."""
        (customer_id,), manager = names.CUSTOMER.ids(request.name), request.relationship_manager
        return shown(await usecases.assign_manager(tx, customer_id, manager, request.etag), self.time_zone)

    async def GetCustomer(self, request: pb.GetCustomerRequest, context: Any) -> Customer:
        """Get a customer."""
        return (await self._get(names.CUSTOMER.ids(request.name)))[0]

    async def BatchGetCustomers(
        self, request: pb.BatchGetCustomersRequest, context: Any
    ) -> pb.BatchGetCustomersResponse:
        """Get several customers."""
        ids = [names.CUSTOMER.ids(name)[0] for name in request.names]
        read = partial(self._get, missing_allowed=request.allow_missing)
        return pb.BatchGetCustomersResponse(customers=await gathered(ids, read))

    async def ListCustomers(self, request: pb.ListCustomersRequest, context: Any) -> pb.ListCustomersResponse:
        """List customers, oldest first."""
        customers, token = await store.LIST_CUSTOMERS.page_together(self.db, request, self._shown)
        return pb.ListCustomersResponse(customers=customers, next_page_token=token)

    async def SearchCustomers(
        self, request: pb.SearchCustomersRequest, context: Any
    ) -> pb.SearchCustomersResponse:
        """Find customers by whatever one has of them."""
        page = Page(request, int, UUID, default_size=20, size_max=100)
        found = await search_customers(self.db, request.query, self.db.clock.now())
        matches, token = await paged(page, found, key, self._matches)
        return pb.SearchCustomersResponse(matches=matches, next_page_token=token)

    async def ExplainCustomer(self, request: pb.ExplainCustomerRequest, context: Any) -> Explanation:
        """Explain a customer."""
        (customer,) = await self._get(names.CUSTOMER.ids(request.name))
        return await self.explainer.explain(request, customer)

    @mutation
    async def ResolveCustomer(
        self, request: pb.ResolveCustomerRequest, tx: Transaction
    ) -> pb.ResolveCustomerResponse:
        """Find the customer of a handle, or create them."""
        return (await self._resolve(tx, [_ask(request, "identifier")]))[0]

    @mutation
    async def BatchResolveCustomers(
        self, request: pb.BatchResolveCustomersRequest, tx: Transaction
    ) -> pb.BatchResolveCustomersResponse:
        """Find or create several customers."""
        asks = [
            _ask(each, f"requests[{i}].identifier") async for i, each in in_turns(enumerate(request.requests))
        ]
        found = await self._resolve(tx, asks, missing_allowed=request.allow_missing)
        return pb.BatchResolveCustomersResponse(responses=found)

    async def _get(self, ids: Sequence[UUID], *, missing_allowed: bool = False) -> list[Customer]:
        """The customers with these ids, in their order. NotFound when one is absent, or an empty one."""
        found = await store.NAMED_CUSTOMERS.all(self.db, ids=list(ids))
        messages = dict(zip((c.asked for c in found), await self._shown(found), strict=True))
        for customer_id in ids:
            if customer_id not in messages and not missing_allowed:
                raise NotFound(names.CUSTOMER.format(customer_id))
        return [messages.get(customer_id, Customer()) for customer_id in ids]

    async def _shown(self, customers: Sequence[domain.Customer]) -> list[Customer]:
        identifiers = await store.identifiers_of(self.db, [customer.id for customer in customers])
        return [shown(Held(each, identifiers[each.id]), self.time_zone) for each in customers]

    async def _matches(self, found: Sequence[Found]) -> list[pb.SearchCustomersResponse.Match]:
        customers = await self._get([each.customer_id for each in found])
        return [
            pb.SearchCustomersResponse.Match(customer=customer, identifier=each.identifier)
            for each, customer in zip(found, customers, strict=True)
        ]

    async def _resolve(
        self, tx: Transaction, asks: Sequence[Ask], *, missing_allowed: bool = False
    ) -> list[pb.ResolveCustomerResponse]:
        found = await resolve_customers(tx, asks, self.relationship_manager, missing_allowed=missing_allowed)
        return [
            pb.ResolveCustomerResponse(customer=names.CUSTOMER.format(each.customer_id), created=each.created)
            if each
            else pb.ResolveCustomerResponse()
            for each in found
        ]


def _ask(request: pb.ResolveCustomerRequest, field: str) -> Ask:
    create = read_draft(request.new_customer) if request.HasField("new_customer") else None
    return Ask(field, _handle(request), create)
