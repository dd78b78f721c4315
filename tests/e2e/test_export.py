"""What one installation exports, another imports, and exports the same."""

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.json_format import ParseDict

from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import UpdateConsentRequest
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import CreateCustomerRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import RecordPurchaseRequest
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_imports import own
from rapport_testing.infrastructure import in_memory
from rapport_tools.cli.session import Session
from tests.e2e.stack import Stack

pytestmark = pytest.mark.slow
# What an installation says of its own: its names, times and people.
OF_ITS_OWN = {*own.MARKS.values(), "relationship_manager", "prospect", "create_time", "update_time", "noter"}
OF_ITS_OWN -= {own.CUSTOMER}
CUSTOMERS: list[dict[str, Any]] = [
    {
        "display_name": '=HYPERLINK("x")',
        "person": {"given_name": "'Ndrangheta", "family_name": "-", "birth_date": {"month": 4, "day": 12}},
        "identifiers": [
            {"type": "TYPE_EMAIL", "value": "Ä.x@Example.com"},
            {"type": "TYPE_PHONE", "value": "+49 30 901820"},
            {"type": "TYPE_EXTERNAL_ID", "system": "shop", "value": "=1+1"},
            {"type": "TYPE_SOCIAL", "system": "mastodon", "value": "@me@x.example"},
            {"type": "TYPE_DEVICE", "value": "dev-1"},
        ],
        "addresses": [
            {
                "type": "TYPE_HOME",
                "primary": True,
                "postal_address": {"region_code": "DE", "locality": "Dresden", "address_lines": ['"Hof", 1']},
            },
            {"type": "TYPE_HOME", "postal_address": {"region_code": "AT", "locality": "Wien"}},
        ],
        "language_code": "de-AT",
        "time_zone": "Europe/Vienna",
    },
    {"display_name": "NULL", "person": {"given_name": "n/a", "birth_date": {"year": 1984}}},
    {
        "organization": {"legal_name": 'ACME "Ltd"'},
        "identifiers": [
            {"type": "TYPE_EMAIL", "value": "info@acme.example", "shared": True},
            {"type": "TYPE_ACCOUNT_NUMBER", "value": "0001"},
        ],
    },
    {
        "display_name": "1",
        "identifiers": [{"type": "TYPE_EMAIL", "value": "info@acme.example", "shared": True}],
    },
    {"identifiers": [{"type": "TYPE_EMAIL", "value": f"many{i}@x.example"} for i in range(45)]},
]


def euros(units: int, cents: int = 0) -> dict[str, Any]:
    return {"currency_code": "EUR", "units": units, "nanos": cents * 10_000_000}


PURCHASES: list[dict[str, Any]] = [
    {
        "amount": {"currency_code": "KWD", "units": 12, "nanos": 500_000_000},
        "purchase_time": "2026-01-02T10:00:00.123456Z",
        "quantity": 3,
        "reference": "=cmd|' /C calc'!A0",
    },
    *({"amount": euros(10), "purchase_time": "2026-01-02T10:00:00Z"} for _ in range(2)),
    {
        "amount": euros(30, 10),
        "refunded_amount": euros(5),
        "purchase_time": "2026-02-02T10:00:00Z",
        "quantity": 7,
        "reference": "guest",
        "store": "s-1",
        "lines": [
            {
                "product": "sku-1",
                "quantity": {"value": "0.742"},
                "amount": euros(20, 10),
                "discount_amount": euros(1, 1),
                "tax_amount": euros(3, 21),
            },
            {"product": "sku-2", "quantity": {"value": "2"}, "amount": euros(10)},
        ],
    },
    {"amount": euros(-3, -33), "purchase_time": "2026-02-04T10:00:00Z"},
]


@pytest.fixture
def new(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], AbstractContextManager[Stack]]:
    """An installation that nobody else's test has customers in, as long as it is needed."""

    @contextmanager
    def installation() -> Iterator[Stack]:
        with in_memory(tmp_path_factory.mktemp("installation")) as folder:
            running = Stack(folder)
            with running.up(ends_at_once=True):
                yield running

    return installation


def fill() -> None:
    """Customers of every kind, what one of them bought and allows."""
    session = Session.open()
    customers, consents = (
        session.stub(CustomerServiceStub, "customer"),
        session.stub(ConsentServiceStub, "customer"),
    )
    made = [
        customers.CreateCustomer(
            CreateCustomerRequest(customer=ParseDict(each, Customer()), request_id=str(uuid4()))
        )
        for each in CUSTOMERS
    ]
    purchases = session.stub(PurchaseServiceStub, "loyalty")
    for each in PURCHASES:
        bought = ParseDict(each | {"customer": made[0].name}, Purchase())
        purchases.RecordPurchase(RecordPurchaseRequest(purchase=bought, request_id=str(uuid4())))
    for channel, state in (("email", "STATE_GRANTED"), ("field-visit", "STATE_DENIED")):
        said = {
            "name": f"{made[0].name}/consents/marketing.{channel}",
            "state": state,
            "source": "web-form",
            "proof": "forms/1",
            "wording_version": "2026-01",
            "effective_time": "2026-01-01T00:00:00.5Z",
        }
        consents.UpdateConsent(
            UpdateConsentRequest(
                consent=ParseDict(said, Consent()), allow_missing=True, request_id=str(uuid4())
            )
        )


def exported(stack: Stack, folder: Path) -> dict[str, list[dict[str, str]]]:
    """What an installation exports, but for what is of its own, in no order."""
    folder.mkdir()
    found = {}
    for kind in sorted(own.IMPORTED):
        stack.json("export", kind, "-o", str(folder / f"{kind}.csv"))
        with (folder / f"{kind}.csv").open(encoding="utf-8-sig") as rows:
            kept = [{k: v for k, v in row.items() if k not in OF_ITS_OWN} for row in csv.DictReader(rows)]
        found[kind] = sorted(kept, key=repr)
    return found


def test_an_export_imported_into_an_empty_installation_is_exported_the_same(
    new: Callable[[], AbstractContextManager[Stack]], tmp_path: Path
) -> None:
    with new() as first:
        fill()
        ours = exported(first, tmp_path / "ours")
        assert {kind: len(rows) for kind, rows in ours.items()} == {
            "customers": 7,
            "purchases": 6,
            "consents": 2,
        }
        for kind in ("xlsx", "jsonl"):
            first.json("export", "customers", "-o", str(tmp_path / "ours" / f"customers.{kind}"))
        again = [first.json("import", each, str(tmp_path / "ours" / f"{each}.csv")) for each in ours]
        assert [(each["created"], each["corrected"], each["renamed"], each["refused"]) for each in again] == [
            (0, 0, 0, 0)
        ] * len(ours)
    with new() as second:
        for kind in ("customers.xlsx", "purchases.csv", "consents.csv"):
            result = second.json("import", kind.partition(".")[0], str(tmp_path / "ours" / kind))
            assert (result["system"], result["refused"]) == ("rapport", 0)
        result = second.json("import", "customers", str(tmp_path / "ours" / "customers.jsonl"))
        assert (result["created"], result["renamed"]) == (0, 0)
        assert exported(second, tmp_path / "theirs") == ours
