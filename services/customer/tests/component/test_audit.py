"""Every reading of a customer's data is in the audit: who, why, about whom."""

from typing import Any

import sqlalchemy as sa

from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from chassis.testing.wait import eventually
from rapport.customer.v1.consent_service_pb2 import GetConsentsRequest
from rapport.customer.v1.customer_pb2 import Identifier
from rapport.customer.v1.customer_service_pb2 import (
    GetCustomerRequest,
    ListCustomersRequest,
    ResolveCustomerRequest,
)
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest, WatchCustomerViewRequest

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
    why = (("purpose", "complaint"),)
    await desk.customers.GetCustomer(GetCustomerRequest(name=anna.name), metadata=why)
    await desk.customers.ListCustomers(ListCustomersRequest(), metadata=why)
    await desk.views.GetCustomerView(GetCustomerViewRequest(name=f"{anna.name}/view"), metadata=why)
    watch = desk.views.WatchCustomerView(
        WatchCustomerViewRequest(name=f"{anna.name}/view"), metadata=why, timeout=60
    )
    await watch.read()
    watch.cancel()
    await desk.consents.GetConsents(GetConsentsRequest(customer=anna.name), metadata=why)
    await desk.customers.ResolveCustomer(ResolveCustomerRequest(identifier=email), metadata=why)
    expected = {
        ("rapport.customer.v1.CustomerService/GetCustomer", anna.name),
        ("rapport.customer.v1.CustomerService/ListCustomers", anna.name),
        ("rapport.customer.v1.ViewService/GetCustomerView", f"{anna.name}/view"),
        ("rapport.customer.v1.ViewService/WatchCustomerView", f"{anna.name}/view"),
        ("rapport.customer.v1.ConsentService/GetConsents", anna.name),
        ("rapport.customer.v1.CustomerService/ResolveCustomer", anna.name),
    }

    async def all_there() -> bool:
        rows = await _READINGS.all(desk.running.db)
        assert {(row["what"], row["resources"]) for row in rows} == expected
        assert {(row["actor"], row["purpose"]) for row in rows} == {("agent:alice", "complaint")}
        return True

    await eventually(all_there)
