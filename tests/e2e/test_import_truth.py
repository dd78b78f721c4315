"""Imports of the files that people really have: nobody joined, renamed, made up or counted twice unsaid."""

import asyncio
import csv
import io
import json
import random
import sys
from collections import defaultdict
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.api.messages import decimal
from rapport.cases.v1 import promise_service_pb2
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.common.v1 import states_pb2
from rapport.customer.v1 import customer_service_pb2, identifier_pb2, timeline_service_pb2
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.loyalty.v1 import purchase_service_pb2
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_imports.customers import external_id
from rapport_testing.wait import eventually
from rapport_tools.cli.main import build, run
from rapport_tools.cli.session import Session
from tests.e2e.stack import Stack


class Importing:
    """Files of one test, with ids in a system of its own."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.system = f"t{uuid4().hex[:12]}"

    def load(self, kind: str, content: str, *options: str, name: str = "t.csv") -> dict[str, Any]:
        """Import a file, whatever becomes of its rows."""
        (self.folder / name).write_text(content)
        words = ("import", kind, str(self.folder / name), "--system", self.system, "--json", *options)
        said, told = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:  # in this process: starting one is most of what it costs
            patch.setattr(sys, "argv", ["rapport", *words])
            with redirect_stdout(said), redirect_stderr(told):
                code = run(build())
        assert code in (0, 1), told.getvalue()
        result: dict[str, Any] = json.loads(said.getvalue())
        return result

    def mail(self, name: str) -> str:
        """An address that only this test has."""
        return f"{name}@{self.system}.example.com"

    def find(self, key: str) -> str:
        """The customer with an id, or an address, of this test; empty for nobody."""
        handle = external_id(self.system, key)
        if "@" in key:
            handle = identifier_pb2.Identifier(type=identifier_pb2.Identifier.TYPE_EMAIL, value=key)
        request = customer_service_pb2.BatchResolveCustomersRequest(
            requests=[customer_service_pb2.ResolveCustomerRequest(identifier=handle)], allow_missing=True
        )
        return customers().BatchResolveCustomers(request).responses[0].customer

    def worth(self, key: str) -> tuple[Decimal, int]:
        """Lifetime value and number of purchases of a customer."""
        stub = Session.open().stub(PurchaseServiceStub, "loyalty")
        of = f'customer = "{self.find(key)}"'
        request = purchase_service_pb2.ListCustomerValuesRequest(filter=of)
        (value,) = stub.ListCustomerValues(request).customer_values
        (total,) = value.lifetime_values
        return decimal(total), value.purchase_count

    def refused(self, result: dict[str, Any]) -> list[tuple[str, str]]:
        """Line and reason of every refused row."""
        with Path(result["errors_file"]).open() as rows:
            return [(row["error_line"], row["error_reason"]) for row in csv.DictReader(rows)]


def customers() -> Any:
    return Session.open().stub(CustomerServiceStub, "customer")


@pytest.fixture
def files(stack: Stack, tmp_path: Path) -> Importing:
    return Importing(stack, tmp_path)


def test_a_file_whose_columns_were_mapped_wrongly_is_imported_again_with_the_right_ones(
    files: Importing,
) -> None:
    file = "Nr.;V;N\n1001;Anna;Berg\n1002;Jörg;Maas\n"
    first = files.load("customers", file, "--map", "given_name=Nr.")
    assert (first["refused"], first["ignored"]) == (2, ["V", "N"])
    right = ("--map", "external_id=Nr.", "--map", "given_name=V", "--map", "family_name=N")
    assert files.load("customers", file, *right)["created"] == 2
    again = files.load("customers", file, *right)
    assert (again["created"], again["known"]) == (0, 2)
    assert "imported already" in again["notes"][0]


def test_a_file_that_is_read_otherwise_or_confirmed_is_another_import(files: Importing) -> None:
    file = "id,name,email,birth_date\n1,Anna,anna@example.com,03/04/1984\n"

    def born() -> tuple[int, int]:
        birth = customers().GetCustomer(GetCustomerRequest(name=files.find("1"))).person.birth_date
        return birth.day, birth.month

    assert (files.load("customers", file)["created"], born()) == (1, (0, 0))
    for written, day in (("DD/MM/YYYY", (3, 4)), ("MM/DD/YYYY", (4, 3))):
        again = files.load("customers", file, "--date-format", written)
        assert (again["created"], again["known"], born()) == (0, 1, day)

    stranger = files.load("customers", "id,name,email\n1,Ben,ben@example.com\n")
    decided = Path(stranger["errors_file"]).read_text()
    again = files.load("customers", decided, name="decided.csv")
    assert files.refused(again) == [("2", "NAME_DIFFERS")]
    assert files.load("customers", decided, "--confirm", name="decided.csv")["renamed"] == 1


def test_one_wrong_id_refuses_one_row_and_makes_nobody(files: Importing) -> None:
    good = "a,2026-01-02,1.00\n" * 5
    result = files.load(
        "purchases", f"customer_id,date,amount\n{good}{'L' * 330},2026-01-02,1\nb,2026-01-02,2\n"
    )
    assert (result["created"], files.refused(result)) == (6, [("7", "TOO_LONG")])


def test_a_refused_purchase_or_order_makes_no_customer(files: Importing) -> None:
    bought = files.load("purchases", "customer_id,date,amount\nghost,2150-01-02,1.00\nreal,2026-01-02,1.00\n")
    assert (bought["created"], files.refused(bought)) == (1, [("2", "INVALID_TIME")])
    assert "new customers: 1" in bought["notes"][0]
    order = f"customer_id,order_id,required_date\nghost,{'9' * 300},2026-01-10\n"
    assert files.refused(files.load("orders", order)) == [("2", "INVALID_CODE")]
    assert files.find("ghost") == ""
    assert files.find("real")


def test_an_address_joins_files_and_the_id_of_an_order_is_no_customer(files: Importing) -> None:
    mail = files.mail("anna")
    files.load("customers", f"id,first_name,email\n7,Anna,{mail}\n")
    rows = "".join(f"{500 + i},{mail.upper()},2026-01-0{i},10.00\n" for i in (1, 2, 3))
    result = files.load("purchases", f"id,customer_email,date,amount\n{rows}")
    assert (result["used"]["email"], result["used"]["reference"]) == ("customer_email", "id")
    assert files.worth(mail) == (Decimal(30), 3)
    files.load("purchases", f"customer,date,amount\n{mail},2026-01-05,5.00\n7,2026-01-06,5.00\n")
    assert files.worth("7") == (Decimal(40), 5)
    assert not files.find("501")


def test_an_id_that_is_new_comes_to_whom_the_address_finds_unless_they_have_another(files: Importing) -> None:
    anna, bob = files.mail("anna"), files.mail("bob")
    files.load("customers", f"id,first_name,email\n,Anna,{anna}\n2,Bob,{bob}\n")
    files.load("purchases", f"customer_id,email,date,amount\n1,{anna},2026-01-02,1\n3,{bob},2026-01-02,1\n")
    assert files.find("1") == files.find(anna)
    assert files.find("3") not in ("", files.find(bob))


def test_a_real_name_replaces_the_id_that_stood_in(files: Importing) -> None:
    files.load("purchases", "customer_id,date,amount\nALFKI,2026-01-02,10.00\n")
    row = f"customer_id,first_name,last_name,email\nALFKI,Anna,Berg,{files.mail('alfki')}\n"
    assert files.load("customers", row)["known"] == 1
    request = customer_service_pb2.GetCustomerRequest(name=files.find("ALFKI"))
    assert customers().GetCustomer(request).display_name == "Anna Berg"


def test_a_return_takes_back_what_it_was_worth(files: Importing) -> None:
    rows = "r1,2026-01-02,100.00,1\nr1,2026-01-09,-100.00,-1\n"
    assert files.load("purchases", f"customer_id,date,amount,quantity\n{rows}")["created"] == 2
    assert files.worth("r1")[0] == 0


def test_amounts_are_what_the_whole_file_says(files: Importing) -> None:
    file = "customer_id;date;amount\na1;2026-01-02;12.500\na2;2026-01-02;1.000\na3;2026-01-02;1.234,50\n"
    files.load("purchases", file)
    assert [files.worth(f"a{i}")[0] for i in (1, 2, 3)] == [Decimal(12500), Decimal(1000), Decimal("1234.50")]


def test_texts_that_are_too_long_are_refused_by_row(files: Importing) -> None:
    rows = "".join(f"{i},{'x' * 5000}\n" for i in range(1, 1001))
    result = files.load("customers", f"id,name\n{rows}ok,Anna\n")
    assert (result["created"], result["refused"]) == (1, 1000)
    assert {reason for _, reason in files.refused(result)} == {"TOO_LONG"}


def test_whose_name_changed_and_who_shares_a_number_is_told(files: Importing) -> None:
    number = f"+4930{int(files.system[1:], 16) % 10**7:07}"
    header = "id,first_name,last_name,email,phone\n"
    rows = f"1,Anna,Berg,{files.mail('anna')},{number}\n2,Bob,Cole,{files.mail('bob')},{number}\n"
    assert files.load("customers", header + rows)["created"] == 2
    done = files.load(
        "customers", header + f"1,Anna,Neu,{files.mail('anna')},\n,Bert,Cole,{files.mail('bob')},\n"
    )
    assert (done["known"], done["renamed"]) == (2, 1)
    assert {(told["reason"], *told["lines"]) for told in done["told"]} == {("RENAMED", 2), ("NAME_KEPT", 3)}


def test_a_customer_has_the_numbers_of_all_columns_and_each_once(files: Importing) -> None:
    number = f"030{int(files.system[1:], 16) % 10**7:07}"
    file = f"id,last_name,country,phone,mobile\n1,Berg,DE,{number},+49{number[1:]}\n2,Cole,DE,,{number}\n"
    assert files.load("customers", file)["created"] == 2
    held = customers().GetCustomer(customer_service_pb2.GetCustomerRequest(name=files.find("1"))).identifiers
    assert [i.normalized_value for i in held if i.type == identifier_pb2.Identifier.TYPE_PHONE] == [
        f"+49{number[1:]}"
    ]


def test_a_day_is_kept_on_that_day_where_it_was_delivered(files: Importing) -> None:
    header = "customer_id,order_id,order_date,promised_date,delivered_date\n"
    rows = "z1,8001,2026-02-20,2026-03-02,2026-03-02T20:00:00-08:00\nz1,8002,NULL,2026-03-02,NULL\n"
    files.load("orders", header + rows)
    request = promise_service_pb2.ListPromisesRequest(filter=f'customer = "{files.find("z1")}"')
    found = Session.open().stub(PromiseServiceStub, "cases").ListPromises(request).promises
    assert {p.reference: states_pb2.PromiseState.Name(p.state) for p in found} == {
        "orders/8001": "PROMISE_STATE_KEPT",
        "orders/8002": "PROMISE_STATE_BROKEN",
    }


def test_a_promised_day_is_a_day_where_the_file_says(files: Importing) -> None:
    header = "customer_id,order_id,order_date,promised_date,delivered_date\n"
    rows = "z2,8003,2026-02-20,2026-03-05,2026-03-06 00:30\nz2,8004,2026-02-20,2026-03-05,2026-03-05 23:30\n"
    files.load("orders", header + rows, "--time-zone", "America/Los_Angeles")
    request = promise_service_pb2.ListPromisesRequest(filter=f'customer = "{files.find("z2")}"')
    found = Session.open().stub(PromiseServiceStub, "cases").ListPromises(request).promises
    assert {p.reference: states_pb2.PromiseState.Name(p.state) for p in found} == {
        "orders/8003": "PROMISE_STATE_KEPT_LATE",
        "orders/8004": "PROMISE_STATE_KEPT",
    }
    assert {(p.time_zone, p.due_date.month, p.due_date.day) for p in found} == {("America/Los_Angeles", 3, 5)}


def test_a_corrected_mapping_corrects_what_was_bought_and_a_mended_row_counts_as_its_line(
    files: Importing,
) -> None:
    file = "customer_id,date,Net,Gross\na,2026-01-02,82.50,98.18\na,2026-01-03,5.00,six\n"
    assert files.load("purchases", file, "--map", "amount=Net")["created"] == 2
    second = files.load("purchases", file, "--map", "amount=Gross")
    assert (second["created"], second["corrected"], second["refused"]) == (0, 1, 1)
    mended = Path(second["errors_file"]).read_text().replace("six", "5.95")
    third = files.load("purchases", mended, "--map", "amount=Gross", name="mended.csv")
    assert (third["created"], third["corrected"]) == (0, 1)
    assert files.worth("a") == (Decimal("104.13"), 2)


def test_an_order_that_was_imported_otherwise_is_told_and_stays(files: Importing) -> None:
    file = f"customer_id,order_id,First,Second\nz,{files.system},2026-01-10,2026-01-12\n"
    assert files.load("orders", file, "--map", "promised_date=First")["created"] == 1
    assert files.load("orders", file, "--map", "promised_date=First")["known"] == 1
    for options in (("--dry-run",), ()):
        again = files.load("orders", file, "--map", "promised_date=Second", *options)
        assert (again["created"], files.refused(again)) == (0, [("2", "ALREADY_PROMISED")])


def test_an_order_without_a_date_may_be_delivered_on_the_day_of_its_import(files: Importing) -> None:
    head, number = "customer_id,order_id,promised_date,delivered_date\n", files.system
    today = datetime.now(UTC)
    row = f"u,{number},{today + timedelta(days=7):%Y-%m-%d},"
    assert files.load("orders", f"{head}{row}\n")["created"] == 1
    done = files.load("orders", f"{head}{row}{today:%Y-%m-%d}\n")
    assert (done["corrected"], done["refused"]) == (1, 0)


def test_a_newer_export_counts_only_what_is_new_and_what_was_given_back_since(files: Importing) -> None:
    head = "order_id,customer_id,date,amount,refunded\n"
    old = f"{head}O1,u,2026-01-01,10.00,\nO2,u,2026-01-02,20.00,\n"
    assert files.load("purchases", old, "--dry-run")["created"] == 2
    assert "new customers: 1" in files.load("purchases", old, "--dry-run")["notes"][0]
    assert not files.find("u")
    assert files.load("purchases", old)["created"] == 2
    new = f"{head}O1,u,2026-01-01,10.00,\nO2,u,2026-01-02,20.00,5.00\nO3,u,2026-01-03,30.00,\n"
    for options in (("--dry-run",), ()):
        result = files.load("purchases", new, *options)
        assert (result["created"], result["known"], result["corrected"], result["refused"]) == (1, 1, 1, 0)
    for again in (new, old):
        assert files.load("purchases", again)["corrected"] == 0
    assert files.worth("u") == (Decimal(55), 3)


def test_what_was_given_back_or_cancelled_since_is_taken_off_whichever_file_comes_first(
    files: Importing,
) -> None:
    head = "order_id,customer_id,date,amount,status\n"
    paid = f"{head}O1,u,2026-01-01,10.00,paid\nO2,v,2026-01-02,20.00,processing\n"
    back = f"{head}O1,u,2026-01-01,10.00,refunded\nO2,v,2026-01-02,20.00,cancelled\n"
    assert files.load("purchases", paid)["created"] == 2
    assert [files.worth(who) for who in "uv"] == [(Decimal(10), 1), (Decimal(20), 1)]
    for options in (("--dry-run",), ()):
        result = files.load("purchases", back, *options)
        assert (result["created"], result["corrected"], result["refused"]) == (0, 2, 0)
        assert result["notes"][-1] == "given back whole, and worth nothing: 2 rows"
    assert files.load("purchases", paid)["corrected"] == 0
    assert [files.worth(who) for who in "uv"] == [(Decimal(0), 0), (Decimal(0), 0)]


def test_customers_of_two_shops_that_count_alike_stay_two_until_somebody_says_otherwise(
    files: Importing,
) -> None:
    head, theirs = "id,name,email\n", files.mail("ben")
    assert files.load("customers", f"{head}1,Luís,{files.mail('luis')}\n")["created"] == 1
    result = files.load("customers", f"{head}1,Ben,{theirs}\n")
    assert (result["known"], files.refused(result)) == (0, [("2", "NAME_DIFFERS")])
    assert not files.find(theirs)
    decided = Path(result["errors_file"]).read_text()
    result = files.load("customers", decided, "--confirm", name="decided.csv")
    assert (result["known"], result["renamed"], result["refused"]) == (1, 1, 0)


def test_who_imports_is_whom_the_timeline_names(files: Importing) -> None:
    file = "order_id,customer_id,date,amount\nO9,u,2026-01-09,10.00\n"
    assert files.load("purchases", file, "--as", "manager:mira")["created"] == 1
    handle = files.find("u")

    def bought() -> bool:
        request = timeline_service_pb2.ListTimelineEntriesRequest(parent=handle)
        told = Session.open().stub(TimelineServiceStub, "customer").ListTimelineEntries(request)
        return [
            entry.actor for entry in told.timeline_entries if entry.event_type.endswith(".PurchaseRecorded")
        ] == ["agents/mira"]

    asyncio.run(eventually(bought))


def test_who_is_whose_customer_does_not_depend_on_where_batches_end(files: Importing) -> None:
    head, mail = "order_id,customer_id,email,date,amount\n", files.mail("y")
    rows = f"O1,7,{mail},2026-01-01,1.00\nO2,,{mail},2026-01-02,2.00\nO3,8,{mail},2026-01-03,4.00\n"
    assert files.load("purchases", head + rows)["created"] == 3
    assert files.find("7") == files.find(mail) != files.find("8")
    assert (files.worth("7"), files.worth("8")) == ((Decimal(3), 2), (Decimal(4), 1))


def test_a_row_that_is_mended_in_a_file_of_its_own_is_still_another_row_of_its_file(files: Importing) -> None:
    head, row = "order_id,customer_id,date,amount\n", "O1,u,2026-01-01,10.00\n"
    assert files.load("purchases", head + row)["created"] == 1
    second = files.load("purchases", head + row + row.replace("10.00", "ten"))
    assert (second["created"], second["known"], second["refused"]) == (0, 1, 1)
    mended = Path(second["errors_file"]).read_text().replace("ten", "10.00")
    third = files.load("purchases", mended, name="mended.csv")
    assert (third["created"], files.refused(third)) == (0, [("2", "ALREADY_IMPORTED")])
    decided = Path(third["errors_file"]).read_text()
    assert files.load("purchases", decided, "--confirm", name="decided.csv")["created"] == 1
    assert files.worth("u") == (Decimal(20), 2)


def test_purchases_without_a_number_that_another_file_may_have_brought_are_for_a_person_to_decide(
    files: Importing,
) -> None:
    head, day = "customer_id,date,amount\n", "u,2026-01-01,10.00\n"
    assert files.load("purchases", head + day * 2)["created"] == 2  # two of one file are two
    for options in (("--dry-run",), ()):
        result = files.load("purchases", f"{head}{day}u,2026-01-02,11.00\n", *options)
        assert (result["created"], files.refused(result)) == (1, [("2", "ALREADY_IMPORTED")])
    assert files.worth("u") == (Decimal(31), 3)
    decided = Path(result["errors_file"]).read_text()
    again = files.load("purchases", decided, name="decided.csv")
    assert (again["created"], files.refused(again)) == (0, [("2", "ALREADY_IMPORTED")])
    assert files.load("purchases", decided, "--confirm", name="decided.csv")["created"] == 1
    assert files.load("purchases", decided, name="decided.csv")["known"] == 1
    assert files.worth("u") == (Decimal(41), 4)


def test_an_order_that_was_open_when_it_was_imported_is_kept_by_the_export_that_says_so(
    files: Importing,
) -> None:
    head, number = "customer_id,order_id,order_date,promised_date,delivered_date\n", files.system
    due = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
    open_order = f"u,{number},2025-01-02,{due},"
    assert files.load("orders", f"{head}{open_order}\n")["created"] == 1
    newer = f"{head}{open_order}2025-01-09\nu,{number}-2,2025-01-02,{due},\n"
    planned = files.load("orders", newer, "--dry-run")
    assert (planned["created"], planned["known"], planned["corrected"]) == (1, 0, 1)
    done = files.load("orders", newer)
    assert (done["created"], done["corrected"], done["refused"]) == (1, 1, 0)
    request = promise_service_pb2.ListPromisesRequest(filter=f'reference = "orders/{number}"')
    [promise] = Session.open().stub(PromiseServiceStub, "cases").ListPromises(request).promises
    assert promise.state == states_pb2.PROMISE_STATE_KEPT
    assert files.load("orders", newer)["known"] == 2


def test_guests_of_a_shop_are_each_their_own_customer(files: Importing) -> None:
    rows = "".join(f"{n},0,,{files.mail(n)},2026-01-0{i},10.00\n" for i, n in enumerate("abc", start=1))
    head = "order_id,customer_id,customer_email,billing_email,date,amount\n"
    result = files.load("purchases", head + rows)
    assert (result["created"], [told["reason"] for told in result["told"]]) == (3, ["NO_ID"])
    assert [files.worth(files.mail(n)) for n in "abc"] == [(Decimal(10), 1)] * 3
    assert not files.find("0")


def test_payments_in_overlapping_exports_are_counted_once_by_their_own_id(files: Importing) -> None:
    head = "id,Created date (UTC),Amount,Currency,Customer ID,Invoice ID\n"
    first, second, third = (f"ch_{i},2026-01-0{i} 10:00:00,1{i}.00,usd,cus_1,\n" for i in (1, 2, 3))
    assert files.load("purchases", head + first + second)["created"] == 2
    again = files.load("purchases", head + second + third, name="later.csv")
    assert (again["created"], again["known"], again["refused"]) == (1, 1, 0)
    assert files.worth("cus_1") == (Decimal(36), 3)


def test_baskets_of_a_till_are_exact_for_each_household_whatever_the_order_of_their_lines(
    files: Importing,
) -> None:
    """Counted here again, line by line; and imported again, nothing doubles."""
    chance = random.Random(7)
    head = (
        "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,transaction_timestamp\n"
    )
    rows = []
    for basket in range(1, 301):
        whose, at = f"h{chance.randrange(12)},{chance.randrange(3)}", f"2017-03-{1 + basket % 28:02} 10:00:00"
        for _ in range(chance.randrange(1, 9)):
            many, value = (
                chance.choice(["1", "2", "0", "0.742", "9500"]),
                Decimal(chance.randrange(-50, 2000)) / 100,
            )
            rows.append(f"{whose},{basket},{chance.randrange(10**6)},{many},{value:.2f},0.10,{at}\n")
    chance.shuffle(rows)
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for row in csv.DictReader(io.StringIO(head + "".join(rows))):
        paid[row["household_id"]] += Decimal(row["sales_value"])
    result = files.load("purchases", head + "".join(rows))
    assert (result["rows"], result["created"], result["further"], result["refused"]) == (
        len(rows),
        300,
        len(rows) - 300,
        0,
    )
    assert {home: files.worth(home)[0] for home in paid} == paid
    again = files.load("purchases", head + "".join(rows))
    assert (again["created"], again["known"], again["corrected"]) == (0, 300, 0)
    assert {home: files.worth(home)[0] for home in paid} == paid
