"""Every version of PostgreSQL that we promise, where this machine has it: migrated, served, written, read."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chassis.db.maintain import keep
from deploy.services import SERVICES
from rapport.customer.v1 import customer_service_pb2, customer_service_pb2_grpc
from rapport.customer.v1.customer_pb2 import Customer
from rapport_testing.infrastructure import FAST, Infrastructure

OLDER = ("15", "16", "17")  # the wheel's own, the newest, is what all other tests run on


@pytest.fixture(scope="module", params=OLDER)
def infrastructure(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Infrastructure]:
    """Servers as in other tests, with the PostgreSQL that Debian's packages put there."""
    binaries = Path(f"/usr/lib/postgresql/{request.param}/bin")
    if not (binaries / "initdb").exists():
        pytest.skip(f"PostgreSQL {request.param} is not installed: no {binaries}")
    servers = Infrastructure(tmp_path_factory.mktemp("older"), FAST, binaries)
    servers.start()
    yield servers
    servers.stop()


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_is_migrated_and_serves_on_an_older_postgresql(start: Any, name: str) -> None:
    running = await start(import_module(f"{name}.service").service, smtp_host="127.0.0.1")
    assert running.lifecycle.problems == []
    assert await running.db.problem() == ""
    await keep(running.db)


async def test_a_customer_is_written_and_read_on_an_older_postgresql(start: Any) -> None:
    running = await start(import_module("customer.service").service)
    stub: Any = running.stub(customer_service_pb2_grpc.CustomerServiceStub)
    request = customer_service_pb2.CreateCustomerRequest(customer=Customer(display_name="Änne Жук"))
    made = await stub.CreateCustomer(request)
    found = await stub.GetCustomer(customer_service_pb2.GetCustomerRequest(name=made.name))
    assert found == made
    request = customer_service_pb2.SearchCustomersRequest(query="ЖУК ÄN")
    assert [match.customer for match in (await stub.SearchCustomers(request)).matches] == [made]
    assert [fact.resource for fact in await running.published()] == [made.name]
