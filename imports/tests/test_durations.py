"""Business time over the rows of a file: what counts, what does not, and how its dates are read."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.business_time import Calendar, read
from rapport_imports.decoding import UnreadableFile
from rapport_imports.durations import Counting, Durations
from rapport_imports.tabular import open_table

HOURS = [{"days": ["MON", "TUE", "WED", "THU", "FRI"], "windows": ["09:00-12:00", "13:00-17:00"]}]
CALENDAR = Calendar(read({"timeZone": "America/New_York", "hours": HOURS, "holidays": {"country": "US"}}))


def count(
    tmp_path: Path, *rows: str, header: str = "opened,closed", calendar: Calendar = CALENDAR
) -> Durations:
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return Counting(open_table(path), calendar, "opened", "closed").count()


def test_lunch_nights_weekends_and_holidays_do_not_count(tmp_path):
    found = count(tmp_path, "2026-11-25 16:30,2026-11-30 13:30")  # over Thanksgiving and the weekend
    assert (found.rows, found.minutes, found.refused) == (1, 30 + 7 * 60 + 3 * 60 + 30, 0)


def test_of_each_row_the_whole_minutes_count(tmp_path):
    found = count(tmp_path, *["2026-11-24 09:00:00,2026-11-24 09:01:30"] * 2)
    assert (found.minutes, found.elapsed) == (2, timedelta(minutes=3))


def test_fractions_of_a_second_decide_whether_a_minute_is_whole(tmp_path):
    found = count(
        tmp_path,
        "2026-11-24T09:00:00.900,2026-11-24T09:01:00.100",
        "2026-11-24T09:00:00.100,2026-11-24T09:01:00.100",
    )
    assert found.minutes == 1


def test_what_cannot_be_counted_is_refused_by_reason_and_line(tmp_path):
    found = count(
        tmp_path,
        ",2026-11-24 09:00",
        "2026-11-24 09:00,NULL",
        "2026-11-24 09:00,1900-01-01T00:00:00",
        "2026-11-24 09:00,2026-11-23 09:00",
        "2026-11-24 09:00,tomorrow",
        "2026-11-31 09:00,2026-12-01",
        "2026-11-24 09:00,9999-12-31",
        "2026-11-24,2026-11-24,2026-11-24",
        "2026-11-24 09:00,2026-11-24 09:00",
    )
    assert (found.rows, found.minutes, found.refused) == (9, 0, 8)
    assert [(each.reason, each.column, each.lines) for each in found.refusals] == [
        ("NO_START", "opened", [2]),
        ("NO_END", "closed", [3, 4]),
        ("END_BEFORE_START", "closed", [5]),
        ("INVALID_TIME", "closed", [6, 8]),
        ("INVALID_TIME", "opened", [7]),
        ("INVALID_ROW", "", [9]),
    ]


def test_of_very_many_refused_rows_only_the_first_lines_are_kept(tmp_path):
    (refused,) = count(tmp_path, *["2026-11-24,"] * 100).refusals
    assert (refused.count, refused.lines) == (100, list(range(2, 22)))


def test_the_end_of_a_day_is_the_first_moment_of_the_next(tmp_path):
    always = Calendar(read({"timeZone": "UTC", "hours": {"tue": ["00:00-24:00"]}}))
    found = count(
        tmp_path,
        "2026-11-24T23:00:00,2026-11-24T24:00:00",
        "2026-11-24 23:00,2026-11-24 24:00",
        "2026-11-24T23:00:00Z,2026-11-24T24:00:00.000Z",
        "2026-11-24T23:00:00,2026-11-24T24:00:01",
        "2026-11-24T23:00:00,9999-12-31T24:00:00",
        calendar=always,
    )
    assert (found.minutes, found.refused) == (180, 2)


def test_an_offset_is_respected_and_other_times_are_of_the_calendar(tmp_path):
    found = count(
        tmp_path,
        "2026-11-24T14:00:00Z,2026-11-24T15:00:00+00:00",
        "2026-11-24 14:00:00 UTC,2026-11-24 10:00",
        "2026-11-24T09:00,2026-11-24T10:00",
    )
    assert found.minutes == 180


def test_of_a_time_that_is_there_twice_the_first_is_meant_and_a_skipped_one_is_later(tmp_path):
    always = Calendar(read({"timeZone": "America/New_York", "hours": {"sun": ["00:00-24:00"]}}))
    found = count(
        tmp_path, "2026-11-01 01:30,2026-11-01 02:30", "2026-03-08 02:30,2026-03-08 04:00", calendar=always
    )
    assert found.minutes == 120 + 30


def test_each_column_decides_whether_the_day_or_the_month_is_first(tmp_path):
    found = count(tmp_path, "11/24/2026 09:00:00 AM,24/11/2026 10:00", "11/04/2026 9:00 AM,04/11/2026 10:00")
    assert (found.minutes, found.refused) == (120, 0)
    assert found.notes == ["dates are read with the day first", "dates are read with the month first"]


def test_a_column_that_leaves_it_open_is_read_as_the_other(tmp_path):
    found = count(tmp_path, "11/04/2026 9:00 AM,11/05/2026 9:00 AM", "11/24/2026 9:00 AM,")
    assert (found.minutes, found.refused) == (420, 1)


def test_a_file_that_may_be_read_in_two_ways_is_not_counted(tmp_path):
    with pytest.raises(UnreadableFile, match="may begin with the day or the month"):
        count(tmp_path, "11/04/2026 9:00 AM,11/05/2026 9:00 AM")


def test_a_column_of_which_nothing_can_be_read_is_asked_about(tmp_path):
    with pytest.raises(UnreadableFile, match=r"no cell of closed can be read: .*--date-format"):
        count(tmp_path, "2026-11-24,24th", "2026-11-24,25th")


def test_months_may_be_spelt(tmp_path):
    assert count(tmp_path, "2026 Nov 24 09:00:00 AM,24-Nov-2026 10:00").minutes == 60


def test_columns_are_named_in_any_case_and_one_that_is_not_there_is_told_with_those_that_are(tmp_path):
    assert count(tmp_path, "2026-11-24 09:00,2026-11-24 10:00", header="Opened,CLOSED").minutes == 60
    with pytest.raises(UnreadableFile, match="there is no column closed: the columns are opened, ended"):
        count(tmp_path, "2026-11-24,2026-11-25", header="opened,ended")


def test_many_random_tickets_are_summed_as_a_clock_on_the_wall_counts_them(tmp_path):
    """Whole minutes, so that looking each minute is exact."""
    chance, rows, expected = random.Random(7), [], 0
    for _ in range(40):
        start = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(300 * 1440))
        end = start + timedelta(minutes=chance.randrange(4 * 1440))
        rows.append(f"{start.isoformat()},{end.isoformat()}")
        expected += sum(
            CALENDAR.is_open(start + timedelta(minutes=n))
            for n in range((end - start) // timedelta(minutes=1))
        )
    assert count(tmp_path, *rows).minutes == expected
