"""Reading delimited text: which character separates, and records with the line on which each began."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rapport_imports import heading
from rapport_imports.decoding import Encoding, UnreadableFile, lines, readable, text

_DELIMITERS = ",;\t|^~\x1f\x01"
_SAMPLE_RECORDS, _SAMPLE_LINES = 200, 10_000  # empty ones are looked past
_CELL_MAX = 1 << 20


def records(path: Path, encoding: Encoding, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every record, after a line `sep=;`, with its line. UnreadableFile for quotes that do not match."""
    csv.field_size_limit(_CELL_MAX)
    with readable(path), text(path, encoding) as source:
        skipped = _skip_separator(path, source)
        reader = csv.reader(lines(path, source), delimiter=delimiter, strict=True, skipinitialspace=True)
        line = 1 + skipped
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise UnreadableFile(
                    f"{path.name}: the row that begins on line {line} cannot be read ({error}): a quoted "
                    'cell must end in a quote, quotes inside it be doubled (""), and no cell be longer than '
                    f"{_CELL_MAX:,} characters"
                ) from error
            if cells is None:
                return
            yield line, [_newlines(cell) if "\r" in cell else cell for cell in cells]
            line = reader.line_num + 1 + skipped


def _newlines(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def delimiter_of(path: Path, encoding: Encoding) -> tuple[str, bool]:
    """What separates the cells, and whether `sep=` says so; else it cuts most rows as it cuts the header.

    Quoted cells may hold any of the characters, so every choice is tried as it would be read.
    """
    with readable(path), text(path, encoding) as source:
        declared = _declared(_first(path, source))
    if declared:
        return declared, True
    return max(_DELIMITERS, key=lambda delimiter: _fit(path, encoding, delimiter)), False


def _fit(path: Path, encoding: Encoding, delimiter: str) -> tuple[float, int]:
    """The share of rows that have as many cells as the header, where those are several; and how many.

    That is the first line, unless one below it has names that columns are called.
    """
    widths: list[int] = []
    header, trust = 0, 1.0
    csv.field_size_limit(_CELL_MAX)
    with readable(path), text(path, encoding) as source:
        reader = csv.reader(lines(path, source), delimiter=delimiter, strict=True, skipinitialspace=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    widths.append(len(cells))
                    if not header and len(widths) <= heading.LINES_MAX and heading.known(cells) > 1:
                        header = len(cells)
                if len(widths) == _SAMPLE_RECORDS or reader.line_num > _SAMPLE_LINES:
                    break
        except csv.Error:  # told when it is read for good
            widths, trust = widths or _first_width(path, encoding, delimiter), 0.5
    header = header or (widths[0] if widths else 1)
    return (widths.count(header) / len(widths) * trust, header) if header > 1 else (0, 0)


def _first_width(path: Path, encoding: Encoding, delimiter: str) -> list[int]:
    with text(path, encoding) as source:
        return [_first(path, source).count(delimiter) + 1]


def _declared(line: str) -> str:
    """What a first line `sep=;` says, which Excel writes and reads; empty for any other line."""
    line = line.rstrip("\r\n")
    return line[-1] if line.startswith("sep=") and len(line) == len("sep=") + 1 else ""


def _first(path: Path, source: TextIO) -> str:
    return next(lines(path, source), "")


def _skip_separator(path: Path, source: TextIO) -> int:
    """Step over a first line `sep=;`. Returns how many lines that were."""
    if _declared(_first(path, source)):
        return 1
    source.seek(0)
    return 0
