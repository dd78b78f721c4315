"""A grocer's baskets: what each household earns is what anybody counts with a pencil."""

import csv
import io
import random
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import uuid4

from google.type.decimal_pb2 import Decimal as Number

from chassis.api.messages import money
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import BatchRecordPurchasesRequest, RecordPurchaseRequest

from .earning import held, in_force
from .test_purchase_lines import AT

HOUSEHOLDS = {number: f"customers/{uuid4()}" for number in range(1, 13)}


def baskets(seed: int = 7) -> str:
    """A file as a grocer exports it: a row for each product of a basket."""
    chance, file = random.Random(seed), io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["household_id", "basket_id", "product_id", "quantity", "sales_value"])
    for basket in range(200):
        household = chance.choice(list(HOUSEHOLDS))
        for _ in range(chance.randint(1, 9)):
            cents = chance.choice([0, 50, 150, 250, chance.randint(1, 2999)])
            rows.writerow(
                [household, basket, chance.randint(1, 90), chance.randint(1, 4), f"{cents / 100:.2f}"]
            )
    return file.getvalue()


def counted(file: str) -> dict[int, int]:
    """By household: of each basket the sum of its lines, a point for each unit, half to even."""
    paid: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for row in csv.DictReader(io.StringIO(file)):
        paid[int(row["household_id"]), int(row["basket_id"])] += Decimal(row["sales_value"])
    points: dict[int, int] = defaultdict(int)
    for (household, _), total in paid.items():
        points[household] += int(total.to_integral_value(ROUND_HALF_EVEN))
    return points


def purchases(file: str) -> list[Purchase]:
    """What the file says, a purchase for each basket."""
    bought: dict[int, Purchase] = {}
    for row in csv.DictReader(io.StringIO(file)):
        sold = Purchase.Line(
            product=f"sku-{row['product_id']}",
            quantity=Number(value=row["quantity"]),
            amount=money(Decimal(row["sales_value"]), "USD"),
        )
        customer = HOUSEHOLDS[int(row["household_id"])]
        basket = bought.setdefault(int(row["basket_id"]), Purchase(customer=customer, purchase_time=AT))
        basket.lines.append(sold)
    for basket in bought.values():
        total = sum(
            (Decimal(line.amount.units) + Decimal(line.amount.nanos).scaleb(-9) for line in basket.lines),
            Decimal(0),
        )
        basket.amount.CopyFrom(money(total, "USD"))
    return list(bought.values())


async def test_a_point_for_each_dollar_is_exact_for_every_household(desk: Any) -> None:
    await in_force(desk)
    file = baskets()
    sent = [
        RecordPurchaseRequest(purchase=each, import_key=f"baskets:{number}")
        for number, each in enumerate(purchases(file), 1)
    ]
    for _ in range(2):  # again it is the same
        for first in range(0, len(sent), 80):
            some = sent[first : first + 80]
            request = BatchRecordPurchasesRequest(requests=some, request_id=str(uuid4()))
            await desk.purchases.BatchRecordPurchases(request)
    expected = counted(file)
    assert len(expected) == len(HOUSEHOLDS)
    for household, customer in HOUSEHOLDS.items():
        assert await held(desk, customer) == {"MEMBERSHIP": expected[household]}
