import contextlib
import re
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.api import filters
from chassis.errors import InvalidArgument
from chassis.names import Pattern
from rapport.common.v1 import states_pb2

T = sa.table(
    "cases",
    sa.column("customer_id", sa.Uuid),
    sa.column("state", sa.Text),
    sa.column("topic", sa.Text),
    sa.column("reopen_count", sa.Integer),
    sa.column("open_time", sa.DateTime(timezone=True)),
    sa.column("due_date", sa.Date),
)
FIELDS = {
    "customer": filters.name(T.c.customer_id, Pattern("customers/{customer}")),
    "state": filters.enum(T.c.state, states_pb2.CaseState.DESCRIPTOR),
    "topic": filters.text(T.c.topic),
    "reopen_count": filters.number(T.c.reopen_count, most=2**31 - 1),
    "open_time": filters.moment(T.c.open_time),
    "due_date": filters.day(T.c.due_date),
}
ONE = UUID("0198c2a0-0000-7000-8000-000000000001")


def sql(text: str) -> str:
    return re.sub(r"\s+", " ", str(filters.parse(text, FIELDS).clause)).replace("cases.", "")


def refused(text: str) -> str:
    with pytest.raises(InvalidArgument) as refusal:
        filters.parse(text, FIELDS)
    [violation] = refusal.value.violations
    assert (violation.field, violation.reason) == ("filter", "INVALID_FILTER")
    return violation.description


def test_or_binds_tighter_than_and() -> None:
    found = sql("topic = a AND topic = b OR topic = c AND topic = d")
    assert found == ("topic = :filter_1 AND (topic = :filter_2 OR topic = :filter_3) AND topic = :filter_4")
    assert (
        sql("(topic = a AND topic = b) OR topic = c")
        == "topic = :filter_1 AND topic = :filter_2 OR topic = :filter_3"
    )


@pytest.mark.parametrize("negation", ["NOT topic = a", "-topic=a", "- topic = a", "NOT (topic = a)"])
def test_a_negated_term_lets_through_what_is_not_set(negation: str) -> None:
    assert sql(negation).replace("(", "").replace(")", "") == "topic = :filter_1 IS NOT true"


def test_different_from_a_value_includes_not_set() -> None:
    assert sql("topic != a") == "topic IS DISTINCT FROM :filter_1"


def test_a_colon_asks_for_equality_or_with_a_star_for_presence() -> None:
    assert sql("topic:a AND open_time:*") == "topic = :filter_1 AND open_time IS NOT NULL"
    assert filters.parse("topic:'*'", FIELDS).params == {"filter_1": "*"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"customer = customers/{ONE}", ONE),
        (f'customer="customers/{ONE}"', ONE),
        ("state = OPEN", "OPEN"),
        ("state = CASE_STATE_RESOLVED", "RESOLVED"),
        ("topic = late-delivery", "late-delivery"),
        (r'topic = "a \"b\" \\ c"', r'a "b" \ c'),
        ("topic = 'AND (x)'", "AND (x)"),
        ("topic = ''", ""),
        ("reopen_count >= -5", -5),
        ("due_date = 2026-03-01", date(2026, 3, 1)),
        ('due_date < "2026-03-01"', date(2026, 3, 1)),
        ('open_time > "2026-03-01T09:00:00Z"', datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("open_time <= 2026-03-01T10:00:00.25+01:00", datetime(2026, 3, 1, 9, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_values_become_what_the_column_holds(text: str, value: object) -> None:
    assert filters.parse(text, FIELDS).params == {"filter_1": value}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("colour = red", "at character 1: a field must stand here, one of customer, state, topic"),
        ("late", "a field must stand here"),
        ("AND", "a field must stand here"),
        ("topic = a AND", "a field must stand here"),
        ("topic = a topic = b", "AND, OR or the end"),
        ("topic = a)", "AND, OR or the end"),
        ("(topic = a", "a closing parenthesis must follow"),
        ("topic", "topic must be compared by one of = : !="),
        ("topic < a", "topic must be compared by one of = : !="),
        ("topic = ANDY ANDtopic = b", "AND, OR or the end"),
        ("state = CLOSED", "one of OPEN, RESOLVED"),
        ("state = UNSPECIFIED", "one of OPEN, RESOLVED"),
        ("customer = cases/1", "a name like customers/{customer}"),
        ("reopen_count = 2147483648", "a whole number from -2147483647 to 2147483647"),
        ("reopen_count = 1.5", "a whole number"),
        ("reopen_count = ٣", "a whole number"),
        ("open_time > 2026-03-01", "RFC 3339"),
        ("open_time > 2026-13-01T00:00:00Z", "RFC 3339"),
        ("open_time > 0001-01-01T00:00:00+23:59", "RFC 3339"),
        ("topic = 'a\0b'", "text without control characters"),
        ("open_time > 9999-12-31T23:59:59-23:59", "RFC 3339"),
        ("NOT NOT topic = a", "a field must stand here"),
        (" AND ".join(["topic = a"] * 21), "at most 20 comparisons"),
        ("(" * 11 + "topic = a" + ")" * 11, "may be nested 10 deep"),
        ("topic = " + "a" * 1000, "at most 1000 characters"),
    ],
)
def test_what_is_wrong_is_refused_with_what_is_allowed(text: str, allowed: str) -> None:
    assert allowed in refused(text)


def test_a_refusal_never_repeats_the_value() -> None:
    assert "jane@example.org" not in refused('state = "jane@example.org"')


def test_an_empty_filter_lets_everything_pass() -> None:
    assert filters.parse("  ", FIELDS).shape == ""


def test_filters_that_differ_in_values_only_share_a_shape() -> None:
    first, second = (filters.parse(f"topic = {value} OR -state = OPEN", FIELDS) for value in "ab")
    assert (first.shape, str(first.clause)) == (second.shape, str(second.clause))


@pytest.mark.parametrize(
    "other", ["topic != a", "topic:*", "state = OPEN", "topic = a AND topic = b", "-topic = a"]
)
def test_filters_that_differ_in_more_have_another_shape(other: str) -> None:
    assert filters.parse(other, FIELDS).shape != filters.parse("topic = a", FIELDS).shape


WORDS = [
    "topic",
    "state",
    "=",
    "!=",
    "<",
    ":",
    "*",
    "AND",
    "OR",
    "NOT",
    "-",
    "(",
    ")",
    "'",
    '"',
    "\\",
    "a",
    "OPEN",
    "\x00",
]
words = st.lists(st.sampled_from(WORDS), max_size=40)


@given(st.text() | words.map(" ".join) | words.map("".join))
@example("(" * 1000)
@example("-" * 1000)
@example("topic = " + "'" * 900)
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        assert len(filters.parse(text, FIELDS).params) <= filters.TERMS_MAX
