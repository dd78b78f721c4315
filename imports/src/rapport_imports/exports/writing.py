"""Files of rows, as CSV, XLSX or JSON Lines, written as the rows come, and private: people are in them."""

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from rapport_imports.exports.cells import Cell
from rapport_imports.tabular import neutralised, restored
from rapport_imports.workbook import ROWS_MAX

CELL_MAX = 32_767  # characters, as in every spreadsheet
_EXACT_MAX = 10**15  # what a spreadsheet's numbers say to the last digit


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


class Unwritable(Exception):
    """The rows do not fit into such a file; the message says what would do."""


class Writer(Protocol):
    """A file that is being written."""

    def row(self, cells: Sequence[Cell]) -> None:
        """Add a row, of as many cells as there are columns."""

    def mark(self) -> int:
        """Make sure of the rows so far: where they end, -1 of a file that cannot be gone on with."""

    def close(self) -> None:
        """End the file."""

    def stop(self) -> None:
        """Leave it unfinished: to be gone on with, or, of a workbook, for nothing."""


def writer(kind: Format, path: Path, columns: Sequence[str], *, after: int = 0) -> Writer:
    """The file, which begins with the columns; or goes on behind its first `after` bytes."""
    if not after:
        path.unlink(missing_ok=True)
        path.touch(0o600)
    if kind is Format.XLSX:
        return _Workbook(path, columns)
    return (_Csv if kind is Format.CSV else _Json)(path, columns, after)


class _Lines:
    """A file of text that can be gone on with."""

    def __init__(self, path: Path, after: int, *, bom: bool = False) -> None:
        self._raw = path.open("r+b")
        self._raw.truncate(after)
        self._raw.seek(after)
        if bom and not after:  # by which spreadsheets know the encoding
            self._raw.write(b"\xef\xbb\xbf")
        self._file = io.TextIOWrapper(self._raw, encoding="utf-8", newline="")

    def mark(self) -> int:
        self._file.flush()
        return self._raw.tell()

    def close(self) -> None:
        self._file.close()

    stop = close


class _Csv(_Lines):
    def __init__(self, path: Path, columns: Sequence[str], after: int) -> None:
        super().__init__(path, after, bom=True)
        self._rows = csv.writer(self._file)
        if not after:
            self._rows.writerow(columns)

    def row(self, cells: Sequence[Cell]) -> None:
        self._rows.writerow([_text(cell) if _is_number(cell) else neutralised(_text(cell)) for cell in cells])


class _Json(_Lines):
    def __init__(self, path: Path, columns: Sequence[str], after: int) -> None:
        super().__init__(path, after)
        self._columns = columns

    def row(self, cells: Sequence[Cell]) -> None:
        said = {name: _value(cell) for name, cell in zip(self._columns, cells, strict=True)}
        self._file.write(json.dumps(said, ensure_ascii=False) + "\n")


class _Workbook:
    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        import openpyxl

        self._path = path
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet("Rapport")
        self._sheet.freeze_panes = "A2"
        self._columns = columns
        self._count = 0
        self.row(columns)

    def row(self, cells: Sequence[Cell]) -> None:
        self._count += 1
        if self._count > ROWS_MAX:
            raise Unwritable(
                f"a workbook has at most {ROWS_MAX:,} rows: write --format csv, or --filter less"
            )
        self._sheet.append([self._cell(*each) for each in zip(self._columns, cells, strict=True)])

    def _cell(self, column: str, cell: Cell) -> Any:
        from openpyxl.cell import WriteOnlyCell

        if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
            number = Decimal(cell)
            is_exact = abs(number) < _EXACT_MAX and Decimal(repr(float(number))) == number
            return float(number) if is_exact else f"{number:f}"
        text = _text(cell)
        if len(text) > CELL_MAX:
            told = f"{column} has more than the {CELL_MAX:,} characters that a cell of a workbook holds"
            raise Unwritable(f"{told}: write --format csv")
        made = WriteOnlyCell(self._sheet, neutralised(text) if restored(text) != text else text)
        made.data_type = "s"
        if neutralised(text) != text:  # a text for good, also to whoever goes into the cell
            made.quotePrefix = True
        return made if text else None

    def mark(self) -> int:
        return -1

    def close(self) -> None:
        with self._path.open("wb") as raw:
            self._book.save(raw)

    def stop(self) -> None:
        self._sheet.close()
        self._path.unlink(missing_ok=True)


def _is_number(cell: Cell) -> bool:
    """Whether it is one that can be no formula, also when it is negative."""
    return isinstance(cell, int | Decimal)


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int | Decimal):
        return f"{cell:f}" if isinstance(cell, Decimal) else f"{cell}"
    return "\n".join(cell)


def _value(cell: Cell) -> Any:
    """As JSON has it; amounts are texts, which say all of their decimals."""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, str):
        return cell or None
    return cell if isinstance(cell, bool | int) else [*cell]
