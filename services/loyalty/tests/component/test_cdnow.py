"""A real purchase history, imported in batches: exact totals, however often it is imported."""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from chassis.api.messages import money, timestamp
from chassis.db.statement import Statement
from loyalty.store.tables import CUSTOMER_VALUES
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import BatchRecordPurchasesRequest, RecordPurchaseRequest
from rapport_testing.batches import created, standing
from rapport_testing.running import Running

DATA = Path(__file__).parents[5] / "shared" / "data" / "purchases"
VALUES = Statement[Any](sa.select(CUSTOMER_VALUES))

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data/purchases is missing")


def rows(file: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / file, "rt", newline="") as lines:
        yield from csv.DictReader(lines)


def customer_id(number: str) -> UUID:
    return uuid5(UUID(int=0), number)


def at(date: str) -> Timestamp:
    return timestamp(datetime.fromisoformat(date).replace(tzinfo=UTC))


def amount(text: str) -> Money:
    return money(Decimal(text), "USD")


async def import_file(desk: Any, file: str) -> int:
    """Import a file in batches and return how many purchases were recorded now."""
    purchases = [
        Purchase(
            customer=f"customers/{customer_id(row['customer_id'])}",
            amount=amount(row["amount"]),
            purchase_time=at(row["date"]),
            quantity=int(row["qty"]),
        )
        for row in rows(file)
    ]
    recorded = 0
    for start in range(0, len(purchases), 1000):
        chosen = purchases[start : start + 1000]
        response = await desk.purchases.BatchRecordPurchases(
            BatchRecordPurchasesRequest(
                requests=[
                    RecordPurchaseRequest(purchase=purchase, import_key=f"{file}:{start + i}")
                    for i, purchase in enumerate(chosen)
                ],
                request_id=str(uuid4()),
            ),
            timeout=30,
        )
        assert len(standing(response)) == len(chosen)
        recorded += created(response)
    return recorded


async def test_importing_twice_gives_the_exact_totals_once(running: Running, desk: Any) -> None:
    assert await import_file(desk, "cdnow_sample.csv.gz") == 6919
    assert await import_file(desk, "cdnow_sample.csv.gz") == 0
    values = {row["customer_id"]: row for row in await VALUES.all(running.db)}
    assert len(values) == 2357
    assert sum(Decimal(row["totals"]["USD"]) for row in values.values()) == Decimal("244091.94")
    compared = 0
    for truth in rows("cdnow_truth_per_customer.csv.gz"):
        row = values.get(customer_id(truth["customer_id"]))
        if row is not None:
            compared += 1
            assert Decimal(row["totals"]["USD"]) == Decimal(truth["spend_cents"]) / 100
            assert row["purchase_count"] == int(truth["orders"])
            assert row["first_purchase_time"].date().isoformat() == truth["first"]
            assert row["last_purchase_time"].date().isoformat() == truth["last"]
    assert compared == 2357
