"""What an import says to whoever has the file: in their words, of every fault, and where it is."""

import csv
from pathlib import Path

import pytest

from rapport_imports.result import Result
from rapport_imports.tabular import Problem, Row
from rapport_tools.cli.import_telling import tell
from tools.tests.cli.conftest import Check


def told(result: Result, capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    tell(result, "t.csv", dry_run=True)
    out, err = capsys.readouterr()
    return out, [line.strip() for line in err.splitlines()]


def test_all_lines_of_which_something_is_told_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(rows=30, asked=False)
    for line in (9, 3, 7, 8, 20):
        result.judge(Row(line, {}, told=[Problem("Phone", "INVALID_PHONE", "kept as it is written")]))
    out, lines = told(result, capsys)
    assert "nothing is wrong" not in out
    assert "no row is refused" in out
    assert lines == [
        "to be known, though no row is refused for it:",
        "5 x INVALID_PHONE in Phone, as in line 9: kept as it is written",
        "lines 3, 7-9, 20",
    ]


def test_of_very_many_lines_it_says_where_all_are(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(rows=999, refused=400)
    for line in range(2, 802, 2):
        result.judge(Row(line, {}, [Problem("a", "REQUIRED", "must be given")]))
    [*_, shown] = told(result, capsys)[1]
    assert shown.startswith("lines 2, 4, 6, ")
    assert shown.endswith(", 200, ... --json has them all")
    assert len(result.refusals[0].lines) == 400


def test_every_fault_of_a_row_is_in_the_file_of_refused_rows(check: Check) -> None:
    result = check("purchases", "customer_id,date,amount,quantity\n,yesterday,x,y\n0,,1,2\n")[1]
    with Path(result["errors_file"]).open() as rows:
        first, second = (row["error"] for row in csv.DictReader(rows))
    assert [part.split(":")[0] for part in first.split("; ") if ": " in part] == [
        "amount",
        "customer_id",
        "date",
        "quantity",
    ]
    assert [part.split(":")[0] for part in second.split("; ")] == ["customer_id", "date", "customer_id"]
    result = check("customers", f"id,name,phone\n1,{'x' * 201},a\x1b\n")[1]
    assert "name: must be at most 200" in Path(result["errors_file"]).read_text()


ORDERS = "Kunde;Bestellnummer;Auftragsdatum;Liefertermin;Geliefert am\n"


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        ("a;1;2026-03-05;2026-03-01;", "Auftragsdatum", "is after Liefertermin"),
        ("a;1;2150-03-05;2150-04-01;", "Auftragsdatum", "is in the future"),
        ("a;1;2026-03-01;2026-03-05;2150-03-04", "Geliefert am", "is in the future"),
        ("a;1;2026-03-02;2026-03-05;2026-03-01", "Geliefert am", "is before Auftragsdatum"),
    ],
)
def test_dates_that_contradict_each_other_are_told_by_their_columns(
    check: Check, row: str, column: str, why: str
) -> None:
    code, result, _ = check("orders", f"{ORDERS}{row}\n")
    [refusal] = result["refusals"]
    assert (code, refusal["reason"], refusal["column"]) == (1, "INVALID_TIME", column)
    assert refusal["description"].startswith(why)


def test_what_was_ordered_and_delivered_on_the_promised_day_is_in_time(check: Check) -> None:
    rows = "a;1;2026-03-05 10:00;2026-03-05;2026-03-05\nb;2;2026-03-05T23:00-08:00;2026-03-05;\n"
    assert check("orders", f"{ORDERS}{rows}", "--time-zone", "America/Los_Angeles")[0] == 0


def test_a_purchase_of_tomorrow_is_told_in_words(check: Check) -> None:
    result = check("purchases", "customer_id,date,amount\na,2150-01-01,1\n")[1]
    assert [(r["column"], r["description"][:16]) for r in result["refusals"]] == [
        ("date", "is in the future")
    ]


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ("MM/DD/YYYY", "03/04/2026"),
        ("TT.MM.JJJJ", "04.03.2026"),
        ("jj/mm/aaaa", "04/03/2026"),
        ("d-MMM-yy", "4-Mar-26"),
        ("DD/MM/YYYY hh:mm:ss", "04/03/2026 10:20:30"),
        ("%m/%d/%Y", "03/04/2026"),
        ("%d.%m.%Y %H:%M %z", "04.03.2026 10:20 +0100"),
    ],
)
def test_how_dates_are_written_may_be_said_as_people_say_it(check: Check, said: str, date: str) -> None:
    assert check("purchases", f"customer_id;date;amount\na;{date};1\n", "--date-format", said)[0] == 0


@pytest.mark.parametrize("said", ["ddmm", "%Y", "%H:%M", "%Q", "american", "%d/%m/%Y %", "YYYY-MM-DDTHH"])
def test_a_date_format_that_no_date_has_is_refused_at_once(check: Check, said: str) -> None:
    code, _, why = check("purchases", "customer_id,date,amount\na,01/02/2026,1\n", "--date-format", said)
    assert (code, "such as %m/%d/%Y %H:%M or DD.MM.YYYY" in why) == (2, True)


def test_a_date_that_is_written_otherwise_is_told_with_one_that_is_not(check: Check) -> None:
    file = "customer_id,date,amount\na,1.2.2026,1\n"
    [refusal] = check("purchases", file, "--date-format", "MM/DD/YYYY")[1]["refusals"]
    assert "as in 03/22/2026;" in refusal["description"]
