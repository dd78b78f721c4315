import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from rapport.customer.v1 import (
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    section_pb2,
    timeline_pb2,
    view_pb2,
    view_service_pb2,
)
from rapport.options.v1 import layout_pb2
from rapport_tools.cli import session as sessions
from rapport_tools.cli import view_rebuilding
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.main import build, run
from rapport_tools.cli.terminal import Terminal
from rapport_tools.cli.view_page import page

CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"
WORK_ITEM = f"workItems/{CUSTOMER[10:]}"
ENTRY = f"{CUSTOMER}/timelineEntries/0198c0de-0000-7000-8000-000000000003"
PROMISE = "promises/0198c0de-0000-7000-8000-000000000002"
VIEW = view_pb2.CustomerView(
    name=f"{CUSTOMER}/view",
    customer=CUSTOMER,
    display_name="Maria [bold]Anders",
    relationship_manager="agents/sam",
    value=view_pb2.ValuePart(
        lifetime_values=[Money(currency_code="EUR", units=1234, nanos=500_000_000)],
        purchase_count=3,
        band="VALUE_BAND_GOLD",
    ),
    promises=[
        view_pb2.PromisePart(
            promise=PROMISE, state="PROMISE_STATE_AT_RISK", kind="delivery", reference="orders/7"
        ),
    ],
    advice=[
        view_pb2.AdvicePart(
            rule="ADVICE_RULE_AT_RISK_UNTOLD",
            evidence="promises/untold",
            variables={"kind": "delivery", "reference": "orders/7"},
        )
    ],
    latest_timeline_entries=[
        timeline_pb2.TimelineEntry(
            event_type="rapport.cases.v1.PromiseAtRisk", actor="agents/bob", resource=PROMISE
        ),
        timeline_pb2.TimelineEntry(
            event_type="rapport.cases.v1.WorkItemCreated", actor="agents/bob", resource=WORK_ITEM, name=ENTRY
        ),
        timeline_pb2.TimelineEntry(
            event_type="rapport.loyalty.v1.PurchaseCorrected",
            amount=Money(currency_code="EUR", units=1250),
        ),
    ],
    sections=[
        section_pb2.ViewSection(
            display_name="Billing",
            as_of_time=Timestamp(seconds=1_772_442_000),
            stale_time=Timestamp(seconds=1_772_500_000),
            cells=[
                section_pb2.SectionCell(
                    label="Open amount",
                    alarm=True,
                    money=Money(currency_code="EUR", units=86, nanos=400_000_000),
                ),
                section_pb2.SectionCell(label="Next debit", date=Date(year=2026, month=12, day=4)),
                section_pb2.SectionCell(label="Paid", time=Timestamp(seconds=1_772_442_000)),
                section_pb2.SectionCell(label="Invoices", count=1234),
                section_pb2.SectionCell(label="On time", number=0.985, format=layout_pb2.CELL_FORMAT_PERCENT),
                section_pb2.SectionCell(label="Score", number=0.985),
                section_pb2.SectionCell(label="Paperless", flag=False),
                section_pb2.SectionCell(label="Remark", text="\x1b[2J[bold]pays late", format=77),
                section_pb2.SectionCell(label="Of tomorrow"),
            ],
        )
    ],
    freshness=[
        view_pb2.SourceFreshness(service="services/cases", state=view_pb2.SourceFreshness.STATE_FRESH),
        view_pb2.SourceFreshness(
            service="services/loyalty",
            state=view_pb2.SourceFreshness.STATE_BEHIND,
            age=Duration(seconds=12),
            pending_event_count=3,
        ),
    ],
)


WHOM = customer_pb2.Customer(
    name=CUSTOMER,
    organization=customer_pb2.Organization(legal_name="Anders GmbH"),
    identifiers=[
        identifier_pb2.Identifier(value="maria@example.com"),
        identifier_pb2.Identifier(value="030 901820"),
    ],
)


class CustomerService:
    """Stands in for the customer service's stubs and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.found = customer_service_pb2.SearchCustomersResponse(matches=[{"customer": WHOM}])

    def SearchCustomers(self, request: Any) -> Any:
        self.asked.append(request)
        return self.found

    def GetCustomer(self, request: Any) -> Any:
        return WHOM

    def GetCustomerView(self, request: Any) -> Any:
        self.asked.append(request)
        return VIEW

    def RebuildCustomerViews(self, request: Any, timeout: float) -> Any:
        self.asked.append(request)
        page = view_service_pb2.RebuildCustomerViewsResponse(customer_count=500)
        if request.names:  # asked again: one was right after all
            page.differences.add(name=f"{CUSTOMER}/view", fields=["cases"])
        elif request.page_token:
            page.differences.add(name="customers/b/view", fields=["name"])
        else:
            page.differences.add(name=f"{CUSTOMER}/view", fields=["cases", "promises"])
            page.next_page_token = "more"
        return page

    def WatchCustomerView(self, request: Any) -> Iterator[Any]:
        self.asked.append(request)
        if len(self.asked) > 2:
            raise KeyboardInterrupt
        yield view_service_pb2.WatchCustomerViewResponse()  # a heartbeat
        yield view_service_pb2.WatchCustomerViewResponse(customer_view=VIEW)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> CustomerService:
    stub = CustomerService()

    class Session:
        def stub(self, cls: Callable[..., Any], name: str) -> Any:
            return stub

    monkeypatch.setattr(sessions.Session, "open", lambda *who: Session())
    return stub


def rapport(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    monkeypatch.setattr("sys.argv", ["rapport", "view", *args])
    return run(build())


def shown(width: int) -> str:
    terminal = Terminal()
    terminal.width = width
    with terminal.capture() as captured:
        terminal.print(page(VIEW, width, WHOM), crop=False)
    return captured.get()


def test_the_page_says_who_what_and_how_current() -> None:
    text = shown(160)
    for part in (
        "Maria [bold]Anders  GOLD",
        "Anders GmbH · maria@example.com · 030 901820",
        "In the care of agents/sam; 1,234.50 EUR in 3 purchases",
        "loyalty is behind: 12 s, 3 events to come",
        "at risk untold  delivery orders/7",
        "promises/untold",
        "AT_RISK  delivery orders/7",
        "1,250.00 EUR",
        PROMISE,
    ):
        assert part in text
    assert "cases is" not in text
    assert "Goodwill" not in text


def test_the_page_says_how_much_is_open_when_the_view_has_less() -> None:
    assert "Promises" in map(str.strip, shown(160).splitlines())
    VIEW.open_promise_count = 1200
    try:
        assert "Promises (1200 are open, 1 shown)" in shown(160)
    finally:
        VIEW.ClearField("open_promise_count")


def test_the_page_says_of_which_lists_the_view_has_a_part() -> None:
    VIEW.excerpts.extend(["latest_timeline_entries", "sections"])
    try:
        assert "Timeline (there are more)" in shown(160)
        assert "There are more sections, which do not fit." in shown(160)
    finally:
        VIEW.ClearField("excerpts")


def test_a_narrow_page_has_each_name_whole_in_the_line_below_what_it_is() -> None:
    lines = shown(80).splitlines()
    for what, name in (
        ("AT_RISK  delivery orders/7", PROMISE),
        ("WorkItemCreated  by agents/bob", WORK_ITEM),
    ):
        (at,) = [i for i, line in enumerate(lines) if what in line]
        assert lines[at + 1].strip() == name


@pytest.mark.parametrize("width", [80, 160])
def test_a_departments_section_is_shown_without_knowing_the_department(width: int) -> None:
    text = shown(width)
    assert "Billing  as of 2026-03-02 09:00  out of date" in text
    lines = [each.strip() for each in text.splitlines()]
    for label, value in {
        "Open amount": "86.40 EUR",
        "Next debit": "2026-12-04",
        "Paid": "2026-03-02 09:00",
        "Invoices": "1,234",
        "On time": "98.5%",
        "Score": "0.985",
        "Paperless": "no",
    }.items():
        assert [each for each in lines if re.fullmatch(rf"{label} +{re.escape(value)}", each)]
    assert "[bold]pays late" in text
    assert "\x1b[2J" not in text


def test_every_name_on_the_timeline_can_be_explained() -> None:
    assert WORK_ITEM in shown(160)
    (entry,) = [each for each in VIEW.latest_timeline_entries if each.resource == WORK_ITEM]
    entry.resource = "things/of-a-department-nobody-can-ask"
    try:
        assert ENTRY in shown(160)
        assert entry.resource not in shown(160)
    finally:
        entry.resource = WORK_ITEM


def test_a_promised_day_is_shown_as_the_day_it_is() -> None:
    VIEW.promises[0].due_date.CopyFrom(Date(year=2026, month=12, day=4))
    try:
        assert "2026-12-04" in shown(160)
    finally:
        VIEW.promises[0].ClearField("due_date")


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (["Maria Anders"], "Maria Anders"),
        (["maria@example.com"], "maria@example.com"),
        (["+49 (30) 901820"], "+49 (30) 901820"),
        (["030/901820"], "030/901820"),
        (["cdnow:00001"], "cdnow:00001"),
    ],
)
def test_a_customer_is_found_by_whatever_one_has_of_them(
    monkeypatch: pytest.MonkeyPatch, service: CustomerService, typed: list[str], asked: str
) -> None:
    assert rapport(monkeypatch, *typed) == Exit.DONE
    searched, viewed = service.asked
    assert (searched.query, viewed.name) == (asked, f"{CUSTOMER}/view")


@pytest.mark.parametrize("name", [CUSTOMER, CUSTOMER.removeprefix("customers/").upper(), f"{CUSTOMER}/view"])
def test_a_customer_is_found_by_name(
    monkeypatch: pytest.MonkeyPatch, service: CustomerService, name: str
) -> None:
    assert rapport(monkeypatch, name) == Exit.DONE
    assert [request.name for request in service.asked] == [f"{CUSTOMER}/view"]


def test_who_is_not_found_is_told_by_what_customers_are(
    monkeypatch: pytest.MonkeyPatch, service: CustomerService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.found.ClearField("matches")
    assert rapport(monkeypatch, "Maria Anders") == Exit.REFUSED
    said = capsys.readouterr().err
    assert "No customer is found by 'Maria Anders'" in said
    assert "words of the name" in said


@pytest.mark.parametrize("more", ["", "next"])
def test_several_are_listed_by_what_tells_them_apart_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, service: CustomerService, capsys: pytest.CaptureFixture[str], more: str
) -> None:
    shared = identifier_pb2.Identifier(name=f"{CUSTOMER}/identifiers/1", value="030 901820")
    for name, value in (("Anna\x1b[2J", "anna@example.com"), ("", "bert@example.com")):
        theirs = [shared, identifier_pb2.Identifier(value=value)]
        service.found.matches.add(
            customer=customer_pb2.Customer(name=CUSTOMER, display_name=name, identifiers=theirs),
            identifier=shared.name,
        )
    del service.found.matches[0]
    service.found.next_page_token = more
    assert rapport(monkeypatch, "+49 30 901820") == Exit.REFUSED
    out, said = capsys.readouterr()
    for part in ("Anna", "anna@example.com", "(no name)", "bert@example.com", "1970-01-01", CUSTOMER):
        assert part in out
    assert "030 901820" not in out
    assert "\x1b[2J" not in out
    assert f"{'More than ' if more else ''}2 customers are found by '+49 30 901820'" in said
    assert "`rapport view customers/...`" in said
    assert rapport(monkeypatch, "+49 30 901820", "--json") == Exit.REFUSED
    assert capsys.readouterr().out == ""


def test_watching_shows_each_view_and_goes_on_when_a_stream_ends(
    monkeypatch: pytest.MonkeyPatch, service: CustomerService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rapport(monkeypatch, CUSTOMER, "--watch", "--json") == 130
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["customer"] for line in lines] == [CUSTOMER, CUSTOMER]


def test_what_differs_is_named_once_what_was_on_its_way_has_come(
    service: CustomerService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(view_rebuilding, "AGAIN", 1)
    monkeypatch.setattr(view_rebuilding, "AGAIN_S", 0)
    assert rapport(monkeypatch, "rebuild", "--verify", "--json") == Exit.REFUSED
    said = json.loads(capsys.readouterr().out)
    assert said == {"customers": 1000, "differences": {f"{CUSTOMER}/view": ["cases"]}}
    assert all(each.validate_only for each in service.asked)


def test_rendering_anew_goes_on_where_it_ended(
    service: CustomerService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rapport(monkeypatch, "rebuild", "--after", "more") == Exit.DONE
    assert "500 views looked at, 1 rendered anew." in capsys.readouterr().out
    assert [(each.page_token, each.validate_only) for each in service.asked] == [("more", False)]
