"""RelationshipService."""

from typing import Any

from google.protobuf.empty_pb2 import Empty

from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get
from chassis.servicer import Rpc
from customer.names import CUSTOMER, RELATIONSHIP
from customer.store import relationships as store
from customer.store import tables
from customer.usecases import relationships as usecases
from rapport.customer.v1 import relationship_service_pb2 as pb
from rapport.customer.v1.relationship_pb2 import Relationship
from rapport.customer.v1.relationship_service_pb2_grpc import RelationshipServiceServicer


class RelationshipRpc(Rpc, RelationshipServiceServicer):
    """What customers are to each other."""

    CreateRelationship = change(pb.CreateRelationshipRequest, usecases.create_relationship, Relationship)
    GetRelationship = get(RELATIONSHIP, store.RELATIONSHIP, Relationship)
    UpdateRelationship = change(pb.UpdateRelationshipRequest, usecases.update_relationship, Relationship)
    DeleteRelationship = change(pb.DeleteRelationshipRequest, usecases.delete_relationship, Empty)
    ExplainRelationship = explain(RELATIONSHIP, store.RELATIONSHIP, Relationship)

    async def ListRelationships(
        self, request: pb.ListRelationshipsRequest, context: Any
    ) -> pb.ListRelationshipsResponse:
        """List the relationships of a customer, whichever of the two they are."""
        (customer_id,) = CUSTOMER.ids(request.customer)
        relationships, token = await store.LIST_RELATIONSHIPS.page(
            self.db, request, lambda each: to_message(Relationship, each), customer_id=customer_id
        )
        if not relationships:
            await found(self.db, CUSTOMER, tables.CUSTOMER, customer_id)
        return pb.ListRelationshipsResponse(relationships=relationships, next_page_token=token)
