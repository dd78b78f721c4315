"""What is exported comes back as it was, in every format, and nothing in a file is a formula."""

import asyncio
import csv
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import grpc
import openpyxl
import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import BatchGetCustomersResponse, ListCustomersResponse
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport_imports import own
from rapport_imports.exports import rows, running, writing
from rapport_imports.exports.kinds import KINDS
from rapport_imports.exports.writing import Format, Unwritable, writer
from rapport_imports.tabular import open_table
from rapport_imports.wanted import WrongOption

SOMEBODY = "customers/00000000-0000-0000-0000-000000000001"
CASES = [Case(name=f"cases/{i}", customer=SOMEBODY, topic="late") for i in range(3)]
PAGES = [
    ListCasesResponse(cases=CASES[:2], next_page_token="two"),
    ListCasesResponse(cases=CASES[2:]),
]
Answer = Callable[[Any], Any]


class Denied(grpc.aio.AioRpcError):
    """What a service answers who may not read."""

    def __init__(self) -> None:
        nothing = grpc.aio.Metadata()
        super().__init__(grpc.StatusCode.PERMISSION_DENIED, nothing, nothing, "no")


class Channel:
    """Answers calls by what they are called."""

    def __init__(self, **answers: Answer) -> None:
        self._answers = answers

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Any:
        async def call(request: Any) -> Any:
            return self._answers[method.rpartition("/")[2]](request)

        return call

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


def listed(request: Any) -> ListCasesResponse:
    return PAGES[1 if request.page_token else 0]


def known(request: Any) -> BatchGetCustomersResponse:
    return BatchGetCustomersResponse(
        customers=[Customer(name=name, display_name="Eva") for name in request.names]
    )


def export(path: Path, kind: str = "cases", *, to: Format = Format.CSV, **answers: Answer) -> running.Done:
    """Run an export of services that answer so."""
    channel = Channel(**{"ListCases": listed, "BatchGetCustomers": known} | answers)
    done = running.Done()
    asyncio.run(
        running.run(
            running.Asked(kind, to),
            path,
            done,
            connect=lambda _: channel,  # type: ignore[arg-type,return-value]  # of it only this is used
            say=lambda _: None,
            progress=lambda *_: None,
        )
    )
    return done


def test_every_kind_has_a_list_columns_and_a_name_of_its_own() -> None:
    assert KINDS.keys() == own.MARKS.keys()
    for name, kind in KINDS.items():
        columns = running.kind_columns(kind)
        assert own.kind_of(columns) == name
        assert len({*columns}) == len(columns)
        assert kind.items
        assert (
            "next_page_token"
            in kind.request.DESCRIPTOR.file.message_types_by_name[
                kind.request.DESCRIPTOR.name.replace("Request", "Response")
            ].fields_by_name
        )


def test_what_an_import_reads_of_an_export_stands_there() -> None:
    for kind in own.IMPORTED:
        assert {*own.COLUMNS[kind].values()} <= {*running.kind_columns(KINDS[kind])}


_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), include_characters="\n\t"),
    max_size=20,
).map(str.strip)
_nasty = _texts | st.builds("{}{}".format, st.sampled_from("=+-@'\t\uff1d"), _texts).map(str.strip)


@pytest.mark.parametrize("to", Format)
@settings(max_examples=40)
@given(cells=st.lists(_nasty, min_size=1, max_size=5))
def test_texts_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, to: Format, cells: list[str]
) -> None:
    path = tmp_path_factory.mktemp("t") / "t"
    out = writer(to, path, [own.CUSTOMER, "display_name"])
    for cell in cells:
        out.row(["customers/1", cell])
    out.close()
    table = open_table(path)
    assert table.own == "customers"
    assert [row.cells.get("display_name", "") for row in table.rows()] == cells


def test_nothing_in_a_file_is_a_formula_and_amounts_are_numbers(tmp_path: Path) -> None:
    cells: Sequence[Any] = ["=1+1", "+1", "-x", "@a", "plain", writing.Decimal("-12.50")]
    for to in (Format.CSV, Format.XLSX):
        out = writer(to, tmp_path / to, [own.CUSTOMER, *"abcde"])
        out.row(cells)
        out.close()
    with (tmp_path / Format.CSV).open(encoding="utf-8-sig") as file:
        assert list(csv.reader(file))[1] == ["'=1+1", "'+1", "'-x", "'@a", "plain", "-12.50"]
    with (tmp_path / Format.XLSX).open("rb") as raw:
        sheet: Any = openpyxl.load_workbook(raw).active
        [found] = sheet.iter_rows(min_row=2)
    assert [cell.value for cell in found] == ["=1+1", "+1", "-x", "@a", "plain", -12.5]
    assert [cell.data_type for cell in found] == [*"sssss", "n"]
    assert [cell.quotePrefix for cell in found] == [True, True, True, True, False, False]
    assert (tmp_path / Format.CSV).stat().st_mode & 0o077 == 0


def test_an_interrupted_export_goes_on_where_it_was_and_says_the_same(tmp_path: Path) -> None:
    def breaks(request: Any) -> ListCasesResponse:
        if request.page_token:
            raise KeyboardInterrupt
        return PAGES[0]

    export(tmp_path / "whole.csv")
    with suppress(KeyboardInterrupt):
        export(tmp_path / "t.csv", ListCases=breaks)
    assert not (tmp_path / "t.csv").exists()
    with (tmp_path / "t.csv.part").open("a") as half:
        half.write("half a row")
    done = export(tmp_path / "t.csv", ListCases=lambda request: PAGES[{"two": 1}[request.page_token]])
    assert (done.before, done.rows) == (2, 3)
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["t.csv", "whole.csv"]


def test_whoever_may_not_read_customers_is_told_in_the_file_what_is_left_out(tmp_path: Path) -> None:
    def denied(request: Any) -> None:
        raise Denied

    done = export(tmp_path / "t.csv", BatchGetCustomers=denied)
    assert done.withheld == ["customer_name", "customer_email"]
    with (tmp_path / "t.csv").open(encoding="utf-8-sig") as file:
        header, first, *_ = csv.reader(file)
    assert header[:4] == [
        "rapport_case",
        "rapport_customer",
        "customer_name (left out: customer.customers.read is needed)",
        "customer_email (left out: customer.customers.read is needed)",
    ]
    assert first[:5] == ["cases/0", SOMEBODY, "", "", "late"]
    with pytest.raises(Denied):
        export(tmp_path / "none.csv", ListCases=denied)
    assert not (tmp_path / "none.csv").exists()


def test_each_line_of_a_purchase_is_a_row_and_the_amounts_add_up() -> None:
    euros = {"currency_code": "EUR"}
    bought = {
        "name": "purchases/1",
        "amount": euros | {"units": 30, "nanos": 100_000_000},
        "refunded_amount": euros | {"units": 5},
        "quantity": 7,
        "lines": [
            {
                "product": "a",
                "quantity": {"value": "0.742"},
                "amount": euros | {"units": 20, "nanos": 100_000_000},
            },
            {"product": "b", "quantity": {"value": "1"}, "amount": euros | {"units": 10}},
        ],
    }
    found = [*rows.of_purchase(ParseDict(bought, Purchase()))]
    assert [(f"{row['amount']}", row["product"], row["line"]) for row in found] == [
        ("20.10", "a", 1),
        ("10.00", "b", 2),
    ]
    assert [("refunded_amount" in row, "pieces" in row) for row in found] == [(True, True), (False, False)]


def test_a_contact_names_its_files_and_says_of_one_that_is_gone_what_became_of_it() -> None:
    files = [{"display_name": "letter.pdf", "state": "STATE_CLEAN"}, {"state": "STATE_DELETED"}]
    (row,) = KINDS["timeline"].rows(ParseDict({"attached_files": files}, TimelineEntry()))
    assert row["attached_files"] == ["letter.pdf", "(deleted)"]


def test_a_customer_of_more_identifiers_than_an_import_takes_at_once_has_further_rows(tmp_path: Path) -> None:
    many = Customer(name=SOMEBODY, display_name="Many")
    for i in range(45):
        many.identifiers.add(type="TYPE_EMAIL", value=f"m{i}@example.com")
    export(
        tmp_path / "t.jsonl",
        "customers",
        to=Format.JSONL,
        ListCustomers=lambda _: ListCustomersResponse(customers=[many]),
    )
    found = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [len(row["email"]) for row in found] == [18, 19, 10]
    assert {(row["rapport_customer"], row["display_name"], row["email"][0]) for row in found} == {
        (SOMEBODY, "Many", "m0@example.com")
    }
    assert len({email for row in found for email in row["email"]}) == 45


def test_what_came_from_another_installation_keeps_its_name_of_there() -> None:
    theirs = "customers/00000000-0000-0000-0000-000000000002"
    customer = Customer(name=SOMEBODY)
    customer.identifiers.add(type="TYPE_EXTERNAL_ID", system=own.SYSTEM, value=theirs)
    [row] = rows.of_customer(customer)
    assert (row[own.CUSTOMER], row["external_ids"]) == (theirs, [])


def test_what_does_not_fit_into_a_workbook_is_refused_with_what_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = writer(Format.XLSX, tmp_path / "t.xlsx", ["summary"])
    with pytest.raises(Unwritable, match=r"summary has more than the 32,767 .*--format csv"):
        out.row(["x" * 32_768])
    monkeypatch.setattr(writing, "ROWS_MAX", 2)
    with pytest.raises(Unwritable, match="at most 2 rows: write --format csv"):
        out.row(["x"])
    out.stop()
    assert not (tmp_path / "t.xlsx").exists()


def test_a_filter_is_for_whom_there_is_one(tmp_path: Path) -> None:
    for asked, option in (
        (running.Asked("consents", Format.CSV, filter="a = 1"), "filter"),
        (running.Asked("cases", Format.CSV, customers="prospect = true"), "customers"),
    ):
        with pytest.raises(WrongOption) as told:
            asyncio.run(
                running.run(
                    asked,
                    tmp_path / "t",
                    running.Done(),
                    connect=lambda _: Channel(),  # type: ignore[arg-type,return-value]
                    say=print,
                    progress=print,
                )
            )
        assert told.value.option == option
