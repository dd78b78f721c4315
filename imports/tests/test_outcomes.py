"""Files that people have, and what becomes of each: as docs/importing.md says in its table."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest

from imports.tests.test_kinds import Read, refused

DOCS = Path(__file__).parents[2] / "docs" / "importing.md"
CUSTOMERS, PURCHASES, CONSENTS = "customers", "purchases", "consents"


class File(NamedTuple):
    """A file, what of it is of note, and what becomes of it.

    `rows` are those that are imported, by what they say; `told` the reasons that others are refused or
    skipped for; `asks` what has to be said first, when nothing is imported.
    """

    what: str
    kind: str
    content: str
    rows: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    asks: str = ""

    def outcome(self) -> str:
        """As the table says it."""
        if self.asks:
            return f"nothing is imported: {self.asks}"
        return " · ".join([*(f"`{row}`" for row in self.rows), *self.told])


def one(cell: str, head: str = "customer;date;amount") -> str:
    """A file of one purchase."""
    return f"{head}\na;2026-01-02;{cell}\n"


def day(cell: str) -> str:
    return f"customer;date;amount\na;{cell};5\n"


def person(line: str, head: str = "id,name,email,phone") -> str:
    return f"{head}\n{line}\n"


def said(answer: str) -> str:
    return f"email,purpose,consent,consent date\na@x.example,news,{answer},2026-01-02\n"


PAID = ("a 2026-01-02 12",)
ON_THE_DAY = ("a 2026-01-02 5",)
YES, NO = ("a@x.example news.email yes 2026-01-02",), ("a@x.example news.email no 2026-01-02",)
ANNA = ("Anna 1 a@x.example",)
BOTH = ("Anna 1 a@x.example b@x.example",)
TYPES = "customer;date;amount;type"
FILES = (
    File(
        "an id that a spreadsheet rounded, `1.2E+15`",
        CUSTOMERS,
        person("1.2E+15,Anna,,"),
        (),
        ("ROUNDED_ID",),
    ),
    File("an id of a data frame, `1234.0`", CUSTOMERS, person("1234.0,Anna,,"), ("Anna 1234",)),
    File('an id as text, `="007"`', CUSTOMERS, person('"=""007""",Anna,,'), ("Anna 007",)),
    File("the error of a formula, `#REF!`", CUSTOMERS, person("1,#REF!,,"), (), ("FORMULA_CELL",)),
    File(
        "`[null]`, `n/a`, `—`, `NA`, `(leer)`",
        CUSTOMERS,
        person("1,n/a,[null],NA"),
        ("1",),
        ("NOTHING_ELSE",),
    ),
    File("`Anna <a@x.example>`", CUSTOMERS, person("1,Anna,Anna <a@x.example>,"), ANNA),
    File("`mailto:a@x.example`", CUSTOMERS, person("1,Anna,mailto:a@x.example,"), ANNA),
    File("`a@x.example / b@x.example`", CUSTOMERS, person("1,Anna,a@x.example / b@x.example,"), BOTH),
    File("`a@x.example und b@x.example`", CUSTOMERS, person("1,Anna,a@x.example und b@x.example,"), BOTH),
    File(
        "`a@x.example ::: b@x.example`, of Google",
        CUSTOMERS,
        person("1,Anna,a@x.example ::: b@x.example,"),
        BOTH,
    ),
    File(
        "`+49 30 901820 / +49 30 901821`",
        CUSTOMERS,
        person("1,Anna,,+49 30 901820 / +49 30 901821"),
        ("Anna 1 +49 30 901820 +49 30 901821",),
    ),
    File(
        "`+49 171 / 1234567`", CUSTOMERS, person("1,Anna,,+49 171 / 1234567"), ("Anna 1 +49 171 / 1234567",)
    ),
    File(
        "a line `-----,-----` under the header",
        CUSTOMERS,
        person("--,-----,--,--\n1,Anna,a@x.example,"),
        ANNA,
        ("NOTE_ROW",),
    ),
    File(
        "notes of one cell below a report",
        CUSTOMERS,
        person("1,Anna,a@x.example,\nQuarterly\nAll rights reserved."),
        ANNA,
        ("NOTE_ROW",),
    ),
    File(
        "another table below the first",
        CUSTOMERS,
        person("1,Anna,,\n\norder id,date,amount"),
        asks="line 4 names other columns",
    ),
    File("a space before each quote", CUSTOMERS, person('"1", "Anna", "a@x.example", ""'), ANNA),
    File(
        "single quotes",
        CUSTOMERS,
        person("'1','Anna'", "'id','name'"),
        asks="quotes around cells must be double ones",
    ),
    File("`^` or `~` between cells", CUSTOMERS, person("1^Anna^a@x.example", "id^name^email"), ANNA),
    File("a page of HTML, called .xls", CUSTOMERS, "<html><table><tr><th>id", asks="is HTML or XML"),
    File("one list of JSON", CUSTOMERS, '[{"id": 1}]', asks="write each object on a line of its own"),
    File("vCards", CUSTOMERS, "BEGIN:VCARD\nFN:Anna\n", asks="export the contacts as CSV"),
    File(
        "`Cust_Email *`, `contact_first_name`",
        CUSTOMERS,
        person("1,Anna,a@x.example", "cust_no,contact_first_name,Cust_Email *"),
        ANNA,
    ),
    File("`12.-`, `12,- €`", PURCHASES, one("12,- €"), PAID),
    File("`12.340000000000002`", PURCHASES, one("12.000000000000002"), PAID),
    File("`12 Euro`", PURCHASES, one("12 Euro"), PAID),
    File(
        "`Betrag (EUR)`, `Order Total (inc tax)`",
        PURCHASES,
        one("12", "customer;date;Order Total (inc tax)"),
        PAID,
    ),
    File(
        "`Amount (ex tax)`, `Amount (cents)`",
        PURCHASES,
        one("12", "customer;date;Amount (cents)"),
        asks="no column for amount",
    ),
    File("`Total $`", PURCHASES, one("12", "customer;date;Total $"), asks="say --currency"),
    File(
        "a price beside a quantity",
        PURCHASES,
        one("12;3", "customer;date;price;quantity"),
        asks="may be that of one piece",
    ),
    File(
        "a `Type` of `Gutschrift`, `Refund`, `Avoir`",
        PURCHASES,
        one("12;Gutschrift", TYPES),
        ("a 2026-01-02 -12",),
    ),
    File("a `Type` of `Angebot`, `Quote`", PURCHASES, one("12;Angebot", TYPES), (), ("NO_SALE",)),
    File(
        "given back in part, nobody says how much",
        PURCHASES,
        one("12;partially_refunded", f"{TYPES[:-4]}status"),
        PAID,
        ("PART_UNKNOWN",),
    ),
    File("`2-Jan-26`, `Jan-02-2026`, `2 Jan '26`", PURCHASES, day("2-Jan-26"), ON_THE_DAY),
    File("`2026.01.02`, `2026年1月2日`", PURCHASES, day("2026年1月2日"), ON_THE_DAY),
    File("`1767348000`, seconds since 1970", PURCHASES, day("1767348000"), ON_THE_DAY),
    File("`20260102101500`", PURCHASES, day("20260102101500"), ON_THE_DAY),
    File("`2026-01-02 23:30:00 CET`, `PST`", PURCHASES, day("2026-01-02 23:30:00 CET"), ON_THE_DAY),
    File(
        "`Fri Jan 02 2026 10:15:00 GMT+0100 (...)`",
        PURCHASES,
        day("Fri Jan 02 2026 10:15:00 GMT+0100 (CET)"),
        ON_THE_DAY,
    ),
    File("`01/13/26`", PURCHASES, day("01/13/26"), ("a 2026-01-13 5",)),
    File("`31/12/25`", PURCHASES, day("31/12/25"), asks="say --date-format DD/MM/YY"),
    File("`45659`, a day of Excel", PURCHASES, day("45659"), asks="of dates of Excel it is 1899-12-31"),
    File("`✓`, `WAHR`, `oui`, `1.0`", CONSENTS, said("✓"), YES),
    File("`✗`, `FALSCH`, `non`, `0.0`", CONSENTS, said("✗"), NO),
    File("`☐`, `x`", CONSENTS, said("☐"), (), ("INVALID_CODE",)),
)


@pytest.mark.parametrize("file", FILES, ids=[file.what for file in FILES])
async def test_a_file_becomes_what_the_table_says(read: Read, file: File) -> None:
    if file.asks:
        assert file.asks in await refused(read, file.kind, file.content)
    else:
        found = await read(file.kind, file.content)
        assert (tuple(found.rows), tuple(found.told)) == (file.rows, file.told)
    assert f"| {file.what} | {file.kind} | {file.outcome()} |" in DOCS.read_text()


def saved(*rows: list[Any], formats: str = "", state: str = "visible") -> bytes:
    """A workbook, of which the last cell of each row is shown in a format."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cells in sheet.iter_rows(min_row=2):
        cells[-1].number_format = formats or "General"
    if state != "visible":
        other = book.create_sheet("Old", 0)
        other.append(rows[0])
        other.append([9, "Gone"])
        other.sheet_state = state
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("formats", "amount", "told"),
    [
        ('#,##0.00 "€"', "a 2026-01-02 5", ""),
        ("[$€-407] #,##0.00", "a 2026-01-02 5", ""),
        ("0%", "", "INVALID_CURRENCY"),
        ('"$"#,##0.00', "", "INVALID_CURRENCY"),
    ],
)
async def test_a_cell_of_a_workbook_is_what_it_shows(
    read: Read, formats: str, amount: str, told: str
) -> None:
    found = await read(
        PURCHASES, saved(["customer", "date", "amount"], ["a", "2026-01-02", 5], formats=formats)
    )
    assert (found.rows, [*found.told]) == ([amount] if amount else [], [told] if told else [])
    found = await read(CUSTOMERS, saved(["name", "id"], ["Anna", 123], formats="00000"))
    assert found.rows == ["Anna 00123"]
    found = await read(CUSTOMERS, saved(["name", "id"], ["Anna", 1.2345678901234567e16]))
    assert [*found.told] == ["ROUNDED_ID"]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
async def test_a_sheet_that_is_hidden_is_read_where_it_is_named_alone(read: Read, state: str) -> None:
    book = saved(["id", "name"], [1, "Anna"], state=state)
    found = await read(CUSTOMERS, book)
    assert (found.rows, "--sheet names another: Old" in found.notes) == (["Anna 1"], True)
    assert (await read(CUSTOMERS, book, sheet="Old")).rows == ["Gone 9"]


async def test_the_currency_in_the_name_of_a_column_is_that_of_its_amounts(read: Read) -> None:
    found = await read(PURCHASES, one("12", "customer;date;Amount (USD)"))
    assert "amounts are in USD, as Amount (USD) says" in found.notes


async def test_what_was_encoded_twice_is_told(read: Read) -> None:
    assert (
        "JÃ¶rg looks like UTF-8 that was read as cp1252" in (await read(CUSTOMERS, person("1,JÃ¶rg,,"))).notes
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_json_lines_are_read_in_every_encoding_of_unicode(read: Read, encoding: str) -> None:
    assert (await read(CUSTOMERS, '{"id": 1.0, "name": "Jörg"}\n', encoding)).rows == ["Jörg 1"]


@pytest.mark.parametrize(
    ("header", "row", "rows"),
    [
        (
            "ID,Purchase Date,Grand Total (Base),Grand Total (Purchased),Status,Customer Email,"
            "Total Refunded",
            '000012,"Jan 2, 2026 10:15:00 AM",25.00,25.00,closed,a@x.example,25.00',
            ["a@x.example 2026-01-02 0"],
        ),
        (
            "Invoice #,Customer #,Invoice Date,Invoice Total,Curr",
            "R1,7,13/01/2026,25.00,EUR",
            ["7 2026-01-13 25"],
        ),
        ("N° facture;N° client;Date facture;Montant TTC", "R1;7;13/01/2026;25,00", ["7 2026-01-13 25"]),
        ("Nº factura;Nº de cliente;Fecha factura;Importe", "R1;7;13/01/2026;25,00", ["7 2026-01-13 25"]),
    ],
)
async def test_numbers_and_totals_are_known_however_they_are_short(
    read: Read,
    header: str,
    row: str,
    rows: list[str],
) -> None:
    found = await read(PURCHASES, f"{header}\n{row}\n")
    assert (found.rows, "reference" in found.result.used) == (rows, True)


async def test_an_address_book_of_outlook_has_all_numbers_and_no_birthday_of_zeros(read: Read) -> None:
    found = await read(
        CUSTOMERS,
        "Vorname,Nachname,Fax geschäftlich,Telefon geschäftlich,Mobiltelefon,Geburtstag,E-Mail-Adresse,"
        "E-Mail 2: Adresse\n"
        "Anna,Berg,+49 30 901829,+49 30 901820,+49 171 1234567,0/0/00,a@x.example,b@x.example\n",
    )
    assert found.rows == ["Anna Berg a@x.example b@x.example +49 171 1234567 +49 30 901820 +49 30 901829"]
    assert found.told == {}
