"""Reading the rows of an .xlsx workbook, whatever its parts claim about its size."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl

from rapport_imports.decoding import RATIO_MAX, UnreadableFile, refuse_bomb

FORMULA = "\x00formula"  # stands for a cell whose value nobody computed; no cell of a workbook can hold NUL
ROWS_MAX = 1 << 20  # as in every spreadsheet
CELLS_MAX = 50_000_000  # with those that a row only skips: its last one costs as much as all before it
ELEMENTS_MAX = 200_000  # a spreadsheet has at most 64,000 formats of cells
# What the library reads whole, and again with each opening: all but the cells and what nobody looks at.
_READ_WHOLE = re.compile(
    r"(?i)\[content_types\]\.xml|.*\.rels|docprops/.*|"
    r"xl/(?!sharedStrings|calcChain|comments|metadata|volatile)[^/]*\.xml"
)
_PART_RATIO_FROM = 4 << 20
_EXACT = 1e15  # a spreadsheet keeps 15 digits of a number
# What other documents have that are ZIP archives as well.
_OTHERS = {
    "mimetype": "an OpenDocument",
    "Index/Document.iwa": "a document of Apple Numbers",
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "word/document.xml": "a text of Word",
}
# Formats of cells: of ids and postal codes; of money, `[$€-407]`, `"CHF"`, `$`.
_ZEROS = re.compile(r"0{2,}")
_MONEY = re.compile(r'\[\$([^\]\d-]+)(?:-[^\]]*)?\]|"\s?([^"\s\d]{1,3})\s?"|([€£¥$])')


def sheets(path: Path) -> tuple[list[str], list[str]]:
    """The names of a workbook's sheets of cells, at least one: those that are shown, and that are hidden."""
    with _opened(path) as book:
        found = [(str(sheet.title), sheet.sheet_state == "visible") for sheet in book.worksheets]
    if not found:
        raise UnreadableFile(f"{path.name} has no sheet of cells")
    return [name for name, shown in found if shown], [name for name, shown in found if not shown]


def records(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Every row of a sheet that has cells, with its number. Formulas are `FORMULA`.

    UnreadableFile for more rows than a spreadsheet has, and for more than 50 million cells.
    """
    read = 0
    with _opened(path) as book:
        chosen = next(found for found in book.worksheets if found.title == sheet)
        chosen.reset_dimensions()  # some writers say A1 of a sheet with thousands of rows
        for number, cells in enumerate(chosen.iter_rows(), start=1):
            read += len(cells)
            if number > ROWS_MAX or read > CELLS_MAX:
                raise UnreadableFile(
                    f"{path.name}: must have at most {ROWS_MAX:,} rows and {CELLS_MAX:,} cells, the empty "
                    "ones before others counted: export it as CSV"
                )
            if not cells:  # skipped by the number of the next row
                continue
            yield number, [_cell(cell) for cell in cells]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A workbook. UnreadableFile for whatever is wrong with it, also while it is read: row by row."""
    try:
        _check_size(path)
        # Opened here: the library goes by the name of a file.
        with path.open("rb") as raw:
            book = openpyxl.load_workbook(raw, read_only=True, keep_links=False)
            yield book
            book.close()
    except (UnreadableFile, GeneratorExit):
        raise
    except Exception as error:
        raise UnreadableFile(f"{path.name} is not a readable .xlsx file: {type(error).__name__}") from error


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for mark, called in _OTHERS.items():
            if mark in names:
                raise UnreadableFile(f"{path.name} is {called}, no .xlsx workbook: save it as .xlsx or CSV")
        if "[Content_Types].xml" not in names:
            raise UnreadableFile(f"{path.name} is a ZIP archive, not a readable .xlsx file: unpack it first")
        refuse_bomb(path, path.stat().st_size, sum(entry.file_size for entry in archive.infolist()))
        for part in archive.infolist():
            if part.file_size > max(_PART_RATIO_FROM, part.compress_size * RATIO_MAX):
                raise UnreadableFile(
                    f"{path.name}: {part.filename} must be at most {RATIO_MAX} times its size unpacked: "
                    "export it as CSV"
                )
            if _READ_WHOLE.fullmatch(part.filename) and _elements(archive, part) > ELEMENTS_MAX:
                raise UnreadableFile(
                    f"{path.name}: {part.filename} must have at most {ELEMENTS_MAX:,} elements, such as "
                    "formats of cells: export it as CSV"
                )


def _elements(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """How many tags a part has, at least."""
    with archive.open(part) as source:
        return sum(chunk.count(b"<") for chunk in iter(lambda: source.read(1 << 20), b""))


def _cell(cell: Any) -> str:
    """What a cell shows, as far as that is more than its value: zeros in front, a currency, a share."""
    if cell.data_type == "f":
        return FORMULA
    text = _text(cell.value)
    if cell.data_type != "n" or not text or (format_ := cell.number_format) == "General":
        return text
    if _ZEROS.fullmatch(format_):
        return text.zfill(len(format_))
    if format_.endswith("%"):
        return f"{cell.value * 100:.10g}%"
    money = _MONEY.search(format_)
    return f"{text} {money[1] or money[2] or money[3]}" if money else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime | time):
        # With its time even at midnight: a date cell is not what --date-format is about.
        return value.isoformat()
    if isinstance(value, float):
        # Of what is longer the last digits are lost, and it is to be seen that they are.
        return repr(value).removesuffix(".0") if abs(value) < _EXACT else f"{value:.14E}"
    return str(value).replace("\r\n", "\n").replace("\r", "\n")
