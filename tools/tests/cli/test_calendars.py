"""`rapport calendar`: business time by a calendar in a file, and no stack."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rapport_tools.cli.calendars import app
from rapport_tools.cli.main import run

Told = Callable[..., tuple[int, str, str]]
OFFICE = {
    "timeZone": "America/New_York",
    "hours": [
        {"days": ["MON", "TUE", "WED", "THU", "FRI"], "windows": [{"opens": "09:00", "closes": "17:00"}]}
    ],
    "holidays": [{"country": "US", "subdivision": "NY"}],
}
TICKETS = (
    "id;Created;Closed\n"
    "1;11/27/2026 04:30:00 PM;11/30/2026 09:30:00 AM\n"
    "2;11/27/2026 04:30:00 PM;\n"
    "3;11/30/2026 09:30:00 AM;11/27/2026 04:30:00 PM\n"
)


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """What `rapport calendar ...` answers: the exit code and what it wrote; by an office in New York."""
    (tmp_path / "office.json").write_text(json.dumps(OFFICE))
    monkeypatch.chdir(tmp_path)

    def run_it(*words: str, calendar: str = "office.json") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["calendar", *words, "--calendar", calendar])
        code = run(app)
        return code, *capsys.readouterr()

    return run_it


def test_the_minutes_of_a_file_are_one_json_object(told: Told, tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text(TICKETS)
    code, out, err = told("minutes", "tickets.csv", "--start", "Created", "--end", "Closed", "--json")
    assert (code, json.loads(out), err) == (0, {"rows": 3, "minutes": 60, "refused": 2}, "")


def test_people_are_told_what_was_refused_and_where(told: Told, tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text(TICKETS)
    code, out, err = told("minutes", "tickets.csv", "--start", "Created", "--end", "Closed")
    assert code == 0
    assert "60 business minutes, each row's whole ones; to the second 1.00 hours" in out
    assert "dates are read with the month first" in err
    assert "1 x NO_END in Closed: must hold a date or time\n      lines 3\n" in err
    assert "1 x END_BEFORE_START in Closed: is before Created\n      lines 4\n" in err


def test_a_date_format_decides_what_the_file_leaves_open(told: Told, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n05/03/26 09:00,05/03/26 10:00\n")
    columns = ("--start", "a", "--end", "b")
    assert told("minutes", "t.csv", *columns, "--date-format", "DD/MM/YY HH:MM", "--json")[1:] == (
        '{\n  "rows": 1,\n  "minutes": 60,\n  "refused": 0\n}\n',
        "",
    )


def test_when_so_much_has_passed_is_told_day_by_day(told: Told) -> None:
    code, out, _ = told("add", "2026-12-24T16:30", "60")
    assert (code, out.splitlines()) == (
        0,
        [
            "2026-12-24T16:30:00-05:00 to 2026-12-28T09:30:00-05:00: 60 business minutes",
            "  Thu 2026-12-24  16:30-17:00  30 min  (weekly hours)",
            "  Fri 2026-12-25  closed  (holiday: Christmas Day)",
            "  Sat 2026-12-26  closed  (weekly hours)",
            "  Sun 2026-12-27  closed  (weekly hours)",
            "  Mon 2026-12-28  09:00-09:30  30 min  (weekly hours)",
        ],
    )


def test_how_much_there_is_between_two_moments_is_told_to_programs_too(told: Told) -> None:
    code, out, _ = told("explain", "2026-11-27T21:30:00Z", "2026-11-28T12:00", "--json")
    found: dict[str, Any] = json.loads(out)
    assert (code, found["minutes"], [day["reason"] for day in found["days"]]) == (0, 30, ["weekly hours"] * 2)
    assert found["days"][0]["open"] == [["2026-11-27T16:30:00-05:00", "2026-11-27T17:00:00-05:00"]]


def test_of_very_long_times_the_first_days_are_told(told: Told) -> None:
    out = told("explain", "2020-01-01", "2026-01-01")[1]
    assert "and so on: the first 366 days are told" in out


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "is no JSON"),
        (
            '{"timeZone": "UTC", "hours": {}}',
            "  hours: must have a window",
        ),
        ("[]", "  must be an object with exceptions, holidays, hours, time_zone"),
    ],
)
def test_a_calendar_that_is_none_is_told_with_what_is_allowed(
    told: Told, tmp_path: Path, written: str, said: str
) -> None:
    (tmp_path / "wrong.json").write_text(written)
    code, _, err = told("add", "2026-11-27", "1", calendar="wrong.json")
    assert code == 2
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "soon", "1"), "soon: must be a moment like 2026-11-27T16:30"),
        (("explain", "2026-11-28", "2026-11-27"), "must not be before the first"),
        (("minutes", "none.csv", "--start", "a", "--end", "b"), "there is no file none.csv"),
    ],
)
def test_wrong_use_is_told_in_a_line(told: Told, words: tuple[str, ...], said: str) -> None:
    code, _, err = told(*words)
    assert code == 2
    assert said in err


def test_a_calendar_file_that_is_not_there_is_told(told: Told) -> None:
    code, _, err = told("add", "2026-11-27", "1", calendar="none.json")
    assert (code, err) == (2, "rapport: No such file or directory: none.json\n")
