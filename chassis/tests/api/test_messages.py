from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import dayofweek_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.messages import (
    decimal,
    enum_name,
    enum_number,
    moment,
    money,
    shown_amount,
    timestamp,
    to_message,
)
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesResponse
from rapport.common.v1 import states_pb2
from rapport.common.v1.channel_pb2 import Channel


class State(StrEnum):
    OPEN = "OPEN"
    RESOLVED = "RESOLVED"


@dataclass(slots=True)
class Entity:
    """Some fields of the message, one that it has not, one under another type."""

    id: UUID
    topic: str
    state: State
    open_time: datetime
    resolve_time: datetime | None = None
    reopen_count: int = 0
    tags: list[str] = field(default_factory=list)


OPENED = datetime(2026, 3, 1, 9, tzinfo=UTC)
ENTITY = Entity(UUID(int=1), "late-delivery", State.RESOLVED, OPENED, reopen_count=2)


def test_fields_of_the_same_name_are_copied_and_others_left_out() -> None:
    found = to_message(Case, ENTITY, name="cases/1", etag='"7"')
    assert found == Case(
        name="cases/1",
        topic="late-delivery",
        state=states_pb2.CASE_STATE_RESOLVED,
        open_time=Timestamp(seconds=1772355600),
        reopen_count=2,
        etag='"7"',
    )


@pytest.mark.parametrize(("amount", "currency", "shown"), [
    ("1234.5", "EUR", "1,234.50 EUR"),
    ("-1.5", "EUR", "-1.50 EUR"),
    ("500", "JPY", "500 JPY"),
    ("1.235", "KWD", "1.235 KWD"),
    ("12.5", "ZZZ", "12.500000000 ZZZ"),
])  # fmt: skip
def test_an_amount_is_shown_with_the_decimals_of_its_currency(amount: str, currency: str, shown: str) -> None:
    assert shown_amount(money(Decimal(amount), currency), ",") == shown


def test_none_leaves_a_field_unset() -> None:
    assert not to_message(Case, ENTITY).HasField("resolve_time")
    assert not to_message(Case, ENTITY, open_time=None).HasField("open_time")


def test_an_override_wins_over_the_entity() -> None:
    assert to_message(Case, ENTITY, topic="other", state="OPEN").topic == "other"


def test_an_override_that_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Case has no field colour"):
        to_message(Case, ENTITY, colour="red")


def test_repeated_messages_are_copied_from_entities_and_from_messages() -> None:
    found = to_message(ListCasesResponse, None, cases=[ENTITY, Case(topic="other")], next_page_token="next")
    assert [case.topic for case in found.cases] == ["late-delivery", "other"]


def test_an_unknown_enum_value_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError):
        to_message(Case, ENTITY, state="CLOSED")


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_survives_the_way_into_a_message_and_back(at: datetime) -> None:
    assert moment(timestamp(at)) == at


@given(st.decimals(-(10**15), 10**15, places=9))
def test_an_amount_survives_the_way_into_a_message_and_back(amount: Decimal) -> None:
    message = money(amount, "EUR")
    assert decimal(message) == amount
    assert message.units * message.nanos >= 0


@pytest.mark.parametrize("channel", Channel.values())
def test_an_enum_value_survives_the_way_to_its_short_name_and_back(channel: int) -> None:
    name = enum_name(Channel.DESCRIPTOR, channel)
    assert not name.startswith("CHANNEL_")
    assert enum_number(Channel.DESCRIPTOR, name) == channel


def test_values_whose_names_have_no_prefix_are_called_as_they_are() -> None:
    monday = dayofweek_pb2.DayOfWeek.DESCRIPTOR
    assert (enum_name(monday, 1), enum_number(monday, "MONDAY")) == ("MONDAY", 1)


def test_a_number_that_is_no_value_of_the_enum_is_unspecified() -> None:
    assert enum_name(Channel.DESCRIPTOR, 99) == "UNSPECIFIED"
