"""Files in which each row is a line of an order: they become one purchase each, wherever its rows lie."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.messages import decimal
from chassis.money import Currency
from rapport.loyalty.v1 import purchase_service_pb2 as pb
from rapport_imports.decoding import UnreadableFile
from rapport_imports.engine import Run
from rapport_imports.notation import Notation
from rapport_imports.people import NOBODY, Customers
from rapport_imports.purchases import PurchaseImporter
from rapport_imports.reading import Reading
from rapport_imports.result import Result
from rapport_imports.tabular import Row, open_table
from rapport_imports.together import ROWS_MAX, Together

HEADER = "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
HEADER += "coupon_match_disc,week,transaction_timestamp\n"
OLDER = "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID,RETAIL_DISC,TRANS_TIME,"
OLDER += "WEEK_NO,COUPON_DISC,COUPON_MATCH_DISC\n"


class Asked(PurchaseImporter):
    """What would be sent to the service, which takes all of it."""

    def __init__(self) -> None:
        def channel(_: str) -> Any:
            return grpc.aio.insecure_channel("localhost:1")

        super().__init__(channel, Customers(channel("customer"), "import", dry_run=True))
        self.sent: list[pb.RecordPurchaseRequest] = []

    async def send(self, items: list[tuple[Row, Any]]) -> int:
        self.sent += self.requests(items, [NOBODY] * len(items))
        return len(items)


async def imported(tmp_path: Path, content: str, **notation: Any) -> tuple[Asked, Result]:
    path = tmp_path / "baskets.csv"
    path.write_text(content)
    importer, result = Asked(), Result()
    run = Run(
        open_table(path),
        importer,
        {},
        Notation(Currency.of("USD"), **notation),
        False,
        lambda *_: None,
        result,
        Reading(),
    )
    await run.run(tmp_path / "errors.csv")
    return importer, result


def line(
    basket: str,
    product: str,
    value: str,
    *,
    household: str = "900",
    quantity: str = "1",
    at: str = "06:53:26",
) -> str:
    return f"{household},330,{basket},{product},{quantity},{value},0.30,0,0.20,1,2017-01-01 {at}\n"


async def test_rows_of_one_basket_are_one_purchase_with_lines(tmp_path: Path) -> None:
    file = (
        HEADER + line("b1", "p1", "0.50") + line("b1", "p2", "3.00", quantity="2") + line("b2", "p1", "1.00")
    )
    importer, result = await imported(tmp_path, file)
    assert (result.rows, result.created, result.further, result.refused) == (3, 2, 1, 0)
    first, second = importer.sent
    assert decimal(first.purchase.amount) == Decimal("3.50")
    assert [(each.product, each.quantity.value, decimal(each.amount)) for each in first.purchase.lines] == [
        ("p1", "1", Decimal("0.50")),
        ("p2", "2", Decimal("3.00")),
    ]
    assert decimal(first.purchase.lines[0].discount_amount) == Decimal("0.50")
    assert (first.purchase.reference, first.purchase.store, first.purchase.quantity) == ("b1", "330", 3)
    assert first.purchase.purchase_time.ToDatetime(UTC) == datetime(2017, 1, 1, 6, 53, 26, tzinfo=UTC)
    assert (first.import_key.rpartition(":")[2], list(first.further_lines)) == ("2", [3])
    assert (second.import_key.rpartition(":")[2], list(second.further_lines)) == ("4", [])
    assert result.notes == ["discount is read from coupon_disc or coupon_match_disc, too"]


async def test_rows_of_a_basket_that_are_apart_are_one_purchase(tmp_path: Path) -> None:
    rows = [line("b1", "p1", "1"), line("b2", "p1", "2"), line("b1", "p2", "3"), line("b3", "p1", "4")]
    importer, result = await imported(tmp_path, HEADER + "".join(rows))
    assert (result.rows, result.created, result.further) == (4, 3, 1)
    amounts = {each.purchase.reference: decimal(each.purchase.amount) for each in importer.sent}
    assert amounts == {"b1": 4, "b2": 2, "b3": 4}
    assert {each.purchase.reference: each.import_key.rpartition(":")[2] for each in importer.sent} == {
        "b1": "2",
        "b2": "3",
        "b3": "5",
    }


async def test_a_number_that_begins_again_is_another_basket(tmp_path: Path) -> None:
    """Of another household, in another store, on another day."""
    rows = line("7", "p1", "1") + line("7", "p1", "1", household="901")
    rows += line("7", "p1", "1").replace(",330,", ",331,") + line("7", "p1", "1").replace("2017", "2018")
    importer, _ = await imported(tmp_path, HEADER + rows)
    assert len(importer.sent) == 4


async def test_what_is_wrong_of_one_row_is_told_of_all_rows_of_its_basket(tmp_path: Path) -> None:
    rows = line("b1", "p1", "1") + line("b1", "p2", "x") + line("b1", "p3", "1") + line("b2", "p1", "2")
    importer, result = await imported(tmp_path, HEADER + rows)
    assert [each.purchase.reference for each in importer.sent] == ["b2"]
    assert [(each.reason, each.lines) for each in result.refusals] == [
        ("OTHER_ROW", [2, 4]),
        ("INVALID_AMOUNT", [3]),
    ]
    assert (tmp_path / "errors.csv").read_text().count("b1") == 3
    mended = (tmp_path / "errors.csv").read_text().replace(",x,", ",1,")
    again, result = await imported(tmp_path, mended)
    [whole] = again.sent
    assert (decimal(whole.purchase.amount), whole.import_key.rpartition(":")[2]) == (3, "2")
    assert list(whole.further_lines) == [3, 4]


async def test_weights_zeros_returns_and_coupons_are_lines(tmp_path: Path) -> None:
    rows = [("fuel", "12345", "28.01"), ("cheese", "0.742", "11.05"), ("free", "1", "0"), ("zero", "0", "0")]
    rows += [("bottle", "-2", "-0.50"), ("coupon", "0", "-1.00")]
    file = HEADER + "".join(line("b1", product, value, quantity=many) for product, many, value in rows)
    importer, result = await imported(tmp_path, file)
    [sent] = importer.sent
    assert result.refused == 0
    assert [(each.quantity.value, decimal(each.amount)) for each in sent.purchase.lines] == [
        (many, Decimal(value)) for _, many, value in rows
    ]
    assert decimal(sent.purchase.amount) == Decimal("37.56")


async def test_days_that_are_numbers_are_counted_from_the_day_that_is_said(tmp_path: Path) -> None:
    file = OLDER + "2375,26984851472,1,1004906,1,1.39,364,-0.60,1631,1,0.00,-0.10\n"
    file += "2375,26984851472,1,1033142,1,0.82,364,0.00,1631,1,0.00,0.00\n"
    with pytest.raises(UnreadableFile, match="--day-one 2017-01-01"):
        await imported(tmp_path, file)
    importer, _ = await imported(tmp_path, file, day_one=datetime(2015, 3, 24, tzinfo=UTC).date())
    [sent] = importer.sent
    assert sent.purchase.purchase_time.ToDatetime(UTC) == datetime(2015, 3, 24, 16, 31, tzinfo=UTC)
    assert decimal(sent.purchase.lines[0].discount_amount) == Decimal("0.70")
    assert (sent.purchase.store, len(sent.purchase.lines)) == ("364", 2)


async def test_further_rows_without_an_amount_are_no_lines(tmp_path: Path) -> None:
    file = (
        "order id,email,date,total,sku\n1,a@x.example,2026-01-02,10.00,tea\n1,a@x.example,2026-01-02,,cup\n"
    )
    importer, result = await imported(tmp_path, file)
    [sent] = importer.sent
    assert (decimal(sent.purchase.amount), len(sent.purchase.lines)) == (10, 0)
    assert [(each.reason, each.lines) for each in result.told] == [("FURTHER_LINE", [3])]


async def test_a_total_on_each_row_of_each_order_is_told(tmp_path: Path) -> None:
    row = "1,a@x.example,2026-01-02,10.00,{}\n"
    file = "order id,email,date,total,sku\n" + row.format("tea") + row.format("cup")
    _, result = await imported(tmp_path, file)
    assert any("leave one row" in note for note in result.notes)
    _, result = await imported(tmp_path, file.replace("10.00,cup", "2.00,cup"))
    assert not any("leave one row" in note for note in result.notes)


async def test_a_product_without_a_code_leaves_the_lines_out_and_is_told(tmp_path: Path) -> None:
    importer, result = await imported(tmp_path, HEADER + line("b1", "p1", "1") + line("b1", "Thé vert", "2"))
    [sent] = importer.sent
    assert (decimal(sent.purchase.amount), len(sent.purchase.lines)) == (3, 0)
    assert [(each.reason, each.lines) for each in result.told] == [("INVALID_CODE", [3])]


async def test_rows_of_one_order_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    file = "order id,email,date,line total,sku\n" + "".join(
        f"1,a@x.example,March {day} 2026,10.00,tea\n" for day in (2, 3)
    )
    _, result = await imported(tmp_path, file)
    assert [(each.reason, each.column) for each in result.refusals] == [
        ("ORDER_DIFFERS", "date"),
        ("OTHER_ROW", ""),
    ]


async def test_an_order_has_as_many_rows_as_a_purchase_has_lines(tmp_path: Path) -> None:
    rows = "".join(line("b1", f"p{i}", "0.01") for i in range(ROWS_MAX))
    importer, result = await imported(tmp_path, HEADER + rows + line("b2", "p", "1"))
    assert ([len(each.purchase.lines) for each in importer.sent], result.refused) == ([ROWS_MAX, 1], 0)
    importer, result = await imported(tmp_path, HEADER + rows + line("b1", "p", "1") + line("b2", "p", "1"))
    assert ([each.purchase.reference for each in importer.sent], result.refused) == (["b2"], ROWS_MAX + 1)


@given(st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=40))
def test_every_row_is_in_one_order_and_orders_are_whole(numbers: list[str]) -> None:
    together = Together(lambda row: row.cells["n"])

    def rows() -> Iterator[Row]:
        for i, number in enumerate(numbers):
            yield Row(i, {"n": number})

    for row in rows():
        together.survey(row)
    found = [[each.line for each in (row, *row.further)] for row in together.rows(rows())]
    wanted = [[i] for i, number in enumerate(numbers) if not number]
    wanted += [[i for i, n in enumerate(numbers) if n == number] for number in set(numbers) - {""}]
    assert sorted(found) == sorted(wanted)
