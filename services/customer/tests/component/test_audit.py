"""Every reading of a customer's data is in the audit: who, why, about whom."""

from typing import Any

import grpc
import pytest
import sqlalchemy as sa

from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from rapport.customer.v1.consent_service_pb2 import ListConsentsRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import (
    CreateCustomerRequest,
    CreateIdentifierRequest,
    GetCustomerRequest,
    ListCustomersRequest,
    ResolveCustomerRequest,
)
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest, WatchCustomerViewRequest
from rapport_testing.wait import eventually

_READINGS = Statement[Any](
    sa.select(AUDIT.c.what, AUDIT.c.resources, AUDIT.c.purpose, AUDIT.c.actor).where(
        AUDIT.c.request_id == "",
        sa.not_(AUDIT.c.what.like("%CreateCustomer")),
        AUDIT.c.what.like("rapport.%"),
    )
)


async def test_who_reads_about_whom_and_what_for_is_in_the_audit(desk: Any) -> None:
    email = Identifier(type=Identifier.TYPE_EMAIL, value="anna@example.com")
    anna = await desk.create(email, display_name="Anna")
    why = (("access-purpose", "complaint"),)
    await desk.customers.GetCustomer(GetCustomerRequest(name=anna.name), metadata=why)
    await desk.customers.ListCustomers(ListCustomersRequest(), metadata=why)
    await desk.views.GetCustomerView(GetCustomerViewRequest(name=f"{anna.name}/view"), metadata=why)
    watch = desk.views.WatchCustomerView(
        WatchCustomerViewRequest(name=f"{anna.name}/view"), metadata=why, timeout=60
    )
    await watch.read()
    watch.cancel()
    await desk.consents.ListConsents(ListConsentsRequest(parent=anna.name), metadata=why)
    await desk.customers.ResolveCustomer(ResolveCustomerRequest(identifier=email), metadata=why)
    expected = {
        ("rapport.customer.v1.CustomerService/GetCustomer", anna.name),
        ("rapport.customer.v1.CustomerService/ListCustomers", anna.name),
        ("rapport.customer.v1.ViewService/GetCustomerView", f"{anna.name}/view"),
        ("rapport.customer.v1.ViewService/WatchCustomerView", f"{anna.name}/view"),
        ("rapport.customer.v1.ConsentService/ListConsents", anna.name),
        ("rapport.customer.v1.CustomerService/ResolveCustomer", anna.name),
    }

    async def all_there() -> bool:
        rows = await _READINGS.all(desk.running.db)
        assert {(row["what"], row["resources"]) for row in rows} == expected
        assert {(row["actor"], row["purpose"]) for row in rows} == {("agent:alice", "complaint")}
        return True

    await eventually(all_there)


_REFUSALS = Statement[Any](
    sa.select(AUDIT.c.what, AUDIT.c.resources, AUDIT.c.purpose, AUDIT.c.actor, AUDIT.c.refused).where(
        AUDIT.c.refused != ""
    )
)


async def test_whoever_is_refused_because_somebody_has_the_handle_has_read_who(desk: Any) -> None:
    email = Identifier(type=Identifier.TYPE_EMAIL, value="anna@example.com")
    anna, bert = await desk.create(email), await desk.create()
    other = Identifier(type=Identifier.TYPE_EMAIL, value="new@example.com")
    taking = Customer(identifiers=[email])
    why = (("access-purpose", "curiosity"),)
    for call in (
        desk.customers.CreateCustomer(CreateCustomerRequest(customer=taking), metadata=why),
        desk.customers.CreateIdentifier(
            CreateIdentifierRequest(parent=bert.name, identifier=email), metadata=why
        ),
        desk.customers.ResolveCustomer(
            ResolveCustomerRequest(identifier=other, new_customer=taking), metadata=why
        ),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match=anna.name):
            await call
    told = (anna.name, "curiosity", "agent:alice", "IDENTIFIER_TAKEN")
    service = "rapport.customer.v1.CustomerService"
    expected = {
        (f"{service}/{rpc}", *told) for rpc in ("CreateCustomer", "CreateIdentifier", "ResolveCustomer")
    }

    async def all_there() -> bool:
        assert {tuple(row.values()) for row in await _REFUSALS.all(desk.running.db)} == expected
        return True

    await eventually(all_there)
