"""CustomerService."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis.api.batches import gathered
from chassis.api.etags import etag
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.explain.explainer import Explainer
from chassis.grpc.methods import get, listing
from chassis.grpc.mutation import mutation
from customer.domain.customers import Customer
from customer.domain.names import customer_name
from customer.rpc import names
from customer.rpc.drafts import read_changes, read_draft, read_handle, read_known_handle, shown
from customer.store.customers import CUSTOMER, CUSTOMERS_BY_ID, LIST_CUSTOMERS
from customer.store.identifiers import IDENTIFIER, IDENTIFIERS_OF, LIST_IDENTIFIERS
from customer.usecases.customers import Held, assign_manager, create_customer, update_customer
from customer.usecases.identifiers import create_identifier, delete_identifier
from customer.usecases.resolve import Ask, resolve_customers
from rapport.common.v1 import explanation_pb2
from rapport.customer.v1 import customer_pb2, customer_service_pb2, customer_service_pb2_grpc
from rapport.customer.v1.identifier_pb2 import Identifier


class CustomerRpc(customer_service_pb2_grpc.CustomerServiceServicer):
    """Customers and their identifiers.

    Args:
        db: the service's database.
        relationship_manager: who new customers get, `agents/{agent}`.
        explainer: explains customers.

    """

    rules = None  # what checks a profile judges the rows of imports too, and its masks name nested fields

    def __init__(self, db: Database, relationship_manager: str, explainer: Explainer) -> None:
        self.db = db
        self.explainer = explainer
        self._relationship_manager = relationship_manager

    GetIdentifier = get(names.IDENTIFIER, IDENTIFIER, Identifier)
    ListIdentifiers = listing(
        customer_service_pb2.ListIdentifiersResponse, LIST_IDENTIFIERS, parent=(names.CUSTOMER, CUSTOMER)
    )

    @mutation
    async def CreateCustomer(
        self, request: customer_service_pb2.CreateCustomerRequest, tx: Transaction
    ) -> customer_pb2.Customer:
        """Create a customer."""
        check = Check()
        if not request.HasField("customer"):
            check.refuse("customer", "REQUIRED", "must be given")
        draft = read_draft(check.at("customer"), request.customer)
        check.raise_if_any()
        return _message(await create_customer(tx, draft, self._relationship_manager))

    async def GetCustomer(
        self, request: customer_service_pb2.GetCustomerRequest, context: Any
    ) -> customer_pb2.Customer:
        """Get a customer."""
        return (await self._get([names.CUSTOMER.parse(request.name)[0]]))[0]

    async def ExplainCustomer(
        self, request: customer_service_pb2.ExplainCustomerRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Explain a customer."""
        (customer,) = await self._get([names.CUSTOMER.parse(request.name)[0]])
        return await self.explainer.explain(request, customer)

    async def BatchGetCustomers(
        self, request: customer_service_pb2.BatchGetCustomersRequest, context: Any
    ) -> customer_service_pb2.BatchGetCustomersResponse:
        """Get several customers."""
        check = Check()
        asked = check.batch(request.names, "names")
        ids = [check.name(names.CUSTOMER, name, f"names[{i}]")[0] for i, name in enumerate(asked)]
        check.raise_if_any()
        return customer_service_pb2.BatchGetCustomersResponse(customers=await gathered(ids, self._get))

    @mutation
    async def UpdateCustomer(
        self, request: customer_service_pb2.UpdateCustomerRequest, tx: Transaction
    ) -> customer_pb2.Customer:
        """Change profile fields."""
        check = Check()
        (customer_id,) = check.name(names.CUSTOMER, request.customer.name, "customer.name")
        changes = read_changes(check.at("customer"), request.customer, request.update_mask)
        check.raise_if_any()
        return _message(await update_customer(tx, customer_id, *changes, request.customer.etag))

    async def ListCustomers(
        self, request: customer_service_pb2.ListCustomersRequest, context: Any
    ) -> customer_service_pb2.ListCustomersResponse:
        """List customers, oldest first."""
        customers, token = await LIST_CUSTOMERS.page_together(self.db, request, self._shown)
        return customer_service_pb2.ListCustomersResponse(customers=customers, next_page_token=token)

    @mutation
    async def ResolveCustomer(
        self, request: customer_service_pb2.ResolveCustomerRequest, tx: Transaction
    ) -> customer_service_pb2.ResolveCustomerResponse:
        """Find the customer of a handle, or create them."""
        check = Check()
        ask = _ask(check, request, "identifier")
        check.raise_if_any()
        return (await self._resolve(tx, [ask]))[0]

    @mutation
    async def BatchResolveCustomers(
        self, request: customer_service_pb2.BatchResolveCustomersRequest, tx: Transaction
    ) -> customer_service_pb2.BatchResolveCustomersResponse:
        """Find or create several customers."""
        check = Check()
        asks = [
            _ask(check.at(f"requests[{i}]"), each, f"requests[{i}].identifier")
            for i, each in enumerate(check.batch(request.requests, "requests"))
        ]
        check.raise_if_any()
        return customer_service_pb2.BatchResolveCustomersResponse(
            responses=await self._resolve(tx, asks, missing_allowed=request.allow_missing)
        )

    @mutation
    async def CreateIdentifier(
        self, request: customer_service_pb2.CreateIdentifierRequest, tx: Transaction
    ) -> Identifier:
        """Give a customer a handle."""
        check = Check()
        (customer_id,) = check.name(names.CUSTOMER, request.parent, "parent")
        handle = read_handle(check.at("identifier"), request.identifier, "")
        check.raise_if_any()
        return to_message(Identifier, await create_identifier(tx, customer_id, handle))

    @mutation
    async def DeleteIdentifier(
        self, request: customer_service_pb2.DeleteIdentifierRequest, tx: Transaction
    ) -> Empty:
        """Take a handle from a customer."""
        await delete_identifier(tx, *names.IDENTIFIER.parse(request.name))
        return Empty()

    @mutation
    async def AssignRelationshipManager(
        self, request: customer_service_pb2.AssignRelationshipManagerRequest, tx: Transaction
    ) -> customer_pb2.Customer:
        """Name who answers for the relationship."""
        check = Check()
        (customer_id,) = check.name(names.CUSTOMER, request.name, "name")
        check.name(names.AGENT, request.relationship_manager, "relationship_manager")
        check.raise_if_any()
        return _message(await assign_manager(tx, customer_id, request.relationship_manager, request.etag))

    async def _get(self, ids: Sequence[UUID]) -> list[customer_pb2.Customer]:
        """The customers with these ids, in their order. NotFound when one is absent."""
        found = await CUSTOMERS_BY_ID.all(self.db, ids=list(ids))
        messages = dict(zip((c.id for c in found), await self._shown(found), strict=True))
        for customer_id in ids:
            if customer_id not in messages:
                raise NotFound(customer_name(customer_id))
        return [messages[customer_id] for customer_id in ids]

    async def _shown(self, customers: Sequence[Customer]) -> list[customer_pb2.Customer]:
        held = {customer.id: Held(customer, []) for customer in customers}
        for identifier in await IDENTIFIERS_OF.all(self.db, customer_ids=list(held)) if held else ():
            held[identifier.customer_id].identifiers.append(identifier)
        return [_message(each) for each in held.values()]

    async def _resolve(
        self, tx: Transaction, asks: Sequence[Ask], *, missing_allowed: bool = False
    ) -> list[customer_service_pb2.ResolveCustomerResponse]:
        found = await resolve_customers(tx, asks, self._relationship_manager, missing_allowed=missing_allowed)
        return [
            customer_service_pb2.ResolveCustomerResponse(
                customer=customer_name(resolved.customer_id), created=resolved.created
            )
            if resolved
            else customer_service_pb2.ResolveCustomerResponse()
            for resolved in found
        ]


def _ask(check: Check, request: customer_service_pb2.ResolveCustomerRequest, field: str) -> Ask:
    handle = read_known_handle(check.at("identifier"), request.identifier, request.new_customer.region_code)
    is_new = request.HasField("new_customer")
    new = read_draft(check.at("new_customer"), request.new_customer) if is_new else None
    return Ask(field, handle, new)


def _message(held: Held) -> customer_pb2.Customer:
    customer = held.customer
    return shown(
        customer,
        display_name=customer.shown_name,
        identifiers=[to_message(Identifier, identifier) for identifier in held.identifiers],
        etag=etag(customer.version),
    )
