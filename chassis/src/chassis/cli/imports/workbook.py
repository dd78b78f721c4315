"""Reading the rows of an .xlsx workbook, whatever its parts claim about its size."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl

from chassis.cli.imports.decoding import UnreadableFile, refuse_bomb

FORMULA = "\x00formula"  # stands for a cell whose value nobody computed; no cell of a workbook can hold NUL


def records(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Every row of a sheet, the first one when `sheet` is empty, with its number. Formulas are `FORMULA`."""
    try:
        _check_size(path)
        # Opened here: the library goes by the name of a file. What its XML says is found out row by row.
        with path.open("rb") as raw:
            book = openpyxl.load_workbook(raw, read_only=True, data_only=False)
            for number, cells in enumerate(_sheet(path, book, sheet).iter_rows(), start=1):
                yield number, [FORMULA if cell.data_type == "f" else _text(cell.value) for cell in cells]
            book.close()
    except (UnreadableFile, GeneratorExit):
        raise
    except Exception as error:
        raise UnreadableFile(f"{path.name} is not a readable .xlsx file: {type(error).__name__}") from error


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "[Content_Types].xml" not in names:
            raise UnreadableFile(f"{path.name} is a ZIP archive, not a readable .xlsx file: unpack it first")
        refuse_bomb(path, path.stat().st_size, sum(entry.file_size for entry in archive.infolist()))


def _sheet(path: Path, book: Any, name: str) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if not sheets or (name and name not in sheets):
        raise UnreadableFile(f"{path.name} has no sheet {name}: --sheet is one of {', '.join(sheets)}")
    chosen = sheets[name] if name else next(iter(sheets.values()))
    chosen.reset_dimensions()  # some writers say A1 of a sheet with thousands of rows
    return chosen


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime | time):
        # With its time even at midnight: a date cell is not what --date-format is about.
        return value.isoformat()
    if isinstance(value, float):
        return repr(value).removesuffix(".0") if abs(value) < 1e15 else f"{value:.0f}"
    return str(value).replace("\r\n", "\n").replace("\r", "\n")
