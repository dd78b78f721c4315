"""Reading CSV (plain or .gz) and XLSX as a stream of rows, with what is wrong about each."""

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

EXCEL = {".xlsx", ".xlsm"}


class UnreadableFile(Exception):
    """The file as a whole cannot be imported; the message says what is wanted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was refused: the column, a documented reason, and what is allowed."""

    column: str
    reason: str
    description: str


@dataclass(slots=True)
class Row:
    """One row: its line in the file (the header is line 1), its cells by column, what is wrong with it."""

    line: int
    cells: dict[str, str]
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import. `digest` (SHA-256, hex) is its identity: a line of it is imported once, ever."""

    path: Path
    digest: str
    lines: int


def identify(path: Path) -> Source:
    """The file's identity and an estimate of its rows. UnreadableFile when it is absent or empty."""
    digest, lines = hashlib.sha256(), 0
    try:
        with path.open("rb") as raw:
            while chunk := raw.read(1 << 20):
                digest.update(chunk)
        if path.suffix not in EXCEL:
            with _opened(path) as text:
                lines = sum(chunk.count("\n") for chunk in iter(lambda: text.read(1 << 20), ""))
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}") from error
    return Source(path, digest.hexdigest(), lines)


def columns(source: Source) -> list[str]:
    """The header of the file."""
    return next(_records(source.path), (1, [], []))[1]


def rows(source: Source) -> Iterator[Row]:
    """Every row after the header that is not empty."""
    records = _records(source.path)
    _, header, _ = next(records, (1, [], []))
    for line, cells, problems in records:
        if len(cells) > len(header):
            problems.append(
                Problem("", "INVALID_ROW", f"must have at most {len(header)} cells, as the header has")
            )
        row = Row(line, dict(zip(header, cells, strict=False)), problems)
        if any(row.cells.values()):
            row.problems += [
                Problem(name, "INVALID_TEXT", "must be UTF-8 without NUL or control characters")
                for name, cell in row.cells.items()
                if not _is_text(cell)
            ]
            yield row


def _records(path: Path) -> Iterator[tuple[int, list[str], list[Problem]]]:
    records = _excel(path) if path.suffix in EXCEL else _csv(path)
    for number, (line, cells, problems) in enumerate(records):
        if number == 0:
            cells = [cell.strip() for cell in cells]
            if len({c for c in cells if c}) != len(cells):
                raise UnreadableFile(f"{path.name}: the first row must name every column, each name once")
        yield line, cells, problems


def _csv(path: Path) -> Iterator[tuple[int, list[str], list[Problem]]]:
    with _opened(path) as text:
        sample = text.read(64 * 1024)
        if not sample.strip():
            raise UnreadableFile(f"{path.name} is empty")
        if sample.startswith("PK\x03\x04") or "\x00\x00" in sample:
            raise UnreadableFile(f"{path.name} is not a CSV file; spreadsheets are read from .xlsx")
        text.seek(0)
        delimiter = max(",;\t|", key=sample.split("\n", 1)[0].count)
        reader = csv.reader(text, delimiter=delimiter)
        line = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise UnreadableFile(f"{path.name}, line {reader.line_num}: {error}") from error
            if cells is None:
                return
            yield line, cells, []
            line = reader.line_num + 1


def _excel(path: Path) -> Iterator[tuple[int, list[str], list[Problem]]]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise UnreadableFile(f"{path.name} is not a readable .xlsx file") from error
    try:
        names: list[str] = []
        for line, cells in enumerate(book.worksheets[0].iter_rows(), start=1):
            names = names or [str(cell.value or "") for cell in cells]
            problems = [
                Problem(name, "FORMULA_CELL", "must hold a value, not a formula: paste the column as values")
                for name, cell in zip(names, cells, strict=False)
                if cell.data_type == "f"
            ]
            yield line, [_text(cell.value) for cell in cells], problems
    finally:
        book.close()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _opened(path: Path) -> io.TextIOWrapper:
    raw = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115 - the wrapper closes it
    buffered = cast(BinaryIO, raw)
    return io.TextIOWrapper(buffered, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _is_text(cell: str) -> bool:
    return all(
        c.isprintable()
        or c in "\n\r\t\u00a0\u200b\u00ad"
        or (ord(c) >= 0xA0 and not 0xD800 <= ord(c) <= 0xDFFF)
        for c in cell
    )
