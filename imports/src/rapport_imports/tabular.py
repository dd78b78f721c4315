"""A file as a table: a header, and rows with what is wrong about each, read by content."""

import hashlib
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from chassis.api.text import NOT_TEXT
from rapport_imports import decoding, delimited, heading, jsonlines, own, workbook
from rapport_imports.decoding import Encoding, UnreadableFile
from rapport_imports.heading import Heading
from rapport_imports.nothing import is_error
from rapport_imports.reading import Reading, read

# Where the row was (`{digest}:{line}`), its line, the column at fault, the reason, what is allowed, and how
# it was read (`Reading`).
ERROR_COLUMNS = ("error_row", "error_line", "error_column", "error_reason", "error", "error_import")
# What `shown` puts in place of a control character, also as it is written in an encoding that lacks it.
PICTURE = re.compile(r"[\u2400-\u2426]|\\u24[0-2][0-9a-f]")
# What begins a formula somewhere, of full width too; and an apostrophe, so that one that was there stays.
_FORMULA = "[=+@\\t\\r'\uff1d\uff0b\uff20\uff0d-]"
# Where a cell begins: also to a program that splits the line by another separator than ours.
_BEGINS = r"((?:^|[;,|\t\n])\"*)"
_NEUTRALISE = re.compile(f"{_BEGINS}(?={_FORMULA})")
_RESTORE = re.compile(f"{_BEGINS}'(?={_FORMULA})")
COLUMNS_MAX = 1000
ALREADY_IMPORTED = "ALREADY_IMPORTED"  # of what may be what another file brought
# Why a row is refused that may be right as it is: a person knows, and confirms it.
CONFIRMABLE = frozenset({ALREADY_IMPORTED, "NAME_DIFFERS"})
_ORIGIN = re.compile(rf"[0-9a-f]{{64}}:\d{{1,12}}|{own.SYSTEM}:purchases/[0-9a-f-]{{36}}")


def neutralised(cell: str) -> str:
    """The cell as text to any spreadsheet: with an apostrophe before what would be a formula."""
    return _NEUTRALISE.sub(r"\1'", cell)


def restored(cell: str) -> str:
    """What `neutralised` was given."""
    return _RESTORE.sub(r"\1", cell)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was refused: the column, a documented reason, and what is allowed."""

    column: str
    reason: str
    description: str


@dataclass(slots=True)
class Row:
    """One row: its line in the file, its cells by column and those beyond the header, and what is wrong.

    `told` is what is to be known of it although it is imported. `origin` is where it comes from,
    `{digest}:{line}`: of a row that was refused before, the file and line where it was. `confirmed` says
    that it was refused because another file may have brought it, and that a person says no. `further` are the
    other rows of an order that begins with it. `aside` is why it is none of the table, if it is none.
    """

    line: int
    cells: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    told: list[Problem] = field(default_factory=list)
    origin: str = ""
    confirmed: bool = False
    further: list["Row"] = field(default_factory=list)
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file to import. `digest` (SHA-256, hex) is its identity: a line of it is imported once, ever."""

    path: Path
    digest: str  # of its bytes, and of the sheet's name: the same line of another sheet is another
    header: list[str]
    first: int  # the line of the header; 0 for none
    delimiter: str  # what separates cells; empty for a workbook
    declared: bool  # whether a first line `sep=;` says so
    encoding: Encoding
    sheet: str
    others: list[str]  # the workbook's other sheets
    # The number of cells of a file of refused rows, whose last tell where each comes from; else 0.
    mended: int
    before: Reading  # how the rows of such a file were read when they were refused
    own: str = ""  # what an export of ours holds, as `own.MARKS` has it
    confirm: bool = False  # whether a person says of such rows that no other file brought them
    notes: tuple[str, ...] = ()  # how its header was found and read, where it might be otherwise

    def rows(self) -> Iterator[Row]:
        """Every row after the header that is not empty."""
        for line, cells in _records(self.path, self.encoding, self.delimiter, self.sheet):
            if line > self.first and any(cell.strip() for cell in cells):
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row:
        width, origin, reason = len(self.header), "", ""
        if self.mended:
            cells = [*cells, *[""] * (self.mended - len(cells))]
            origin, _, _, reason, *_ = cells[self.mended - len(ERROR_COLUMNS) : self.mended]
            cells = [restored(cell) for cell in cells[: self.mended - len(ERROR_COLUMNS)]]
        elif self.own and self.delimiter != jsonlines.DELIMITER:
            cells = [restored(cell) for cell in cells]
        row = Row(line, dict(zip(self.header, cells, strict=False)), extra=cells[width:])
        row.confirmed = self.confirm and reason in CONFIRMABLE
        row.origin = origin if _ORIGIN.fullmatch(origin) else self._origin(row)
        # Of most rows that is all to look for.
        has_lines = self._is_csv and not self.own and "\n" in "".join(cells)
        if has_lines and any(_holds_rows(cell, self.delimiter, width) for cell in cells):
            allowed = (
                "must not hold whole rows: a quote is missing where it begins, or its line breaks must go"
            )
            row.problems.append(Problem("", "INVALID_ROW", allowed))
        if any(cell.strip() for cell in row.extra):
            allowed = f"must have at most {width} cells, as the header has"
            row.problems.append(Problem("", "INVALID_ROW", allowed))
        return row

    @property
    def _is_csv(self) -> bool:
        return self.delimiter not in ("", jsonlines.DELIMITER)

    def _origin(self, row: Row) -> str:
        """Where a row comes from: of a purchase that we exported from that, however often it is exported."""
        name = row.cells.get(own.MARKS["purchases"], "") if self.own == "purchases" else ""
        kept = f"{own.SYSTEM}:{name}"
        return kept if _ORIGIN.fullmatch(kept) else f"{self.digest}:{row.line}"


def _holds_rows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a cell has swallowed the rows between two quotes that do not belong together.

    Each took as many separators with it as a row has.
    """
    return width > 2 and "\n" in cell and cell.count(delimiter) == cell.count("\n") * (width - 1)


def check_cell(row: Row, column: str) -> str:
    """The text of a cell that is used; empty, and a problem of the row, when it is none."""
    cell = row.cells.get(column, "")
    if cell == workbook.FORMULA or is_error(cell):
        allowed = "must hold a value, not a formula or its error: paste the column as values"
        row.problems.append(Problem(column, "FORMULA_CELL", allowed))
        return ""
    if NOT_TEXT.search(cell) or PICTURE.search(cell):
        allowed = "must be UTF-8 text without control characters"
        row.problems.append(Problem(column, "INVALID_TEXT", allowed))
        return ""
    return cell


def open_table(
    path: Path,
    *,
    encoding: str = "",
    header_row: int | None = None,
    sheet: str = "",
    named: Collection[str] = (),
) -> Table:
    """The file as a table. UnreadableFile when it is absent, empty, or none.

    Args:
        path: a CSV file in any encoding, packed with gzip or not, or an .xlsx workbook.
        encoding: its encoding, when it cannot be told from the content.
        header_row: the line that names the columns, 0 for none; None to find it.
        sheet: of a workbook; when empty the first that names columns which are known, else the first.
        named: columns as options call them, by their names or places.
    """
    start = decoding.head(path)
    decoding.check_unpacked(path)
    with decoding.readable(path), path.open("rb") as raw:
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
    excel = start.startswith(decoding.ZIP)
    if not start.strip():
        raise UnreadableFile(f"{path.name} is empty")
    found, delimiter, declared, others = Encoding("utf-8-sig"), "", False, list[str]()
    if excel:
        sheet, others = _sheet(path, sheet, named, is_found=header_row is None)
        digest = hashlib.sha256(f"{digest} {sheet}".encode()).hexdigest()
    else:
        found = _named(encoding) if encoding else decoding.encoding_of(path, start)
        if start.decode(found.name, "ignore").lstrip("\ufeff \t\r\n").startswith(jsonlines.DELIMITER):
            delimiter = jsonlines.DELIMITER
        else:
            delimiter, declared = delimited.delimiter_of(path, found)
    header_row = 1 if delimiter == jsonlines.DELIMITER else header_row
    first, cells, is_known, has_above = _heading(
        path, _records(path, found, delimiter, sheet), header_row, named
    )
    mended = len(cells) if tuple(cells[-len(ERROR_COLUMNS) :]) == ERROR_COLUMNS else 0
    if mended:
        cells = [restored(cell) for cell in cells[: -len(ERROR_COLUMNS)]]
    header, notes = heading.names(cells)
    if has_above:
        notes.insert(0, f"line {first} names the columns, and none above is read; --header-row names another")
    by_place = any(heading.place(text) and text not in header for text in named)
    if by_place and header_row is None and not is_known and first:
        notes.append(f"line {first} is taken for names of columns; --header-row 0 says that none names them")
    before = Reading()
    if mended:
        refused = (row for line, row in _records(path, found, delimiter, sheet) if line > first)
        before = _before(path, {row[mended - 1] for row in refused if len(row) >= mended} - {""})
    kind = own.kind_of(header)
    return Table(
        path,
        digest,
        header,
        first,
        delimiter,
        declared,
        found,
        sheet,
        others,
        mended,
        before,
        own=kind,
        notes=tuple(notes),
    )


def _heading(
    path: Path,
    records: Iterator[tuple[int, list[str]]],
    header_row: int | None,
    named: Collection[str],
) -> Heading:
    """The header: the line that is wanted; that of refused rows, or of an export of ours; else as found."""
    if header_row == 0:
        return heading.none(records)
    lines = ((line, cells) for line, cells in records if any(map(str.strip, cells)))
    if header_row is None:
        ahead = next(lines, (0, []))
        if tuple(ahead[1][-len(ERROR_COLUMNS) :]) == ERROR_COLUMNS or own.kind_of(ahead[1]):
            return Heading(*ahead)
        return heading.find(chain([ahead], lines), named, path.name)
    wanted = next((Heading(*each) for each in lines if each[0] >= header_row), None)
    if wanted is None:
        raise UnreadableFile(f"{path.name} is empty")
    return wanted


def _before(path: Path, written: set[str]) -> Reading:
    """How rows were read when they were refused. UnreadableFile when not all of them were read alike."""
    if len(written) > 1:
        raise UnreadableFile(
            f"{path.name} holds rows that were imported in several ways, as {ERROR_COLUMNS[-1]} says: import "
            "the refused rows of each file alone"
        )
    reading = read(restored(written.pop())) if written else Reading()
    if reading is None:
        raise UnreadableFile(f"{path.name}: {ERROR_COLUMNS[-1]} must stay as it was written")
    return reading


def _records(path: Path, encoding: Encoding, delimiter: str, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Every record with its line. UnreadableFile for one of more than 1,000 columns."""
    if delimiter == jsonlines.DELIMITER:
        found = jsonlines.records(path, encoding)
    else:
        found = delimited.records(path, encoding, delimiter) if delimiter else workbook.records(path, sheet)
    for line, cells in found:
        if len(cells) > COLUMNS_MAX and any(cell.strip() for cell in cells[COLUMNS_MAX:]):
            raise UnreadableFile(
                f"{path.name}: line {line} has {len(cells):,} cells: must be at most {COLUMNS_MAX:,}; leave "
                "out columns that are not needed"
            )
        yield line, cells[:COLUMNS_MAX]


def _sheet(path: Path, wanted: str, named: Collection[str], *, is_found: bool) -> tuple[str, list[str]]:
    """The sheet that is read, and the others: what is wanted, or names known columns, or is the first."""
    shown, hidden = workbook.sheets(path)
    names = [*shown, *hidden]
    if wanted and wanted not in names:
        raise UnreadableFile(f"{path.name} has no sheet {wanted}: --sheet is one of {', '.join(names)}")
    chosen = wanted or names[0]
    for name in shown if is_found and not wanted and len(names) > 1 else ():
        with suppress(UnreadableFile):
            if _heading(path, workbook.records(path, name), None, named).is_known:
                chosen = name
                break
    return chosen, [name for name in names if name != chosen]


def _named(encoding: str) -> Encoding:
    import codecs

    try:
        return Encoding(codecs.lookup(encoding).name)
    except LookupError as error:
        told = f"--encoding {encoding}: must be an encoding such as utf-8, cp1252 or utf-16"
        raise UnreadableFile(told) from error
