"""What is typed of an attribute is read as its author writes, and said as they read."""

from datetime import UTC, datetime

import pytest
from google.type.date_pb2 import Date

from chassis.errors import InvalidArgument
from desk.pages.actions.kinds.values import typed_value
from desk.pages.customer.things import value_of
from desk.ui.speech import speech
from rapport.customer.v1.attribute_pb2 import Attribute, TypedValue

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DECIMAL, WHOLE = Attribute.TYPE_DECIMAL, Attribute.TYPE_WHOLE_NUMBER
DATE, BOOLEAN = Attribute.TYPE_DATE, Attribute.TYPE_BOOLEAN


@pytest.mark.parametrize(
    ("typed", "type", "language", "value", "shown"),
    [
        ("1,234.5", DECIMAL, "en", TypedValue(decimal="1234.5"), "1,234.5"),
        ("1.234,5", DECIMAL, "de", TypedValue(decimal="1234.5"), "1.234,5"),
        ("-12", WHOLE, "en", TypedValue(whole_number=-12), "-12"),
        ("true", BOOLEAN, "de", TypedValue(boolean=True), "ja"),
        ("1984-04-12", DATE, "en", TypedValue(date=Date(year=1984, month=4, day=12)), "12 Apr 1984"),
        ("basic", Attribute.TYPE_CODE, "en", TypedValue(code="basic"), "Basic"),
        ("12.5", Attribute.TYPE_TEXT, "de", TypedValue(text="12.5"), "12.5"),
    ],
)
def test_a_value_is_read_and_said_in_the_language_of_who_types_it(
    typed: str, type: int, language: str, value: TypedValue, shown: str
) -> None:
    say = speech(language, "UTC", NOW)
    assert typed_value(typed, type, say) == value
    assert value_of(value, "attributes/billing.something", say) == shown


@pytest.mark.parametrize(
    ("typed", "type", "language", "reason"),
    [
        ("12.5", DECIMAL, "de", "INVALID_NUMBER"),  # it is not guessed what the point is
        ("12.5", WHOLE, "en", "INVALID_NUMBER"),
        ("NaN", WHOLE, "en", "INVALID_NUMBER"),
        ("Infinity", DECIMAL, "en", "INVALID_NUMBER"),
        ("many", DECIMAL, "en", "INVALID_NUMBER"),
        ("12 April", DATE, "en", "INVALID_TIME"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(typed: str, type: int, language: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        typed_value(typed, type, speech(language, "UTC", NOW))
    assert [each.reason for each in refused.value.violations] == [reason]


def test_a_language_is_said_by_its_name() -> None:
    say = speech("en", "UTC", NOW)
    assert value_of(TypedValue(text="de"), "attributes/profile.language-code", say) == "German"
