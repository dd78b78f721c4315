"""Which line of a file names its columns, where a title or notes stand above it, or none does."""

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from rapport_imports import dates
from rapport_imports.decoding import UnreadableFile
from rapport_imports.names import KNOWN, plain
from rapport_imports.wording import shown

LINES_MAX = 30  # of a file, in which its header is looked for
_AT_LEAST = 2  # names that are known, where a line has more than one
_PHONE = re.compile(r"(?:\+|0|\()[\d\s()/.+-]{6,}")
_EMAIL = re.compile(r"[\w.+'&/=!%-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"[-+]?[\d.,']*\d")
_YEAR = re.compile(r"(?:19|20)\d\d")
_QUOTED = re.compile(r"'.*'|[\u2018\u201c\u201e\u00ab].*[\u2019\u201c\u201d\u00bb]")
_LETTERS = re.compile(r"[A-Za-z]{1,3}")


class Heading(NamedTuple):
    """A line that names columns, 0 for none: whether its names are known, and others stand above it."""

    line: int
    cells: list[str]
    is_known: bool = False
    has_above: bool = False


def find(lines: Iterable[tuple[int, list[str]]], named: Collection[str], name: str) -> Heading:
    """The first line with two cells that columns are called, else the first that says anything.

    Args:
        lines: those of the file, with their numbers; the first of them are looked at.
        named: columns as options call them: a line that has one of those has the names.
        name: that of the file.

    Raises UnreadableFile where the first line holds values, unless `named` are places of columns.
    """
    found = _looked_at(lines)
    if not found:
        raise UnreadableFile(f"{name} is empty")
    several = max(sum(map(bool, map(str.strip, cells))) for _, cells in found) > 1
    needed = _AT_LEAST if several else 1
    counts = [_known(cells, named, is_first=i == 0) for i, (_, cells) in enumerate(found)]
    best = next((i for i, count in enumerate(counts) if count >= needed), None)
    if best is not None and best + 1 < len(found) and counts[best + 1] > counts[best]:
        best += 1  # the line above names groups of columns
    if best is not None:
        return Heading(*found[best], is_known=True, has_above=best > 0)
    by_place = bool(named) and all(place(text) for text in named)
    if value := _value(found[0][1], has_a_name=counts[0] > 0 or by_place):
        return _asked(found, named, name, value)
    return Heading(*found[0])


def none(lines: Iterable[tuple[int, list[str]]]) -> Heading:
    """That of a file without one, whose columns are known by their places."""
    width = max((len(cells) for _, cells in _looked_at(lines)), default=0)
    return Heading(0, [f"column {number}" for number in range(1, width + 1)])


def names(cells: list[str]) -> tuple[list[str], list[str]]:
    """The names of the columns, and what is to be said of them; none is behind the last that has a name.

    One without a name is called by its number; the second of a name is `name (2)`.
    """
    said = [shown(" ".join(cell.split())) for cell in cells]
    if quoted := next((name for name in said if _QUOTED.fullmatch(name)), ""):
        raise UnreadableFile(f'{quoted} names a column: quotes around cells must be double ones, "as here"')
    while said and not said[-1]:
        said.pop()
    given: list[str] = []
    notes: list[str] = []
    for number, name in enumerate(said, start=1):
        name = called = name or f"column {number}"
        again = 1
        while called in given or (again > 1 and called in said):
            again += 1
            called = f"{name} ({again})"
        if again > 1:
            first = given.index(name) + 1
            notes.append(f"column {number} is called {name} as column {first} is: it is {called} here")
        given.append(called)
    return given, notes


def place(text: str) -> int | None:
    """The number of the column that `3` or `C` means; None where it is none."""
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    if not _LETTERS.fullmatch(text):
        return None
    number = 0
    for letter in text.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def is_email(cell: str) -> bool:
    return _EMAIL.fullmatch(cell.strip()) is not None


def is_phone(cell: str) -> bool:
    """Whether it is written as phone numbers are, with their zero, plus or brackets."""
    return _PHONE.fullmatch(cell.strip()) is not None and sum(map(str.isdigit, cell)) > 6


def is_date(cell: str) -> bool:
    with suppress(ValueError):
        dates.read(cell.strip(), first="day")
        return True
    return False


def _looked_at(lines: Iterable[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    for line, cells in lines:
        if line > LINES_MAX and found:
            break
        if any(map(str.strip, cells)):
            found.append((line, cells))
    return found


def _known(cells: Sequence[str], named: Collection[str], *, is_first: bool) -> int:
    """How many names of columns a line has, each once; none where it holds values."""
    if any(map(is_email, cells)) or (not is_first and _value(cells, has_a_name=True)):
        return 0
    said = {" ".join(cell.split()) for cell in cells} - {""}
    places = {text for text in named if text.isdecimal() and int(text) <= len(cells)}
    return known(cells) + _AT_LEAST * len(said & (set(named) - places))


def known(cells: Sequence[str]) -> int:
    """How many names of columns of any kind a line has, each once."""
    return len({plain(" ".join(cell.split())) for cell in cells} & KNOWN)


def _value(cells: Sequence[str], *, has_a_name: bool) -> str:
    """The first cell that no column is called; a year may be, and a number where none is a name."""
    for cell in map(str.strip, cells):
        if is_email(cell) or is_phone(cell) or is_date(cell):
            return cell
        if has_a_name and _NUMBER.fullmatch(cell) and not _YEAR.fullmatch(cell):
            return cell
    return ""


def _asked(found: Sequence[tuple[int, list[str]]], named: Collection[str], name: str, value: str) -> Heading:
    """That of a file without one, if options name columns by their places. UnreadableFile."""
    heading = none(found)
    if named and all(0 < (place(text) or 0) <= len(heading.cells) for text in named):
        return heading
    line, cells = found[0]
    number = [cell.strip() for cell in cells].index(value) + 1
    field = "email" if is_email(value) else "phone" if is_phone(value) else "date"
    raise UnreadableFile(
        f"{name}: line {line} holds a value, {shown(value)}, so no line names the columns: say by its place "
        f"which is which, as in --map {field}={number}, or with --header-row N which line names them"
    )
