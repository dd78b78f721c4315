"""Birth dates: as far as they are known, and none that may be two."""

import pytest
from google.type.date_pb2 import Date

from rapport_imports.dates import born


@pytest.mark.parametrize(
    ("text", "first", "found"),
    [
        ("1984-04-12", "", (1984, 4, 12)),
        ("1984-04-12T00:00:00.000Z", "", (1984, 4, 12)),
        ("1984-04-12 23:00:00", "", (1984, 4, 12)),
        ("19840412", "", (1984, 4, 12)),
        ("12.4.1984", "", (1984, 4, 12)),
        ("25/12/1984", "", (1984, 12, 25)),
        ("4/12/1984", "month", (1984, 4, 12)),
        ("4/12/1984", "day", (1984, 12, 4)),
        ("12.4.84", "", (1984, 4, 12)),
        ("4/12/84", "month", (1984, 4, 12)),
        ("12 Apr 1984", "", (1984, 4, 12)),
        ("April 12, 1984", "", (1984, 4, 12)),
        ("1984", "", (1984, 0, 0)),
        ("1984-04", "", (1984, 4, 0)),
        ("--04-12", "", (0, 4, 12)),
        ("--0412", "", (0, 4, 12)),
        ("--02-29", "", (0, 2, 29)),
    ],
)
def test_a_birth_date_is_read_as_far_as_it_is_known(text: str, first: str, found: tuple[int, ...]) -> None:
    assert born(text, "", first) == Date(year=found[0], month=found[1], day=found[2])


@pytest.mark.parametrize(
    "text",
    [
        "4/12/1984",
        "4/12/84",
        "12.4.21",
        "19571323",
        "1984-02-30",
        "spring",
        "2031-01-01",
        "1840-01-01",
        "1984-13",
        "1700",
        "2150",
        "--02-30",
        "--13-45",
    ],
)
def test_what_may_be_two_dates_or_is_none_is_no_birthday(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever
        born(text, "", "")


@pytest.mark.parametrize(
    "text", ["1900-01-01", "30.12.1899", "0001-01-01", "0000", "0000-00", "0000-00-00", "0000-00-00 00:00:00"]
)
def test_what_databases_write_for_nothing_is_nothing(text: str) -> None:
    assert born(text, "", "") is None


def test_a_format_decides() -> None:
    assert born("12-04-84", "%d-%m-%y", "") == Date(year=1984, month=4, day=12)
