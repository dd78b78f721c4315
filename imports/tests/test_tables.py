"""Files that people really have, read by what is in them and not by what they are called."""

import codecs
import gzip
import io
import random
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from rapport_imports import decoding, delimited
from rapport_imports import workbook as workbooks
from rapport_imports.decoding import UnreadableFile, lines
from rapport_imports.tabular import open_table

PLAIN = "id,name,email\n1,Anna,a@example.com\n2,Bob,b@example.com\n"


def table(tmp_path: Path, content: str | bytes, name: str = "t.csv", **how: object) -> list[dict[str, str]]:
    """The cells of every row of a file."""
    return [row.cells for row in rows(tmp_path, content, name, **how)]


def rows(tmp_path: Path, content: str | bytes, name: str = "t.csv", **how: object) -> list:  # type: ignore[type-arg]
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(open_table(path, **how).rows())  # type: ignore[arg-type]  # a test names what it needs


def workbook(*lines: list[object], title: str = "Sheet", more: str = "") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for line in lines:
        sheet.append(line)
    if more:
        book.create_sheet(more).append(["id"])
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def rewritten(book: bytes, part: str, old: str, new: str) -> bytes:
    """The workbook with one part changed, as other programs write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, re.sub(old.encode(), new.encode(), data) if name == part else data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "allowed"),
    [
        (",".join(f"c{i}" for i in range(1001)) + "\n", "t.csv", "at most 1,000"),
        ("id,name\n1,Anna" + ",x" * 1000 + "\n", "t.csv", "at most 1,000"),
        ("id,name\n1," + "x" * 1_100_000 + "\n", "t.csv", "1,048,576 characters"),
        ("id,name\n1," + "x," * 2_100_000 + "\n", "t.csv", "4,000,000 characters"),
        ("x" * 4_100_000, "t.csv", "4,000,000 characters"),
        (gzip.compress(b"id,name\n" + b"0" * 80_000_000), "t.csv.gz", "a hundred times"),
    ],
)
def test_what_would_exhaust_memory_or_patience_is_refused_with_what_is_allowed(
    tmp_path: Path, content: str | bytes, name: str, allowed: str
) -> None:
    with pytest.raises(UnreadableFile, match=allowed):
        rows(tmp_path, content, name)


def test_a_workbook_that_grows_when_it_is_unpacked_is_refused(tmp_path: Path) -> None:
    book = workbook(["id", "name"], [1, "Anna"])
    bomb = io.BytesIO(book)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/more", b"0" * 80_000_000)
    with pytest.raises(UnreadableFile, match="a hundred times"):
        rows(tmp_path, bomb.getvalue(), "t.xlsx")


SHEET, STYLES = "xl/worksheets/sheet1.xml", "xl/styles.xml"


@pytest.mark.parametrize(
    ("part", "old", "new", "allowed"),
    [
        (SHEET, '<row r="2"', '<row r="2000000000"', "at most 1,048,576 rows"),
        (SHEET, "</sheetData>", '<row><c r="XFD1"/></row>' * 62 + "</sheetData>", "1,000,000 cells"),
        (STYLES, "</cellXfs>", "<xf/>" * 200_000 + "</cellXfs>", "styles.xml must have at most 200,000"),
        ("docProps/core.xml", "</cp:", "<a/>" * 200_000 + "</cp:", "core.xml must have at most 200,000"),
    ],
    ids=["rows", "cells", "formats", "properties"],
)
def test_a_workbook_with_more_than_a_spreadsheet_has_is_told_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, old: str, new: str, allowed: str
) -> None:
    monkeypatch.setattr(workbooks, "CELLS_MAX", 1_000_000)
    with pytest.raises(UnreadableFile, match=allowed):
        rows(tmp_path, rewritten(BOOK, part, old, new), "t.xlsx")


def test_a_part_that_grows_when_it_is_unpacked_is_refused_whatever_lies_beside_it(tmp_path: Path) -> None:
    bomb = io.BytesIO(BOOK)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/picture", random.Random(7).randbytes(1_000_000))
        archive.writestr("xl/sharedStrings.xml", b"<si/>" * 1_000_000)
    with pytest.raises(UnreadableFile, match=r"sharedStrings.xml must be at most 100 times its size"):
        rows(tmp_path, bomb.getvalue(), "t.xlsx")


def test_a_workbook_whose_rows_are_far_apart_is_read(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, rewritten(BOOK, SHEET, '<row r="2"', '<row r="1048576"'), "t.xlsx")
    assert (row.line, row.cells["name"]) == (1_048_576, "Anna")


@pytest.mark.parametrize("letters", ["", "é"])
def test_a_cell_that_is_too_long_is_refused_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letters: str
) -> None:
    looked = 0

    def counted(path: Path, source: Any) -> Iterator[Any]:
        nonlocal looked
        for line in lines(path, source):
            looked += 1
            yield line

    monkeypatch.setattr(delimited, "_CELL_MAX", 1000)
    for module in (decoding, delimited):
        monkeypatch.setattr(module, "lines", counted)
    with pytest.raises(UnreadableFile, match="no cell be longer than 1,000 characters"):
        rows(tmp_path, 'id,name\n1,"' + f"{letters}\n" * 100_000 + '"\n')
    assert looked < 100_000


@pytest.mark.parametrize("before", [0, 1, 2, 1 << 20, (1 << 20) - 10, (1 << 20) - 9])
def test_where_a_file_is_not_utf8_is_found_anywhere_in_it(tmp_path: Path, before: int) -> None:
    path = tmp_path / "t.csv"
    start = f"id,name\n0,{'x' * before}\n".encode()
    path.write_bytes(start + "1,Jörg\n2,Zoë\n".encode())
    assert decoding.encoding_of(path, start[:100]) == ("utf-8", "strict", "")
    path.write_bytes(start + "1,Jörg\n2,Zoë\n".encode("cp1252"))
    assert decoding.encoding_of(path, start[:100]).name == "cp1252"
    path.write_bytes(start + "1,Jörg\n".encode() * 300_000 + "2,Zoë\n".encode("cp1252"))
    assert decoding.encoding_of(path, start[:100]) == ("utf-8", "surrogateescape", "")


def test_a_table_that_packs_well_is_read(tmp_path: Path) -> None:
    lines = "".join(f"{i},Anna {i % 7},a{i}@example.com\n" for i in range(20_000))
    assert len(table(tmp_path, gzip.compress(f"id,name,email\n{lines}".encode()), "t.csv.gz")) == 20_000


ANNA = {"id": "1", "name": "Anna", "email": "a@example.com"}
BOOK = workbook(["id", "name", "email"], [1, "Anna", "a@example.com"])


@pytest.mark.parametrize("name", ["t.csv", "t.CSV.GZ", "t.txt", "t", "t.xlsx"])
def test_text_and_gzip_are_told_by_content(tmp_path: Path, name: str) -> None:
    for content in (PLAIN.encode(), gzip.compress(PLAIN.encode())):
        assert table(tmp_path, content, name)[0] == ANNA


@pytest.mark.parametrize("name", ["t.xlsx", "T.XLSX", "t.csv", "t"])
def test_a_workbook_is_told_by_content(tmp_path: Path, name: str) -> None:
    assert table(tmp_path, BOOK, name) == [ANNA]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_names_come_through_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    text = "id;Vorname;Nachname\r\n1;Jörg;Núñez\r\n2;Renée;Maaß\r\n3;Zoë;O\u2019Neill\r\n"
    found = table(tmp_path, text.encode(encoding))
    assert [row["Vorname"] for row in found] == ["Jörg", "Renée", "Zoë"]
    assert [row["Nachname"] for row in found] == ["Núñez", "Maaß", "O\u2019Neill"]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1250", "Łukasz Żółć,Zażółć Gęślą,Grzegorz Świątek,Kraków"),
        ("cp1251", "Анна Каренина,Алексей Вронский,Лев Толстой,Москва"),
        ("shift_jis", "山田太郎,鈴木一郎,佐藤花子,東京都"),
        ("gb18030", "王小明,李华,张伟,北京市"),
    ],
)
def test_other_scripts_are_told_by_likelihood_or_by_option(tmp_path: Path, encoding: str, names: str) -> None:
    text = "id,name\n" + "".join(f"{i},{name}\n" for i, name in enumerate(names.split(",")))
    for how in ({}, {"encoding": encoding}):
        assert [row["name"] for row in table(tmp_path, text.encode(encoding), **how)] == names.split(",")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Nº de cliente;Nombre;Calle\n1;Mª José Núñez;C/ Mayor 3ºA\n2;Peña;¿Cuál? ¡Sí! 1ª dcha.\n"),
        ("cp1252", "N° client;Prénom;Nom;Société\n1;Loïc;L\u00b4Hôpital;«Chez Zoé»\n2;Hélène;Œuvré;Acme®\n"),
        ("cp1252", "Nº;Nome;Morada\n1;João Simões;Rua 1º de Dezembro, 2ºEsq\n2;Conceição Araújo;Praça\n"),
        ("cp1252", "id;name\n1;Jörg Groß\n2;Søren Ærø\n3;Núñez\n4;François Lefèvre\n5;Åsa Öberg\n6;João\n"),
        ("cp1250", "id;Jméno;Příjmení\n1;Jiří;Dvořák\n2;Kateřina;Nováková\n3;Zdeněk;Růžička\n"),
        ("cp1250", "id;Név\n1;Gábor Szűcs\n2;László Őze\n3;Győző Tóth\n"),
        ("cp1250", "id;nume\n1;Ionuţ Şerban\n2;Mădălina Ştefan\n"),
        ("iso8859_2", "id;Imię;Nazwisko\n1;Łukasz;Żak\n2;Małgorzata;Wiśniewska\n3;Paweł;Dąbrowski\n"),
        ("cp1254", "Müşteri No;Ad;Soyad\n1;İlker;Şahin\n2;Ayşe;Y\u0131ld\u0131z\n3;Gülşen;Çağlar\n"),
        ("koi8_r", "Код клиента;Имя;Фамилия\n1;Анна;Петрова\n2;Лев;Толстой\n"),
        ("cp866", "Код клиента;Имя;Фамилия\n1;Анна;Петрова\n2;Лев;Толстой\n"),
        ("cp850", "id;Name\n1;Jörg Groß\n2;Änne Höß\n3;Jürgen Müller\n"),
        ("mac_roman", "id;Nom\n1;Hélène Lefèvre\n2;Loïc Noël\n"),
    ],
)
def test_the_encoding_is_that_in_which_words_are_of_a_language(
    tmp_path: Path, encoding: str, text: str
) -> None:
    header, *rows = text.splitlines()
    assert [list(row.values()) for row in table(tmp_path, text.encode(encoding))] == [
        row.split(";") for row in rows
    ]
    assert header.split(";") == list(table(tmp_path, text.encode(encoding))[0])


def test_a_file_that_is_not_utf8_says_how_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,name\n1,Jörg\n".encode("cp1252"))
    assert "read as cp1252" in open_table(path).encoding.note
    path.write_text("id,name\n1,Jörg\n")
    assert open_table(path).encoding.note == ""


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_cells_are_separated_by_what_cuts_rows_alike(tmp_path: Path, separator: str) -> None:
    header = separator.join(['"id"', '"last name, first name; title | suffix, x"', '"email"'])
    row = separator.join(['"1"', '"Berg, Anna; Dr. | x\ty"', '"a@example.com"'])
    assert [list(cells.values()) for cells in table(tmp_path, f"{header}\n{row}\n")] == [
        ["1", "Berg, Anna; Dr. | x\ty", "a@example.com"]
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^"])
def test_a_line_that_names_the_separator_is_obeyed_and_counted(tmp_path: Path, separator: str) -> None:
    text = f"sep={separator}\n" + PLAIN.replace(",", separator)
    assert table(tmp_path, text)[0] == ANNA
    assert [row.line for row in rows(tmp_path, text)] == [3, 4]


def test_a_single_column_needs_no_separator(tmp_path: Path) -> None:
    assert table(tmp_path, "email\na@example.com\n") == [{"email": "a@example.com"}]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id,name\n1,"Acme Ltd\n2,Bob\n3,Cid\n', 2),
        ('id,name\n1,Anna\n2,"Acme Ltd\n3,"Cid"\n', 3),
        ('id,name\n1,Anna\n2,"Acme" Ltd\n', 3),
        ('id,name\n1,"An\nna"\n2,"Bob\n' + "3,x\n" * 5000, 4),
    ],
)
def test_quotes_that_do_not_match_refuse_the_file_with_the_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(UnreadableFile, match=f"row that begins on line {line} "):
        rows(tmp_path, text)


def test_a_cell_that_swallowed_rows_between_two_quotes_is_refused_with_the_line_where_it_begins(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.csv").write_text(
        'id;name;email\n1;Anna;a@x.example\n2;"Bob;b@x.example\n3;Cid;c@x.example\n4;Dee";d@x.example\n'
        '5;"Eve\n& Co";e@x.example\n'
    )
    rows = list(open_table(tmp_path / "t.csv").rows())
    assert [(row.line, [problem.reason for problem in row.problems]) for row in rows] == [
        (2, []),
        (3, ["INVALID_ROW"]),
        (6, []),
    ]


def test_line_ends_inside_cells_are_one_kind(tmp_path: Path) -> None:
    found = table(tmp_path, b'id,name\r\n1,"Acme\r\nLtd"\r\n2,"Bob\nTwo"\r\n3,"C\rD"\r\n')
    assert [row["name"] for row in found] == ["Acme\nLtd", "Bob\nTwo", "C\nD"]


@pytest.mark.parametrize("text", ["id,name,\n1,Anna,\n", "id,name\n1,Anna,\n", "id,name,,\n1,Anna,,,\n"])
def test_empty_cells_at_the_end_are_nothing(tmp_path: Path, text: str) -> None:
    (row,) = rows(tmp_path, text)
    assert (row.cells, row.problems) == ({"id": "1", "name": "Anna"}, [])


def test_cells_that_no_column_holds_are_a_problem_of_their_row(tmp_path: Path) -> None:
    first, second = rows(tmp_path, "id,name\n1,Anna,x\n2,Bob\n")
    assert ([problem.reason for problem in first.problems], first.extra) == (["INVALID_ROW"], ["x"])
    assert second.problems == []


def test_a_column_without_a_name_before_others_is_called_by_its_number(tmp_path: Path) -> None:
    assert table(tmp_path, ",id\n0,7\n") == [{"column 1": "0", "id": "7"}]


def test_a_cell_of_a_hundred_thousand_characters_is_read(tmp_path: Path) -> None:
    assert len(table(tmp_path, f"id,notes\n1,{'x' * 140_000}\n")[0]["notes"]) == 140_000


@pytest.mark.parametrize("reference", ["A1", "A1:A1", "A1:B1"])
def test_a_workbook_that_lies_about_its_size_is_read_whole(tmp_path: Path, reference: str) -> None:
    part = "xl/worksheets/sheet1.xml"
    book = rewritten(BOOK, part, '<dimension ref="[^"]*"', f'<dimension ref="{reference}"')
    assert table(tmp_path, book) == [ANNA]


def test_a_workbook_is_read_from_the_sheet_and_line_that_are_named(tmp_path: Path) -> None:
    book = workbook(["Customers 2026"], ["as of March"], ["id"], [7], title="Kunden", more="Other")
    assert table(tmp_path, book, header_row=3, sheet="Kunden") == [{"id": "7"}]
    assert table(tmp_path, book, header_row=3) == [{"id": "7"}]
    with pytest.raises(UnreadableFile, match="--sheet is one of Kunden, Other"):
        rows(tmp_path, book, sheet="Nothing")
    (tmp_path / "t.xlsx").write_bytes(book)
    table_ = open_table(tmp_path / "t.xlsx", header_row=3)
    assert (table_.sheet, table_.others) == ("Kunden", ["Other"])


def test_the_same_line_of_another_sheet_is_another_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("2025", "2026"):
        sheet = book.create_sheet(title)
        sheet.append(["id"])
        sheet.append([7])
    book.save(tmp_path / "t.xlsx")
    [first], [second], [again] = (
        [row.origin for row in open_table(tmp_path / "t.xlsx", sheet=title).rows()]
        for title in ("2025", "2026", "2025")
    )
    assert (first != second, first == again) == (True, True)


def test_cells_of_a_workbook_keep_their_value(tmp_path: Path) -> None:
    book = workbook(["a", "b", "c", "d", "e"], [7, 12.5, date(2026, 3, 2), None, True])
    assert list(table(tmp_path, book)[0].values()) == ["7", "12.5", "2026-03-02T00:00:00", "", "true"]


BROKEN = [
    (b"", "is empty"),
    (b" \n \n", "is empty"),
    (b"PK\x03\x04 not a workbook", "not a readable .xlsx"),
    (gzip.compress(PLAIN.encode() * 99)[:-20], "cannot be read"),
    (b"\x1f\x8b\x08\x00broken", "cannot be read"),
    (b"BZh91AY&SY", "unpack it first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx or CSV"),
    (b"%PDF-1.7", "export the table"),
    (codecs.BOM_UTF16_LE + "id,n\n1,x\n".encode("utf-16-le") + b"\x00", "say which with --encoding"),
    (b"id\n" + b"x" * (1 << 24) + b"y\n", "line 2 must have at most"),
]


@pytest.mark.parametrize(("content", "told"), BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_is_no_table_is_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile, match=re.escape(told)):
        rows(tmp_path, content)


def test_an_archive_and_a_folder_and_nothing_at_all_are_one_line(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("t.csv", PLAIN)
    with pytest.raises(UnreadableFile, match="ZIP archive"):
        rows(tmp_path, packed.getvalue())
    for path, told in ((tmp_path, "is a folder"), (tmp_path / "nothing.csv", "there is no file")):
        with pytest.raises(UnreadableFile, match=told):
            open_table(path)


def test_damage_anywhere_is_one_line_or_read(tmp_path: Path) -> None:
    chance = random.Random(7)
    for good in (BOOK, gzip.compress(PLAIN.encode() * 50), PLAIN.encode()):
        for _ in range(60):
            damaged = bytearray(good)
            for _ in range(chance.randrange(1, 9)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            with suppress(UnreadableFile):
                rows(tmp_path, bytes(damaged))


@pytest.mark.parametrize("name", ["t.xlsx", "t.XLSX", "t.xls", "t.ods", "t.pdf"])
def test_a_broken_workbook_is_not_read_as_text(tmp_path: Path, name: str) -> None:
    content = bytes(range(256)) * 8
    with pytest.raises(UnreadableFile, match="is not a workbook: save it again"):
        rows(tmp_path, content, name)


def test_a_workbook_of_another_kind_is_to_be_saved_as_one_that_is_read(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(UnreadableFile, match=r"save it as \.xlsx or CSV"):
        rows(tmp_path, made.getvalue(), "t.ods")
