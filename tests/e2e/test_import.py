"""Imports of real data: exact totals, each line once, and wrong rows told without losing the others."""

import csv
import gzip
from collections import Counter
from decimal import Decimal
from itertools import islice
from pathlib import Path

import openpyxl
import pytest

from chassis.api.messages import decimal
from rapport.cases.v1 import promise_service_pb2
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.common.v1 import states_pb2
from rapport.customer.v1 import customer_service_pb2, view_pb2, view_service_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_imports.customers import external_id
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from tests.e2e.stack import Stack

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the shared test data is not on this machine")
BATCH = 500


@needs_data
async def test_every_customers_lifetime_value_in_the_view_is_exact_to_the_cent(stack: Stack) -> None:
    file = DATA / "purchases" / "cdnow_sample.csv.gz"
    truth: Counter[str] = Counter()
    with gzip.open(file, "rt") as rows:
        for row in csv.DictReader(rows):
            truth[row["customer_id"]] += int(Decimal(row["amount"]) * 100)
    assert sum(truth.values()) == 24_409_194

    first = stack.json("import", "purchases", str(file), "--system", "cdnow", timeout_s=300)
    assert (first["rows"], first["created"], first["refused"]) == (6_919, 6_919, 0)
    again = stack.json("import", "purchases", str(file), "--system", "cdnow", timeout_s=300)
    assert (again["created"], again["known"]) == (0, 6_919)

    names = customers_of(list(truth), "cdnow")

    def exact() -> bool:
        views = views_of(list(names.values()))
        assert all(view.value.lifetime_values for view in views)  # some are still on their way
        found = {view.customer: int(decimal(view.value.lifetime_values[0]) * 100) for view in views}
        assert {key: found[name] for key, name in names.items()} == dict(truth)
        return True

    await eventually(exact, 60)


@needs_data
def test_northwind_orders_become_promises_kept_kept_late_and_broken(stack: Stack) -> None:
    contacts = DATA / "contacts"
    customers = stack.json("import", "customers", str(contacts / "northwind_customers.csv"), "--system", "nw")
    assert (customers["rows"], customers["created"], customers["refused"]) == (91, 91, 0)
    orders = stack.json("import", "orders", str(contacts / "northwind_orders.csv"), "--system", "nw")
    assert (orders["created"], orders["refused"]) == (830, 0)

    promises = Session.open().stub(PromiseServiceStub, "cases")
    states: Counter[str] = Counter()
    with (contacts / "northwind_customers.csv").open() as rows:
        keys = [row["customer_id"] for row in csv.DictReader(rows)]
    for name in customers_of(keys, "nw").values():
        request = promise_service_pb2.ListPromisesRequest(filter=f'customer = "{name}"', page_size=1000)
        for promise in promises.ListPromises(request).promises:
            states[states_pb2.PromiseState.Name(promise.state)] += 1
    assert states == {"PROMISE_STATE_KEPT": 772, "PROMISE_STATE_KEPT_LATE": 37, "PROMISE_STATE_BROKEN": 21}


def test_wrong_rows_are_told_and_the_others_imported(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "mixed.csv"
    file.write_text(
        "customer_id,date,amount\n"
        "a1,2026-01-02,10.00\n"
        "a2,yesterday,10.00\n"
        "a3,2026-01-02,ten\n"
        ",2026-01-02,10.00\n"
        "a5,2026-01-02,--1\n"
        "a6,2026-01-02,1.00,extra\n"
        "a7,1066-10-14,1.00\n"
        "a8,2026-01-02,2.50\n"
    )
    done = stack.run("import", "purchases", str(file), "--system", "mixed")
    assert done.returncode == 1
    with (tmp_path / "mixed.csv.errors.csv").open() as refused:
        reasons = {row["error_line"]: row["error_reason"] for row in csv.DictReader(refused)}
    assert reasons == {
        "3": "INVALID_TIME",
        "4": "INVALID_AMOUNT",
        "5": "REQUIRED",
        "6": "INVALID_AMOUNT",
        "7": "INVALID_ROW",
        "8": "INVALID_TIME",
    }
    assert set(customers_of(["a1", "a8"], "mixed")) == {"a1", "a8"}


def test_a_file_is_read_as_the_one_of_last_month_by_a_profile(stack: Stack, tmp_path: Path) -> None:
    first, second = tmp_path / "june.csv", tmp_path / "july.csv"
    first.write_text("Wer;Tag;Summe\np1;30/06/2026;1,50\n")
    second.write_text("Wer;Tag;Summe\np1;03/07/2026;12,500\n")
    asked = ("--map", "customer=Wer", "--map", "amount=Summe", "--system", "till")
    kept = stack.json("import", "purchases", str(first), *asked, "--save-profile", "till", "--dry-run")
    assert kept["notes"][-1] == "kept as a profile: the next file is read so by --profile till"
    (profile,) = stack.json("import-profiles", "list")
    assert (profile["name"], profile["kind"]) == ("till", "purchases")
    done = stack.json("import", "purchases", str(second), "--profile", "till")
    assert (done["created"], done["system"], done["decimal"], done["first"]) == (1, "till", ",", "day")
    wrong = stack.run("import", "orders", str(second), "--profile", "till")
    assert (wrong.returncode, "there is none yet, of those that read orders" in wrong.stderr) == (2, True)
    assert stack.run("import-profiles", "delete", "till").returncode == 0
    assert stack.json("import-profiles", "list") == []


def test_formula_cells_nul_and_wrong_encoding_are_refused_row_by_row(stack: Stack, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["customer_id", "date", "amount"], ["f1", "2026-01-02", 10.5], ["f2", "2026-01-02", "=1+1"]):
        sheet.append(row)
    book.save(tmp_path / "book.xlsx")
    done = stack.run("import", "purchases", str(tmp_path / "book.xlsx"), "--system", "formula")
    assert done.returncode == 1
    assert "FORMULA_CELL" in (tmp_path / "book.xlsx.errors.csv").read_text()
    assert set(customers_of(["f1"], "formula")) == {"f1"}

    raw = tmp_path / "raw.csv"
    raw.write_bytes(b"customer_id,first_name\nr1,Ren\xe9\nr2,N\x00l\nr3,Zo\xc3\xab\n")
    assert stack.run("import", "customers", str(raw), "--system", "raw").returncode == 1
    refused = (tmp_path / "raw.csv.errors.csv").read_text()
    assert (refused.count("INVALID_TEXT"), refused.count("René")) == (2, 1)
    assert set(customers_of(["r3"], "raw")) == {"r3"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("broken.xlsx", b"PK\x03\x04 not a workbook", "not a readable .xlsx"),
        ("empty.csv", b"", "is empty"),
        ("columns.csv", b"date,amount\n2026-01-01,1\n", "--map customer=COLUMN"),
        ("values.csv", b"a@x.example,5\n", "no line names the columns"),
        ("short.csv.gz", b"\x1f\x8b\x08\x00broken", "cannot be read"),
    ],
)
def test_an_unreadable_file_is_refused_as_a_whole(
    stack: Stack, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    done = stack.run("import", "purchases", str(tmp_path / name))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def customers_of(ids: list[str], system: str) -> dict[str, str]:
    """The customers with those ids in a system. Each must exist: none is created."""
    customers = Session.open().stub(CustomerServiceStub, "customer")
    found: dict[str, str] = {}
    for batch in batches(ids):
        requests = [
            customer_service_pb2.ResolveCustomerRequest(identifier=external_id(system, i)) for i in batch
        ]
        answer = customers.BatchResolveCustomers(
            customer_service_pb2.BatchResolveCustomersRequest(requests=requests)
        )
        found |= {i: response.customer for i, response in zip(batch, answer.responses, strict=True)}
    return found


def views_of(customers: list[str]) -> list[view_pb2.CustomerView]:
    """The views of customers."""
    views = Session.open().stub(ViewServiceStub, "customer")
    found: list[view_pb2.CustomerView] = []
    for batch in batches(customers):
        request = view_service_pb2.BatchGetCustomerViewsRequest(names=[f"{name}/view" for name in batch])
        found += views.BatchGetCustomerViews(request).customer_views
    return found


def batches(items: list[str]) -> list[list[str]]:
    """Items in lists that fit into one call."""
    rest = iter(items)
    return list(iter(lambda: list(islice(rest, BATCH)), []))
