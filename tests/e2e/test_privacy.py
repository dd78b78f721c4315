"""Personal data stays where it belongs: with the customer service, and in the mail that the customer gets.

A customer with conspicuous personal data goes through the story, and through refused requests. Afterwards
everything that the platform wrote is searched for it.
"""

import asyncio
import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pytest

from rapport.cases.v1 import case_pb2, case_service_pb2
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import (
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    timeline_pb2,
    timeline_service_pb2,
)
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport_imports.customers import external_id
from rapport_testing.spans import record_spans
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome
from rapport_tools.local.mail import Mailbox
from tests.e2e.outcome import mails_about, run_story
from tests.e2e.stack import Stack

# Where the customer service keeps who a customer is; `idempotency` holds what the caller got, for seven days.
HOME = {
    "attachments",
    "attachment_contents",
    "customers",
    "identifiers",
    "observations",
    "timeline",
    "views",
    "idempotency",
    "import_effects",
    "import_previews",
    "import_rows",
    "search_words",
}
ELSEWHERE = ["cases", "loyalty", "notifications", "traces"]
EVERYTHING = (
    "SELECT format('%I', relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


@dataclass(frozen=True)
class Canary:
    """Personal data that occurs nowhere else."""

    email: str
    phone: str
    given_name: str
    family_name: str
    key: str
    words: str

    def in_text(self, text: str) -> list[str]:
        """Which of it a text holds, as it is or as the hexadecimal digits that PostgreSQL shows bytes in."""
        lower = text.lower()
        values = [*vars(self).values(), self.phone.removeprefix("+49")]
        return [value for value in values if value.lower() in lower or value.encode().hex() in lower]


@pytest.fixture(scope="module")
def canary() -> Canary:
    """The data of one person."""
    mark = uuid4().hex[:10]
    return Canary(
        email=f"canary.{mark}@example.com",
        phone=f"+49151{random.randrange(10_000_000, 99_999_999)}",
        given_name=f"Kanaria{mark}",
        family_name=f"Zwitscher{mark}",
        key=f"canary-{mark}",
        words=f"wants to be called at the bakery {mark}",
    )


@pytest.fixture(scope="module")
def told(stack: Stack, canary: Canary) -> Outcome:
    """The story about that person, and a note that somebody took."""
    stack.json("demo")
    session = Session.open()
    customers = session.stub(CustomerServiceStub, "customer")
    customer = customers.CreateCustomer(create(canary))
    with record_spans():  # so that services record theirs
        outcome = run_story(customer.name)
    session.stub(TimelineServiceStub, "customer").RecordInteraction(
        timeline_service_pb2.RecordInteractionRequest(
            parent=outcome.customer,
            timeline_entry=timeline_pb2.TimelineEntry(
                channel=channel_pb2.CHANNEL_VOICE,
                direction=channel_pb2.DIRECTION_INBOUND,
                topic="delivery",
                summary=canary.words,
            ),
            request_id=str(uuid4()),
        )
    )
    return outcome


def create(canary: Canary, **identifiers: str) -> customer_service_pb2.CreateCustomerRequest:
    """The request that makes the customer."""
    handles = identifiers or {"TYPE_EMAIL": canary.email, "TYPE_PHONE": canary.phone}
    return customer_service_pb2.CreateCustomerRequest(
        customer=customer_pb2.Customer(
            person=customer_pb2.Person(given_name=canary.given_name, family_name=canary.family_name),
            display_name=f"{canary.given_name} {canary.family_name}",
            identifiers=[
                *([] if identifiers else [external_id("demo", canary.key)]),
                *(
                    identifier_pb2.Identifier(type=identifier_pb2.Identifier.Type.Value(kind), value=value)
                    for kind, value in handles.items()
                ),
            ],
        ),
        request_id=str(uuid4()),
    )


def refused_calls(canary: Canary) -> list[tuple[Any, Any]]:
    """Calls that repeat personal data where it is wrong."""
    session = Session.open()
    customers = session.stub(CustomerServiceStub, "customer")
    cases = session.stub(CaseServiceStub, "cases")
    resolve, get, listing = customers.ResolveCustomer, customers.GetCustomer, customers.ListCustomers
    phone = identifier_pb2.Identifier(type=identifier_pb2.Identifier.TYPE_PHONE, value=canary.family_name)
    customer = customer_pb2.Customer(name=f"customers/{uuid4()}")
    return [
        (customers.CreateCustomer, create(canary)),
        (customers.CreateCustomer, create(canary, TYPE_UNSPECIFIED=canary.email)),
        (resolve, customer_service_pb2.ResolveCustomerRequest(identifier=phone)),
        (get, customer_service_pb2.GetCustomerRequest(name=f"customers/{canary.email}")),
        (listing, customer_service_pb2.ListCustomersRequest(filter=f'email = "{canary.email}"')),
        (listing, customer_service_pb2.ListCustomersRequest(filter=f"{canary.email}")),
        (listing, customer_service_pb2.ListCustomersRequest(page_token=canary.email)),
        (
            customers.UpdateCustomer,
            customer_service_pb2.UpdateCustomerRequest(
                customer=customer,
                update_mask={"paths": [canary.email]},  # type: ignore[arg-type]
            ),
        ),
        (
            cases.OpenCase,
            case_service_pb2.OpenCaseRequest(
                case=case_pb2.Case(
                    customer=f"customers/{canary.email}", topic=canary.email, owner=canary.key
                ),
                request_id=canary.email,
            ),
        ),
        (cases.GetCase, case_service_pb2.GetCaseRequest(name=canary.email)),
    ]


def test_the_search_finds_what_is_there(stack: Stack, canary: Canary, told: Outcome) -> None:
    mail = mails_about(Session.open(), told.notices[0])[0]
    message = Mailbox(stack.home.path / "mail").message(mail.id)
    assert canary.email in str(message["To"])
    found = asyncio.run(tables_with(canary, "customer"))
    assert {"customers", "identifiers", "timeline", "idempotency"} <= set(found)
    assert set(found) <= HOME


def test_no_refusal_repeats_personal_data(stack: Stack, canary: Canary, told: Outcome) -> None:
    for call, request in refused_calls(canary):
        with pytest.raises(grpc.RpcError) as raised:
            call(request)
        error: Any = raised.value
        assert error.code() is not grpc.StatusCode.INTERNAL
        told_back = " ".join([str(error.details()), *map(str, error.trailing_metadata() or ())])
        assert canary.in_text(told_back) == [], request


def test_concurrent_claims_of_one_handle_leave_no_trace_of_it(stack: Stack, canary: Canary) -> None:
    customers = Session.open().stub(CustomerServiceStub, "customer")
    email = f"race.{canary.email}"

    def claim(_: int) -> bool:
        try:
            customers.CreateCustomer(create(canary, TYPE_EMAIL=email))
        except grpc.RpcError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(claim, range(24))) == 1


@pytest.mark.parametrize("database", ELSEWHERE)
def test_no_other_database_holds_personal_data(
    stack: Stack, canary: Canary, told: Outcome, database: str
) -> None:
    if database == "traces":
        asyncio.run(eventually(lambda: traced(told.trace_id), 30))
    assert asyncio.run(tables_with(canary, database)) == {}


@pytest.mark.parametrize("folder", ["logs", "nats"])
def test_neither_logs_nor_streams_hold_personal_data(
    stack: Stack, canary: Canary, told: Outcome, folder: str
) -> None:
    files = [path for path in (stack.home.path / folder).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 1_000
    assert {str(path): found for path in files if (found := in_file(canary, path))} == {}


def in_file(canary: Canary, path: Path) -> list[str]:
    """What of the personal data a file holds, with the line."""
    lines = path.read_bytes().decode(errors="replace").splitlines()
    return [line[:400] for line in lines if canary.in_text(line)]


async def tables_with(canary: Canary, database: str) -> dict[str, list[str]]:
    """The tables that hold personal data, partitions by their parent's name, and which data."""
    connection = await asyncpg.connect(database_url(database))
    try:
        found: dict[str, list[str]] = {}
        for (table,) in await connection.fetch(EVERYTHING):
            rows = await connection.fetch(f"SELECT t::text AS row FROM {table} t")
            values = set(itertools.chain.from_iterable(canary.in_text(row["row"]) for row in rows))
            if values:
                found[table] = sorted(values)
        return found
    finally:
        await connection.close()


async def traced(trace_id: str) -> bool:
    """Whether the trace of the story arrived up to the hand-over of the mail."""
    connection = await asyncpg.connect(database_url("traces"))
    try:
        names = await connection.fetch("SELECT name FROM spans WHERE trace_id = $1", trace_id)
        return any("smtp" in row["name"].lower() for row in names)
    finally:
        await connection.close()


def database_url(database: str) -> str:
    """The connection to a database of the stack, of whoever may read all of it."""
    server = Session.open().env["RAPPORT_LOCAL_POSTGRES_URL"]
    return f"{server.rpartition('/')[0]}/{database}"
