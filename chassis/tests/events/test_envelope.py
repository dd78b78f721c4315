from datetime import UTC, datetime
from uuid import UUID

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from chassis.events.envelope import headers, parse
from rapport.cases.v1.cases_events_pb2 import CaseOpened

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
}
MESSAGES = {"rapport.cases.v1.CaseOpened": CaseOpened}
WORDS = st.text(min_size=1).filter(
    lambda text: not any("\ud800" <= character <= "\udfff" for character in text)
)


@given(resource=WORDS, actor=WORDS, version=st.integers(0, 2**63 - 1))
def test_what_is_published_is_what_is_consumed(resource, actor, version):
    row = ROW | {"resource": resource, "actor": actor, "resource_version": version}

    event = parse(headers(row, "cases"), CaseOpened(case="cases/1").SerializeToString(), MESSAGES)

    assert {name: getattr(event, name) for name in row} == row
    assert event.source == "cases"
    assert event.data.case == "cases/1"


@given(resource=WORDS, actor=WORDS)
def test_headers_are_printable_ascii(resource, actor):
    for value in headers(ROW | {"resource": resource, "actor": actor}, "cases").values():
        assert value.isascii()
        assert value.isprintable()


def test_a_type_that_nobody_asked_for_is_no_event():
    assert parse(headers(ROW | {"type": "rapport.cases.v2.CaseOpened"}, "cases"), b"", MESSAGES) is None


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce-id", "not a uuid"),
        ("ce-causationid", ""),
        ("ce-resourceversion", "first"),
        ("ce-time", "yesterday"),
        ("ce-time", "2026-03-02T12:00:00"),
    ],
)
def test_a_malformed_attribute_is_refused(header, value):
    with pytest.raises(ValueError):  # noqa: PT011 - the parsers of three types speak here
        parse(headers(ROW, "cases") | {header: value}, b"", MESSAGES)


def test_a_body_that_is_no_message_is_refused():
    with pytest.raises(DecodeError):
        parse(headers(ROW, "cases"), b"\xff", MESSAGES)
