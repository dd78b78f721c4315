"""Dates as people write them, and what decides whether the day or the month comes first."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_imports.dates import format_of, read
from rapport_imports.deciding import DayOrder
from rapport_imports.decoding import UnreadableFile


def column(*cells: str) -> list[datetime]:
    """What a column of cells means."""
    order = DayOrder()
    for line, cell in enumerate(cells, start=2):
        order.add(line, cell)
    first = order.decided()
    return [read(cell, first=first) for cell in cells]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-02",
        "20260302",
        "2026/03/02",
        "2026-3-2",
        "2026-03-02 00:00:00",
        "2026-03-02T00:00:00Z",
        "2026-03-02 00:00:00 UTC",
        "2026-03-01 19:00:00 -0500",
        "02.03.2026",
        "2.3.2026 00:00",
        "2 Mar 2026",
        "March 2, 2026",
        "02-Mar-2026",
        "2/mar/2026",
        "2026 Mar 02",
        "Mar 2 2026",
        "2 March 2026 00:00",
        "March 2, 2026, 12:00 AM",
        "2026 Mar 02 12:00:00 AM",
    ],
)
def test_a_day_that_can_only_be_one_is_read(cell: str) -> None:
    assert column(cell) == [datetime(2026, 3, 2, tzinfo=UTC)]


def test_a_year_of_two_digits_is_one_after_dots_and_asked_for_where_it_may_be_a_day() -> None:
    assert read("31.12.25") == datetime(2025, 12, 31, tzinfo=UTC)
    assert read("1.2.99 14:30") == datetime(1999, 2, 1, 14, 30, tzinfo=UTC)
    assert read("25/12/31", "%y/%m/%d") == datetime(2025, 12, 31, tzinfo=UTC)


def test_times_of_day_follow_the_date() -> None:
    assert column("13/1/2010 8:26") == [datetime(2010, 1, 13, 8, 26, tzinfo=UTC)]
    assert column("1/13/2010 8:26:05 PM") == [datetime(2010, 1, 13, 20, 26, 5, tzinfo=UTC)]
    assert read("12/1/2010 12:00 am", first="month") == datetime(2010, 12, 1, tzinfo=UTC)
    assert read("2026-01-02 10:00:00 -0500").utcoffset() == timedelta(hours=-5)


def test_one_row_that_shows_it_decides_for_the_whole_column() -> None:
    assert column("01/02/2026", "13/02/2026")[0] == datetime(2026, 2, 1, tzinfo=UTC)
    assert column("01/02/2026", "02/13/2026")[0] == datetime(2026, 1, 2, tzinfo=UTC)
    assert column("02/02/2026") == [datetime(2026, 2, 2, tzinfo=UTC)]


@pytest.mark.parametrize("cells", [["01/02/2026"], ["01/02/2026", "13/02/2026", "02/13/2026"]])
def test_what_stays_ambiguous_is_asked_for_by_the_name_of_the_option(cells: list[str]) -> None:
    asked = "say --date-format %d/%m/%Y or --date-format %m/%d/%Y"
    with pytest.raises(UnreadableFile, match=f"on line 2 .* {asked}"):
        column(*cells)


def test_a_format_is_for_what_is_not_written_as_iso() -> None:
    assert read("12/1/2010 8:26", "%m/%d/%Y %H:%M") == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert read("2026-03-02T00:00:00", "%d.%m.%Y") == datetime(2026, 3, 2, tzinfo=UTC)
    assert read("2026-02-03", "%Y-%d-%m") == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    [
        "yesterday",
        "2026-02-30",
        "31.2.2026",
        "1/2/26",
        "25/12/31",
        "31-12-25",
        "31.12.255",
        "31.12.5",
        "32/1/2026",
        "1/2/2026",
        "13:00",
        "2026-13-01",
        "0/0/2026",
        "1/13/2026 25:00",
        "2 Mro 2026",
        "30 Feb 2026",
        "Mar 2026",
        "2 Mar 6",
        "2 Mar 2026 25:00",
    ],
)
def test_what_is_no_date_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which says nothing more
        read(cell)


@pytest.mark.parametrize(
    "text", ["%Y-%m-%d%Y", "DD.MM.YYYY DD", "%d.%m.%Y" + "%z" * 200, "%d.%m", "%", "DD.MM", "%d" * 9, "(%d"]
)
def test_a_format_that_no_date_has_is_told_what_it_must_have(text: str) -> None:
    with pytest.raises(UnreadableFile, match="must have a day, a month and a year, no part twice") as told:
        format_of(text)
    assert len(str(told.value)) < 300


@given(st.text(alphabet="%YmdHMSzjUaAbBp()[]*+?\\ ./-DMYT"))
def test_no_format_breaks_the_reading(text: str) -> None:
    with suppress(UnreadableFile):
        assert "%" in format_of(text)


MOMENTS = st.integers(-2_208_900_000, 7_258_000_000).map(
    lambda seconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(st.lists(MOMENTS, min_size=1), st.sampled_from(["%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"]))
def test_a_column_written_in_one_way_is_read_as_it_was_meant_or_asked_for(
    moments: list[datetime], how: str
) -> None:
    try:
        assert column(*(at.strftime(how) for at in moments)) == moments
    except UnreadableFile:
        assert all(at.day <= 12 for at in moments)


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_every_moment_with_an_offset_is_read(at: datetime, minutes: int) -> None:
    moment = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert read(moment.isoformat()) == moment
    assert read(moment.strftime("%Y-%m-%d %H:%M:%S %z")) == moment


@given(st.text(alphabet="0123456789/-.: TZ+apm") | st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    with suppress(ValueError):
        assert read(text, first="day").tzinfo is not None
