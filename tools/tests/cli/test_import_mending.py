"""The file of refused rows: what is mended there means what it meant in the file that it comes from."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rapport_imports.result import Result
from rapport_imports.tabular import open_table
from rapport_tools.cli.import_telling import tell
from rapport_tools.cli.main import build, run
from tools.tests.cli.conftest import Check

SALES = (
    "kunde;buchung;rechnung;datum;betrag;wert;mail;billing_email\n"
    "10;B1;;13/04/2026;1,50;;a@x.example;\n"
    "11;;R2;05/04/2026;x;7;;b@x.example\n"
    "12;;R3;06/04/2026;;7;c@x.example;\n"
)

HOW = ("--system", "erp", "--time-zone", "Europe/Berlin", "--country", "DE", "--map", "reference=rechnung")


def mended(check: Check, kind: str, content: str, *options: str) -> Path:
    """The file of refused rows, under another name."""
    path = Path(check(kind, content, *options)[1]["errors_file"])
    shutil.copy(path, path.with_name("mended.csv"))
    return path.with_name("mended.csv")


def test_a_mended_row_is_read_as_it_was(check: Check) -> None:
    whole = check("purchases", SALES, *HOW)[1]
    path = mended(check, "purchases", SALES, *HOW)
    before = open_table(path).before
    assert (before.kind, before.system, before.time_zone, before.country) == (
        "purchases",
        "erp",
        "Europe/Berlin",
        "DE",
    )
    assert (before.first, before.decimal) == ("day", ",")
    text = path.read_text().replace(";x;", ";2,50;")
    again = check("purchases", text, name="mended.csv")[1]
    assert (again["system"], again["used"], again["refused"]) == ("erp", whole["used"], 1)
    assert again["refusals"][0]["column"] == "betrag"  # not `wert`, though every row here has one
    assert any("day first" in note for note in again["notes"])


def test_rows_refused_of_one_system_are_not_imported_as_of_another(check: Check) -> None:
    text = mended(check, "purchases", SALES, *HOW).read_text()
    for kind, options in (
        ("purchases", ["--system", "shop"]),
        ("customers", []),
    ):
        code, _, told = check(kind, text, *options, name="mended.csv")
        assert (code, "its rows were refused with" in told) == (2, True)
    assert check("purchases", text, "--system", "erp", name="mended.csv")[1]["system"] == "erp"
    text = mended(check, "purchases", SALES).read_text()
    assert check("purchases", text, "--system", "erp", name="mended.csv")[1]["system"] == "erp"


def test_what_the_command_line_says_counts_more_than_what_was(check: Check) -> None:
    text = mended(check, "purchases", SALES, *HOW).read_text().replace("05/04/2026", "2026.4.5")
    options = ("--date-format", "%Y.%m.%d", "--map", "amount=wert")
    result = check("purchases", text, *options, name="mended.csv")[1]
    assert result["used"]["amount"] == "wert"
    assert [r["lines"] for r in result["refusals"]] == [[3]]  # the date of the other row is not so written


def test_rows_of_several_imports_are_imported_apart_and_what_is_broken_is_told(check: Check) -> None:
    text = mended(check, "purchases", SALES, *HOW).read_text()
    lines = text.splitlines(keepends=True)
    other = lines[1].replace('""erp""', '""shop""')
    assert other != lines[1]
    code, _, told = check("purchases", "".join([*lines, other]), name="mended.csv")
    assert (code, "in several ways" in told) == (2, True)
    code, _, told = check("purchases", text.replace('{""', "{"), name="mended.csv")
    assert (code, "must stay as it was written" in told) == (2, True)


def test_a_mended_file_without_a_column_is_read_without_it(check: Check) -> None:
    path = mended(check, "purchases", SALES, *HOW)
    with path.open(newline="") as source:
        rows = list(csv.reader(source, delimiter=";"))
    text = "".join(
        ";".join(f'"{c.replace(chr(34), chr(34) * 2)}"' for c in row[:5] + row[6:]) + "\n" for row in rows
    )
    assert check("purchases", text, name="mended.csv")[1]["system"] == "erp"
    assert json.loads(rows[1][-1])["columns"]["customer"] == "kunde"


def test_the_same_refusals_are_one_file_and_a_dry_run_is_in_nobodys_way(check: Check, tmp_path: Path) -> None:
    first, second = (Path(check("purchases", SALES)[1]["errors_file"]) for _ in range(2))
    assert (first, first.name) == (second, "t.csv.dry-run.csv")
    assert sorted(path.name for path in tmp_path.glob("t.csv*")) == ["t.csv", "t.csv.dry-run.csv"]
    third = Path(check("purchases", SALES, "--system", "erp")[1]["errors_file"])
    assert third.name == "t.csv.dry-run-2.csv"


@pytest.mark.parametrize(("dry_run", "shown"), [(False, True), (True, False)])
def test_the_command_that_imports_mended_rows_is_told(
    capsys: pytest.CaptureFixture[str], dry_run: bool, shown: bool
) -> None:
    result = Result(rows=1, refused=1, kind="customers", errors_file="/tmp/of us.csv.errors.csv")
    tell(result, "of us.csv", dry_run=dry_run)
    command = "then: rapport import customers '/tmp/of us.csv.errors.csv'"
    assert (command in capsys.readouterr().err) is shown


def test_only_rows_that_somebody_confirms_are_confirmed(check: Check, tmp_path: Path) -> None:
    lines = mended(check, "purchases", SALES, *HOW).read_text().splitlines(keepends=True)
    text = "".join(
        [lines[0], *(re.sub("INVALID_AMOUNT|REQUIRED", "ALREADY_IMPORTED", each) for each in lines[1:])]
    )
    path = tmp_path / "mended.csv"
    path.write_text(text)
    for confirm in (False, True):
        table = replace(open_table(path), confirm=confirm)
        assert {row.confirmed for row in table.rows()} == {confirm}
    code, _, told = check("purchases", SALES, "--confirm")
    assert (code, "is no file of refused rows" in told) == (2, True)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"first": "zzz"}, "must stay as it was written"),
        ({"first": 7}, "must stay as it was written"),
        ({"date_format": "%Y-%m-%d%Y"}, "no part twice"),
        ({"decimal": ";"}, "must be . or ,"),
        ({"time_zone": "Mars"}, "--time-zone Mars"),
    ],
)
def test_what_nobody_wrote_about_how_rows_were_read_is_one_line(
    check: Check, how: dict[str, object], told: str
) -> None:
    lines = csv.reader(mended(check, "purchases", SALES, *HOW).read_text().splitlines(), delimiter=";")
    header, row, *_ = lines
    row[-1] = json.dumps(json.loads(row[-1]) | how)
    text = "".join(
        ";".join('"' + cell.replace('"', '""') + '"' for cell in each) + "\n" for each in (header, row)
    )
    code, _, err = check("purchases", text, name="mended.csv")
    assert (code, told in err, err.count("\n")) == (2, True, 1)


PROMISED = "kunde;bestellnummer;liefertermin\n7;B1;morgen\n"


def test_what_a_file_of_refused_rows_decides_is_said_first(
    check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = mended(check, "purchases", SALES, *HOW).read_text()
    first = check("purchases", text, name="mended.csv")[1]["notes"][0]
    assert first == (
        "a file of refused rows: read as rows of system erp, dates day first, times of Europe/Berlin, "
        "country DE, decimal comma, each as the line of the file that it comes from"
    )
    text = mended(check, "orders", PROMISED, "--department", "billing").read_text()
    code, result, _ = check("orders", text, name="mended.csv")
    assert "rows of system import, department billing, times of UTC, each as" in result["notes"][0]
    assert (code, result["department"]) == (1, "billing")
    code, _, told = check("orders", text, "--department", "sales", name="mended.csv")
    assert (code, "its rows were refused with department billing" in told) == (2, True)
    monkeypatch.setattr(
        "sys.argv", ["rapport", "import", "orders", str(tmp_path / "mended.csv"), "--dry-run"]
    )
    run(build())
    assert capsys.readouterr().err.startswith(f"{result['notes'][0]}\n")
    assert "refused rows" not in check("purchases", SALES)[1]["notes"][0]


def test_only_orders_have_a_department_and_it_is_always_said(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("orders", PROMISED)[1]["department"] == "delivery"
    tell(Result(rows=1, kind="orders", department="delivery"), "t.csv", dry_run=False)
    assert "  promised by: delivery\n" in capsys.readouterr().out
    for kind, text in (("purchases", SALES), ("customers", "id,name\n1,Anna\n")):
        code, _, told = check(kind, text, "--department", "sales")
        assert (code, f"and {kind} have none" in told) == (2, True)
    text = mended(check, "purchases", SALES).read_text()
    code, _, told = check(
        "purchases", text.replace('{""columns', '{""department"": ""sales"", ""columns'), name="mended.csv"
    )
    assert (code, "which purchases do not" in told) == (2, True)
