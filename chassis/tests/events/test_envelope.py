from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.messages import moment, money
from chassis.errors import Malformed
from chassis.events.envelope import headers, parse
from chassis.events.shown import Shown
from chassis.names import SUBJECT
from rapport.cases.v1.cases_events_pb2 import CaseOpened, CaseReopened
from rapport.common.v1.channel_pb2 import CHANNEL_VOICE, DIRECTION_INBOUND
from rapport.customer.v1.customer_events_pb2 import InteractionRecorded
from rapport.loyalty.v1.loyalty_events_pb2 import PurchaseRecorded

DATA = CaseOpened(case="cases/1", customer="customers/anna", topic="late").SerializeToString()
ROW = {
    "id": UUID("0198c0de-0000-7000-8000-000000000001"),
    "type": "rapport.cases.v1.CaseOpened",
    "resource": "cases/1",
    "resource_version": 3,
    "time": datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC),
    "actor": "agent:alice",
    "correlation_id": "flow-1",
    "causation_id": UUID("0198c0de-0000-7000-8000-000000000002"),
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "data": DATA,
}
MESSAGES = {"rapport.cases.v1.CaseOpened": CaseOpened}
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
NAMES = st.from_regex(r"[a-z][A-Za-z0-9]{0,20}(/[A-Za-z0-9][A-Za-z0-9._-]{0,60}){1,4}", fullmatch=True)
ACTORS = st.from_regex(SUBJECT, fullmatch=True) | st.just("clock")


@given(resource=NAMES, actor=ACTORS, version=st.integers(0, 2**63 - 1))
def test_what_is_published_is_what_is_consumed(resource, actor, version):
    row = ROW | {"resource": resource, "actor": actor, "resource_version": version}

    event = parse(headers(row, "cases"), DATA, MESSAGES)

    assert {name: getattr(event, name) for name in row if name != "data"} | {"data": DATA} == row
    assert event.source == "cases"
    assert event.data.case == "cases/1"


@pytest.mark.parametrize(
    "actor", ["", "alice", "user:alice", "agent:alice@corp.example", "agent:a:b", "clock:x"]
)
def test_who_acts_is_an_agent_a_service_or_the_clock(actor):
    with pytest.raises(Malformed, match="actor"):
        parse(headers(ROW | {"actor": actor}, "cases"), DATA, MESSAGES)


def test_a_customer_acts_by_their_own_link():
    actor = f"customer:{UUID(int=7)}"
    assert parse(headers(ROW | {"actor": actor}, "cases"), DATA, MESSAGES).actor == actor


@given(resource=WORDS, actor=WORDS)
def test_headers_are_printable_ascii(resource, actor):
    for value in headers(ROW | {"resource": resource, "actor": actor}, "cases").values():
        assert value.isascii()
        assert value.isprintable()


def test_what_has_no_contract_here_is_told_by_its_attributes():
    event = parse(headers(ROW, "cases"), DATA, {})
    assert event.data is None
    assert (event.type, event.resource, event.actor) == (ROW["type"], "cases/1", "agent:alice")
    assert event.shown == Shown(customer="customers/anna", topic="late")


def test_why_it_was_done_is_told():
    again = CaseReopened(case="cases/1", reason_code="not-settled").SerializeToString()
    row = ROW | {"type": "rapport.cases.v1.CaseReopened", "data": again}
    assert parse(headers(row, "cases"), again, {}).shown == Shown(reason="not-settled")


def test_what_was_paid_and_when_it_happened_is_told_as_the_contract_describes_it():
    bought = Timestamp(seconds=1_700_000_000, nanos=5000)
    paid = PurchaseRecorded(
        purchase_time=bought, net_amount=Money(currency_code="USD", units=-2, nanos=-500_000_000)
    )
    row = ROW | {"type": "rapport.loyalty.v1.PurchaseRecorded", "data": paid.SerializeToString()}
    shown = parse(headers(row, "loyalty"), row["data"], {}).shown
    assert (shown.occur_time, shown.amount, shown.currency_code) == (moment(bought), Decimal("-2.5"), "USD")
    assert shown.topic == shown.customer == ""


def test_whose_it_is_and_who_spoke_first_is_told():
    called = InteractionRecorded(
        department="departments/billing", channel=CHANNEL_VOICE, direction=DIRECTION_INBOUND, topic="bill"
    )
    row = ROW | {"type": "rapport.customer.v1.InteractionRecorded", "data": called.SerializeToString()}
    shown = parse(headers(row, "customer"), row["data"], {}).shown
    assert shown == Shown(
        department="departments/billing", channel="VOICE", direction="INBOUND", topic="bill"
    )


@pytest.mark.parametrize(
    "data", [b"\xff", PurchaseRecorded(purchase_time=Timestamp(seconds=2**62)).SerializeToString()]
)
def test_a_row_that_cannot_be_read_is_published_all_the_same(data):
    assert headers(ROW | {"type": "rapport.loyalty.v1.PurchaseRecorded", "data": data}, "cases")["ce-id"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce-id", "not a uuid"),
        ("ce-id", "9b2e4f6a-1c3d-4e5f-8a7b-0c1d2e3f4a5b"),  # of no day
        ("ce-causationid", ""),
        ("ce-resourceversion", "first"),
        ("ce-time", "yesterday"),
        ("ce-time", "2026-03-02T12:00:00"),
        ("ce-occurtime", "2026-03-02T12:00:00"),
        ("ce-amount", "NaN EUR"),
        ("ce-amount", "1e999 EUR"),
        ("ce-amount", "12.50"),
        ("ce-amount", f"{2**63} EUR"),  # no answer could hold it
        ("ce-topic", "late%00"),  # what no row holds
        ("ce-subject", "cases/\0"),
        ("ce-resourceversion", f"{2**63}"),
        ("ce-resourceversion", "1_0"),
        ("ce-occurtime", "0001-01-01T00:00:00+14:00"),
        ("ce-occurtime", "0001-01-01T00:00:00+00:00"),  # a database has it as no time at all
        ("ce-time", "1969-12-31T23:59:59+00:00"),
        ("ce-time", "9999-12-31T23:59:59.999999+00:00"),
        ("ce-subject", "x" * 4097),
        ("ce-subject", ""),
        ("ce-subject", "cases"),
        ("ce-source", "cases"),
        ("ce-source", "//cases.rapport/"),
        ("ce-type", "rapport.cases.v1.CaseOpened "),
        ("ce-type", "rapport.cases.v1"),
        ("ce-type", "Rapport.Cases.V1.CaseOpened"),
        ("ce-type", "rapport.cases.v1\u200b.CaseOpened"),
        ("ce-type", f"rapport.cases.v1.C{'o' * 300}"),
        ("ce-subject", f"cases/{'7' * 295}"),
        ("ce-subject", "cases/7%0A"),
        ("ce-subject", "cases/%E2%80%AE7"),  # turns what follows it around
        ("ce-topic", "Late delivery"),
        ("ce-reason", "She fell ill"),
        ("ce-outcome", "She hung up"),
        ("ce-topic", "late%1B[2J"),
        ("ce-topic", "x" * 64),
        ("ce-department", "billing"),
        ("ce-department", "departments/Billing"),
        ("ce-correlationid", ""),
        ("ce-correlationid", "flow 1"),
        ("ce-correlationid", "x" * 65),
    ],
)
def test_a_malformed_attribute_is_refused(header, value):
    with pytest.raises((Malformed, ValueError)):  # the parsers of three types speak here
        parse(headers(ROW, "cases") | {header: value}, b"", MESSAGES)


@pytest.mark.parametrize("code", ["BGN", "DEM", "ZZZ"])
def test_an_amount_in_a_currency_that_is_gone_or_to_come_is_heard(code):
    shown = parse(headers(ROW, "gifts") | {"ce-amount": f"12.50 {code}"}, b"", {}).shown
    assert (shown.amount, shown.currency_code) == (Decimal("12.50"), code)


def test_the_largest_amount_that_an_answer_can_hold_is_heard():
    told = headers(ROW, "gifts") | {"ce-amount": f"{2**63 - 1}.999999999 EUR"}
    assert money(parse(told, b"", {}).shown.amount, "EUR").units == 2**63 - 1


def test_a_body_that_is_no_message_is_refused():
    with pytest.raises(DecodeError):
        parse(headers(ROW, "cases"), b"\xff", MESSAGES)
