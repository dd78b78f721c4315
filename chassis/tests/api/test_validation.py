from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.currencies import Currency
from chassis.api.messages import timestamp
from chassis.api.validation import Check
from chassis.api.wellknown import EARLIEST, LATEST
from chassis.errors import InvalidArgument
from chassis.names import Pattern
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import CreateWorkItemRequest, ForecastWorkItemRequest
from rapport.common.v1 import states_pb2
from rapport.customer.v1 import customer_pb2

CASE = Pattern("cases/{case}")
ONE = UUID("0198c2a0-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def reasons(*checks: Callable[[Check], Any]) -> list[tuple[str, str]]:
    check = Check()
    for run in checks:
        run(check)
    return [(violation.field, violation.reason) for violation in check.violations]


def forecast(at: Timestamp | None) -> ForecastWorkItemRequest:
    return ForecastWorkItemRequest(forecast_finish_time=at)


def test_every_violation_is_reported_at_once() -> None:
    check = Check()
    check.name(CASE, "cases/1", "name")
    check.text("", "note.text", max=4000)
    check.at("requests[3]").code("Not A Code", "topic")
    with pytest.raises(InvalidArgument) as refused:
        check.raise_if_any()
    assert [(v.field, v.reason) for v in refused.value.violations] == [
        ("name", "INVALID_NAME"),
        ("note.text", "REQUIRED"),
        ("requests[3].topic", "INVALID_CODE"),
    ]


def test_a_request_without_violations_passes_with_its_values() -> None:
    check = Check()
    assert check.name(CASE, f"cases/{ONE}", "name") == (ONE,)
    assert check.text(" Zoë\n\tO'Neil 👋 ", "text") == " Zoë\n\tO'Neil 👋 "
    assert check.code("late-delivery", "topic") == "late-delivery"
    assert check.one_of("delay", "template", ["delay", "thanks"]) == "delay"
    assert check.enum(states_pb2.CaseState.DESCRIPTOR, states_pb2.CASE_STATE_RESOLVED, "state") == "RESOLVED"
    assert check.moment(forecast(timestamp(NOW)), "forecast_finish_time") == NOW
    assert check.count(7, "count", least=1, most=7) == 7
    assert check.batch([1], "requests") == [1]
    check.raise_if_any()


def test_what_is_absent_is_refused_where_required_and_none_elsewhere() -> None:
    assert {reason for _, reason in reasons(
        lambda c: c.name(CASE, "", "a"),
        lambda c: c.text(" \n", "b"),
        lambda c: c.code("", "c"),
        lambda c: c.moment(forecast(None), "forecast_finish_time"),
        lambda c: c.one_of("", "f", ["x"]),
        lambda c: c.batch([], "g"),
    )} == {"REQUIRED"}  # fmt: skip
    check = Check()
    assert check.name(CASE, "", "a", required=False) == (None,)
    assert check.moment(forecast(None), "forecast_finish_time", required=False) is None
    assert check.enum(states_pb2.CaseState.DESCRIPTOR, 0, "f", required=False) == "UNSPECIFIED"
    check.raise_if_any()


@pytest.mark.parametrize("bad", ["\0", "\r", "\x1b", "\x7f", "\x85", "\n", "\u202e"])
def test_what_is_judged_apart_holds_no_more_than_a_request(bad: str) -> None:
    customer = customer_pb2.Customer(display_name=f"a{bad}b")
    assert reasons(lambda c: c.texts(customer)) == [("display_name", "INVALID_TEXT")]


def test_text_is_counted_in_characters() -> None:
    assert reasons(lambda c: c.text("👋" * 200, "text"), lambda c: c.text("👋" * 201, "text")) == [
        ("text", "TOO_LONG")
    ]


@pytest.mark.parametrize("bad", ["A", "-a", "a-", "a" * 64, "a b", "a_b", "é", "a\n"])
def test_codes_are_lower_case_letters_digits_and_dashes(bad: str) -> None:
    assert reasons(lambda c: c.code(bad, "topic")) == [("topic", "INVALID_CODE")]


@pytest.mark.parametrize("number", [0, 99, -1])
def test_an_enum_is_a_known_value_and_the_refusal_lists_them(number: int) -> None:
    check = Check()
    check.enum(states_pb2.CaseState.DESCRIPTOR, number, "state")
    [violation] = check.violations
    assert (violation.reason, violation.description) == ("INVALID_ENUM", "must be one of OPEN, RESOLVED")


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_no_timestamp_makes_the_check_fail_in_another_way(seconds: int, nanos: int) -> None:
    request = forecast(Timestamp(seconds=seconds, nanos=nanos))
    check = Check()
    at = check.moment(request, "forecast_finish_time")
    assert (at is None) == bool(check.violations)
    assert at is None or EARLIEST <= at <= LATEST


def test_bounds_of_a_time_are_included_and_what_is_beyond_is_not() -> None:
    latest, tick = NOW + timedelta(days=1), timedelta(microseconds=1)

    def refused(at: datetime) -> bool:
        check = Check()
        check.moment(forecast(timestamp(at)), "forecast_finish_time", earliest=NOW, latest=latest)
        return bool(check.violations)

    assert [refused(at) for at in (NOW - tick, NOW, latest, latest + tick)] == [True, False, False, True]


def test_the_epoch_is_a_time_and_not_absent() -> None:
    at = Check().moment(forecast(Timestamp()), "forecast_finish_time")
    assert at == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_nested_time_is_found_by_its_path() -> None:
    request = CreateWorkItemRequest(work_item=WorkItem(forecast_finish_time=timestamp(NOW)))
    assert Check().moment(request, "work_item.forecast_finish_time") == NOW
    empty = CreateWorkItemRequest()
    field = "work_item.forecast_finish_time"
    assert reasons(lambda c: c.moment(empty, field)) == [(field, "REQUIRED")]


@pytest.mark.parametrize(("code", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_its_own_number_of_decimals(code: str, decimals: int) -> None:
    assert Currency.of(code).decimals == decimals


@pytest.mark.parametrize("code", ["", "eur", "ABC", "XAU", "XXX"])
def test_what_nobody_pays_in_is_no_currency(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Currency.of(code)


def test_numbers_and_batches_keep_within_their_bounds() -> None:
    assert reasons(
        lambda c: c.count(-1, "a"), lambda c: c.count(8, "b", most=7), lambda c: c.count(1, "c")
    ) == [
        ("a", "INVALID_NUMBER"),
        ("b", "INVALID_NUMBER"),
    ]
    check = Check()
    assert check.batch([0] * 1001, "requests") == []
    assert check.violations[0].reason == "TOO_LONG"
    assert len(Check().batch([0] * 1000, "requests")) == 1000


def test_a_refusal_never_repeats_what_was_sent() -> None:
    check, secret = Check(), "jane@example.org"
    check.name(CASE, secret, "a")
    check.code(secret, "b")
    check.one_of(secret, "d", ["x"])
    assert len(check.violations) == 3
    assert secret not in str(check.violations)
