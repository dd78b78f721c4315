"""`rapport identity evaluate`: any list, and no stack."""

import csv
import json
import re
from pathlib import Path

import openpyxl
import pytest

from rapport_tools.cli import identity
from rapport_tools.cli.identity import app
from rapport_tools.cli.identity_lists import FIELDS
from rapport_tools.cli.main import run

PEOPLE = [
    ("Ada", "Okafor", "17.05.1984", "Hauptstr. 12", "50667", "Köln", "ada@okafor.example"),
    ("Jürgen", "Müller", "02.11.1961", "Am Ring 3", "80331", "München", "j.mueller@web.example"),
    ("Sanne", "van Dijk", "30.01.1990", "Dorpsstraat 7", "10115", "Berlin", ""),
    ("Robert", "Schmidt", "08.03.1975", "Lindenweg 21", "20095", "Hamburg", "bob@schmidt.example"),
    ("Inès", "Dubois", "25.12.1955", "Rosenallee 88", "70173", "Stuttgart", "ines@dubois.example"),
]
AGAIN = [
    ("Ada", "Okafro", "17.05.1984", "Hauptstraße 12", "50667", "Koeln", "ada@okafor.example"),
    ("Juergen", "Mueller", "02.11.1961", "Am Ring 3", "80313", "München", ""),
    ("van Dijk", "Sanne", "30.01.1990", "Dorpsstr 7", "10115", "Berlin", "sanne@vandijk.example"),
    ("Bob", "Schmidt", "03.08.1975", "Lindenweg 21", "20095", "Hamburg", "bob@schmidt.example"),
]
HEADER = ("Vorname", "Nachname", "Geburtsdatum", "Straße", "PLZ", "Ort", "E-Mail")
OTHER_HEADER = ("first_name", "surname", "dob", "address_1", "postcode", "suburb", "email")


def rows(people: list[tuple[str, ...]], first: int = 0) -> list[tuple[str, ...]]:
    return [(f"row {first + at}", *each, str(at)) for at, each in enumerate(people)]


def written(path: Path, header: tuple[str, ...], people: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("rec_id", *header, "who"), *people])
    return path


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return written(tmp_path / "one.csv", HEADER, [*rows(PEOPLE), *rows(AGAIN, 100)])


def told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["identity", "evaluate", *words])
    code = run(app)
    out, err = capsys.readouterr()
    return code, out, err


def test_it_prints_what_was_promised_as_json(
    one: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = told(capsys, monkeypatch, str(one), "--truth", "who", "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found) == ["records", "pairs", "automatic", "pairwise", "clustered", "seconds"]
    assert list(found["clustered"]) == ["precision", "recall", "f1"]
    assert (found["records"], found["pairs"]) == (9, 4)
    assert found["clustered"]["precision"] == 1


def test_it_says_which_columns_it_used_as_what(
    one: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = told(capsys, monkeypatch, str(one), "--truth", "who")
    for said in ("given_name = Vorname", "birth_date = Geburtsdatum", "postal_code = PLZ", "ignored: rec_id"):
        assert said in out
    assert "precision" in out.lower()
    assert "who" not in out.partition("used:")[2].partition("ignored")[0]


def test_two_lists_with_columns_of_other_names_are_matched_with_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    a = written(tmp_path / "a.csv", HEADER, rows(PEOPLE))
    b = written(tmp_path / "b.csv", OTHER_HEADER, rows(AGAIN))
    code, out, _ = told(capsys, monkeypatch, str(a), str(b), "--truth", "who", "--json")
    found = json.loads(out)
    assert (code, found["records"], found["pairs"]) == (0, 9, 4)
    assert found["clustered"]["recall"] >= 0.5


def test_a_workbook_is_read_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    for row in [("rec_id", *HEADER, "who"), *rows(PEOPLE), *rows(AGAIN, 100)]:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "one.xlsx")
    code, out, _ = told(capsys, monkeypatch, str(tmp_path / "one.xlsx"), "--truth", "who", "--json")
    assert (code, json.loads(out)["records"]) == (0, 9)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--truth", "nobody"], "--truth nobody: one.csv has the columns rec_id, Vorname"),
        ([], "--truth: must name the column that says who is who"),
        (["--truth", "who", "--map", "shoe=Ort"], "the fields are external_id, display_name"),
        (["--truth", "who", "--map", "city=Town"], "--map Town: the columns are rec_id, Vorname"),
        (["--truth", "who", "--ignore", "Town"], "--ignore Town: the columns are rec_id, Vorname"),
    ],
)
def test_what_is_asked_wrongly_is_answered_with_what_there_is(
    one: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    says: str,
) -> None:
    code, _, err = told(capsys, monkeypatch, str(one), *words)
    assert code == 2
    assert says in err


def test_a_column_that_is_left_out_is_not_looked_at(
    one: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = told(capsys, monkeypatch, str(one), "--truth", "who", "--ignore", "Nachname")
    assert "ignored: Nachname, rec_id" in out


def test_its_help_names_every_field_that_a_column_may_be_mapped_to() -> None:
    words = set(re.findall(r"\w+", identity._HELP))
    assert [field for field in FIELDS if field not in words] == []
