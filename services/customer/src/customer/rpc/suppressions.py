"""SuppressionService."""

from typing import Any, ClassVar

from chassis.api.actors import actor_name
from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import enum_name, to_message
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get
from chassis.servicer import Rpc
from customer.domain.suppressions import ADDRESSES, AddressKey, Suppression
from customer.names import CUSTOMER, IDENTIFIER, SUPPRESSION
from customer.store import suppressions as store
from customer.store import tables
from customer.usecases import suppressions as usecases
from rapport.customer.v1 import suppression_pb2
from rapport.customer.v1 import suppression_service_pb2 as pb
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceServicer


def _address(check: Check, sent: suppression_pb2.Suppression, now: Any) -> None:
    if sent.type and enum_name(Identifier.Type.DESCRIPTOR, sent.type) not in ADDRESSES:
        check.refuse("type", "INVALID_ENUM", "must be TYPE_EMAIL or TYPE_PHONE")
    if not sent.address and not sent.identifier:
        check.refuse("address", "REQUIRED", "must be given, or identifier")


def _shown(suppression: Suppression, **more: str) -> suppression_pb2.Suppression:
    who = {"noter": actor_name(suppression.actor, "customer")}
    if suppression.release_actor:
        who["releaser"] = actor_name(suppression.release_actor, "customer")
    return to_message(suppression_pb2.Suppression, suppression, **who, **more)


class SuppressionRpc(Rpc, SuppressionServiceServicer):
    """Addresses to which nothing is sent."""

    addresses: AddressKey
    rules: ClassVar[Rules] = {suppression_pb2.Suppression: _address}

    CreateSuppression = change(pb.CreateSuppressionRequest, usecases.create_suppression, _shown)
    GetSuppression = get(SUPPRESSION, store.SUPPRESSION, _shown)
    ReleaseSuppression = change(pb.ReleaseSuppressionRequest, usecases.release_suppression, _shown)
    ExplainSuppression = explain(SUPPRESSION, store.SUPPRESSION, _shown)

    async def ListSuppressions(
        self, request: pb.ListSuppressionsRequest, context: Any
    ) -> pb.ListSuppressionsResponse:
        """List suppressions, newest first; of one customer's addresses, each with which it is."""
        whose: dict[str, str] = {}
        listing, of = store.LIST_SUPPRESSIONS, dict[str, Any]()
        if request.customer:
            (customer_id,) = CUSTOMER.ids(request.customer)
            await found(self.db, CUSTOMER, tables.CUSTOMER, customer_id)
            identifiers = (await tables.identifiers_of(self.db, [customer_id]))[customer_id]
            hashes = self.addresses.hashes_of(identifiers)
            names = {each.id: IDENTIFIER.format(each.customer_id, each.id) for each in identifiers}
            whose = {hashed: names[each] for each, hashed in hashes.items()}
            listing, of = store.LIST_SUPPRESSIONS_OF, {"hashes": [*whose]}
        page, token = await listing.page(
            self.db, request, lambda each: _shown(each, identifier=whose.get(each.address_hash, "")), **of
        )
        return pb.ListSuppressionsResponse(suppressions=page, next_page_token=token)
