"""The file of refused rows: nothing in it is a formula to a spreadsheet, and each row knows where it was."""

import csv
import filecmp
import re
from pathlib import Path
from typing import Any

from rapport_imports.reading import Reading
from rapport_imports.tabular import ERROR_COLUMNS, Row, Table, neutralised
from rapport_imports.wording import shown
from rapport_imports.workbook import FORMULA

SHOWN = 20
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


class ErrorFile:
    """The refused rows, as they were, with why: made when the first one comes, and never over another file.

    Its separator and encoding are the source's, so that the same program opens it; of a workbook they are a
    comma and UTF-8 with a mark. When it cannot be written, the import goes on: `failure` says why, `first`
    holds the first refusals.

    `path` gets a number when there is another file already, for that may be one being mended; `width` is the
    most cells that a row of the source has.
    """

    def __init__(self, path: Path, source: Table, width: int, reading: Reading) -> None:
        self.path = path
        self.count = 0
        self.failure = ""
        self.first: list[Row] = []
        self._source = source
        self._header = source.header
        self._padding = [""] * max(0, width - len(source.header))
        self._reading = reading.written()
        self._file: Any = None
        self._others: list[Path] = []

    def keep(self, row: Row) -> None:
        """Write the row when it has problems."""
        if not row.problems:
            return
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(row)
        if not self.failure:
            try:
                self._write(row)
            except OSError as error:
                self.failure = f"{self.path}: {error.strerror or error}"

    def close(self) -> None:
        """End the file; one that says the same as another is that one."""
        if self._file:
            try:
                self._file.close()
                for other in self._others:
                    if filecmp.cmp(self.path, other, shallow=False):
                        self.path.unlink()
                        self.path = other
                        break
            except OSError as error:
                self.failure = self.failure or f"{self.path}: {error.strerror or error}"

    def _write(self, row: Row) -> None:
        if self._file is None:
            self._file = self._created()
            delimiter = self._source.delimiter.strip("{") or ","
            if self._source.declared:
                self._file.write(f"sep={delimiter}\r\n")
            self._writer = csv.writer(self._file, delimiter=delimiter)
            header = [neutralised(name) for name in self._header]
            self._writer.writerow([*header, *self._padding, *ERROR_COLUMNS])
        cells = [row.cells.get(name, "") for name in self._header]
        cells = ["" if cell == FORMULA else _NOT_UTF8.sub(_guessed, cell) for cell in cells]
        padded = [*cells, *row.extra, *self._padding[len(row.extra) :]]
        first = row.problems[0]
        why = dict.fromkeys(
            f"{p.column}: {p.description}" if p.column else p.description for p in (*row.problems, *row.told)
        )
        told = [
            row.origin,
            str(row.line),
            neutralised(first.column),
            first.reason,
            neutralised("; ".join(why)),
            neutralised(self._reading),
        ]
        self._writer.writerow([*(neutralised(shown(cell)) for cell in padded), *told])

    def _created(self) -> Any:
        for number in range(1, 1000):
            name = self.path.name if number == 1 else f"{self.path.stem}-{number}{self.path.suffix}"
            try:
                self.path.with_name(name).touch(0o600, exist_ok=False)  # people are in it
                made = self.path.with_name(name).open(
                    "w", newline="", encoding=self._source.encoding.name, errors="backslashreplace"
                )
            except FileExistsError:
                self._others.append(self.path.with_name(name))
                continue
            self.path = self.path.with_name(name)
            return made
        raise FileExistsError(17, "a thousand files of that name exist")


def _guessed(byte: re.Match[str]) -> str:
    """What a byte that is not UTF-8 is likeliest to be, for whoever mends the row to judge."""
    return bytes([ord(byte[0]) - 0xDC00]).decode("cp1252", "replace")
