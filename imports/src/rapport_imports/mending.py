"""Mending refused rows where they are shown: their cells as they are read, and a file with others."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapport_imports.tabular import ERROR_COLUMNS, neutralised, restored

_DECLARES = "sep="


@dataclass(frozen=True, slots=True)
class Refused:
    """A file of refused rows. `columns` are those of the source, with those beyond its header."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    _header: Sequence[str]
    _declares: str
    _encoding: str
    _delimiter: str

    def cells(self, row: int) -> list[str]:
        """The cells of a row, without what an export of refused rows puts before a formula."""
        return [restored(cell) for cell in self.rows[row][: len(self.columns)]]

    def told(self, row: int) -> tuple[str, str, str]:
        """The line of a row in its source, the column at fault, and what is allowed."""
        _, line, column, _, why, _ = self.rows[row][len(self.columns) :]
        return line, restored(column), restored(why)

    def mended(self, rows: Sequence[int], cells: Mapping[tuple[int, int], str]) -> bytes:
        """A file of refused rows with some of them, and other cells by row and column."""
        out = io.StringIO(newline="")
        out.write(self._declares)
        writer = csv.writer(out, delimiter=self._delimiter)
        writer.writerow(self._header)
        for row in rows:
            told = self.rows[row]
            writer.writerow(
                neutralised(cells[row, number]) if (row, number) in cells else cell
                for number, cell in enumerate(told)
            )
        return out.getvalue().encode(self._encoding, "backslashreplace")


def refused(content: bytes, encoding: str, delimiter: str) -> Refused:
    """A file of refused rows, as it was written of a source in this encoding and with this separator."""
    encoding, separator = encoding or "utf-8-sig", delimiter.strip("{") or ","
    text = content.decode(encoding)
    declares = ""
    if text.startswith(_DECLARES):
        declares, end, text = text.partition("\n")
        declares += end
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    width = len(header) - len(ERROR_COLUMNS)
    columns = [restored(name) for name in header[:width]]
    return Refused(columns, rows, header, declares, encoding, separator)
