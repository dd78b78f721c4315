from uuid import uuid4

import grpc
import pytest
from acme.parcels.v1 import parcels_pb2, parcels_pb2_grpc
from parcels.service import KNOWN, service

from rapport.customer.v1.customer_events_pb2 import CustomerCreated
from rapport_testing.wait import eventually

CUSTOMER = "customers/0190a0e6-5a3e-7b4c-8d2f-1a2b3c4d5e6f"


@pytest.fixture
async def parcels(start):
    return await start(service, depot="north")


async def test_a_parcel_that_arrives_is_told(parcels):
    stub = parcels.stub(parcels_pb2_grpc.ParcelServiceStub)
    request = parcels_pb2.DeliverRequest(customer=CUSTOMER, place="door", request_id=str(uuid4()))
    made = await stub.Deliver(request)
    assert await stub.Deliver(request) == made
    assert await stub.GetParcel(parcels_pb2.GetParcelRequest(name=made.name)) == made
    [fact] = await parcels.published()
    assert (fact.type, fact.resource, fact.data.place) == (
        "acme.parcels.v1.ParcelDelivered",
        made.name,
        "door",
    )
    stranger = parcels.stub(parcels_pb2_grpc.ParcelServiceStub, permissions=[])
    with pytest.raises(grpc.aio.AioRpcError, match="PERMISSION_DENIED"):
        await stranger.Deliver(request)


async def test_a_customer_of_another_department_is_heard_of(parcels):
    event = CustomerCreated(customer=CUSTOMER)
    await parcels.deliver(event, resource=CUSTOMER, source="customer")

    async def known():
        return [row["name"] for row in await KNOWN.all(parcels.db)]

    assert await eventually(known) == [CUSTOMER]
