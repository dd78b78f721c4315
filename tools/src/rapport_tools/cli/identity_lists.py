"""Files as lists of records for the matcher: which column is what, and each row's values."""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport_identity.normalise import compact
from rapport_identity.record import KINDS, Kind, Record, record
from rapport_imports import dates
from rapport_imports.columns import columns_for, ignored, spares_for
from rapport_imports.contents import Contents
from rapport_imports.deciding import DayOrder
from rapport_imports.decoding import UnreadableFile
from rapport_imports.names import plain
from rapport_imports.nothing import is_nothing
from rapport_imports.parts import ADDRESSES
from rapport_imports.tabular import Row, Table, open_table

_PARTS = ("street", "street_2", "house_number", "postal_code", "city", "state")
_KINDS: Mapping[str, Kind] = {
    **KINDS,
    "additional_name": Kind.TEXT,
    "organization_name": Kind.TEXT,
    "country": Kind.TEXT,
    "fax": Kind.PHONE,
    "account_number": Kind.IDENTIFIER,
    "external_id": Kind.IDENTIFIER,
}
FIELDS = ("external_id", "display_name", *(name for name in _KINDS if name != "external_id"))
_GROUPED = tuple(f"{group}{part}" for group in ADDRESSES if group for part in _PARTS)
_NOT_PERSONAL = ("honorific_prefix", "honorific_suffix", "language", "time_zone")
# What columns are called that hold a number of one person alone.
_NUMBERS = """
    socsecid ssn socialsecuritynr socialsecurity nationalid nationalinsurancenr nino nhsnr taxid taxnr tin
    steuernr steuerid sozialversicherungsnr bsn nif dni codicefiscale cpf pesel passport passportnr idcardnr
"""
_TEXT_MAX = 60  # what is longer on average is a remark
_SAID_ALREADY = 0.8


@dataclass(slots=True)
class File:
    """A file: its rows, and which columns hold each field; `truth` says of a row who it is."""

    table: Table
    truth: str
    columns: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    rows: list[Row] = dataclasses.field(default_factory=list)
    ignored: list[str] = dataclasses.field(default_factory=list)
    first: str = ""


@dataclass(frozen=True, slots=True)
class Lists:
    """The records of all files, to be matched."""

    records: Sequence[Record]
    kinds: Mapping[str, Kind]  # of the fields
    truth: Mapping[str, str]  # who each record is, by its id; the matcher never sees it
    files: Sequence[File]


def read(paths: Sequence[Path], truth: str, mapping: Sequence[str], leave_out: Sequence[str]) -> Lists:
    """The records of one file or of several, as `rapport identity evaluate` is told what is in them.

    UnreadableFile when one is none, or a column is not there.
    """
    if not truth:
        raise UnreadableFile("--truth: must name the column that says who is who")
    given = _mapped(mapping)
    files = [_opened(path, truth, given, leave_out) for path in paths]
    everywhere = {column for file in files for column in file.table.header}
    for told, column in [
        *(("--map", each) for each in given.values()),
        *(("--ignore", each) for each in leave_out),
    ]:
        if column not in everywhere:
            raise UnreadableFile(f"{told} {column}: the columns are {', '.join(files[0].table.header)}")
    kinds = dict(_KINDS) | _others(files)
    records, who = [], {}
    for number, file in enumerate(files, start=1):
        for row in file.rows:
            name = f"{number}:{row.line}"
            records.append(_record(name, row, file, kinds, str(number)))
            if not is_nothing(person := row.cells.get(truth, "")):
                who[name] = person.strip()
    return Lists(records, kinds, who, files)


def _mapped(mapping: Sequence[str]) -> dict[str, str]:
    for each in mapping:
        name, equals, _ = each.partition("=")
        if not equals or name not in FIELDS:
            raise UnreadableFile(f"--map {each}: must be FIELD=COLUMN; the fields are {', '.join(FIELDS)}")
    return {name: column for name, _, column in (each.partition("=") for each in mapping)}


def _opened(path: Path, truth: str, mapping: Mapping[str, str], leave_out: Sequence[str]) -> File:
    table = open_table(path)
    if truth not in table.header:
        raise UnreadableFile(f"--truth {truth}: {path.name} has the columns {', '.join(table.header)}")
    file = File(table, truth)
    file.rows = list(table.rows())
    header = [column for column in table.header if column != truth and column not in leave_out]
    mine = {name: column for name, column in mapping.items() if column in header}
    known = (*FIELDS, *_GROUPED, *_NOT_PERSONAL)
    used = columns_for(known, (), header, mine, Contents(file.rows))
    spares = spares_for(known, header, mine, used)
    for name, column in used.items():
        part = name.partition("_")[2] if name in _GROUPED else name
        if part in FIELDS:
            several = [*spares.get(name, ())] if part in ("email", "phone") else []
            file.columns.setdefault(part, []).extend([column, *several])
    file.ignored = [*leave_out, *(used[name] for name in _NOT_PERSONAL if name in used)]
    if "family_name" in file.columns and "display_name" in file.columns:
        file.ignored += file.columns.pop("display_name")
    order = DayOrder()
    for row in file.rows:
        for column in file.columns.get("birth_date", ()):
            order.add(row.line, row.cells.get(column, ""))
    file.first = order.decided(asks=False)
    return file


def _others(files: Sequence[File]) -> dict[str, Kind]:
    """The kinds of columns that no name tells and that all files have; what says nothing is ignored."""
    found: dict[str, Kind] = {}
    for file in files:
        taken = [column for columns in file.columns.values() for column in columns]
        left = ignored(file.table.header, [*taken, *file.ignored, file.truth])
        names = [{plain(column) for column in other.table.header} for other in files]
        for column in left:
            kind = _kind(file, column) if all(plain(column) in each for each in names) else None
            if kind is None:
                file.ignored.append(column)
            else:
                found[plain(column)] = kind
                file.columns[plain(column)] = [column]
        for name in [name for name in file.columns if _KINDS.get(name) is Kind.IDENTIFIER]:
            if _says_nothing(_cells(file, file.columns[name][0])):
                file.ignored += file.columns.pop(name)
    return found


def _cells(file: File, column: str) -> list[str]:
    return [cell for row in file.rows if not is_nothing(cell := row.cells.get(column, ""))]


def _says_nothing(cells: Sequence[str]) -> bool:
    """Whether all cells are alike, or each is another: it tells nobody from anybody, or names the row."""
    return len(set(cells)) in (0, 1, len(cells))


def _kind(file: File, column: str) -> Kind | None:
    """What a column holds whose name does not tell; None where it is of no use."""
    cells = _cells(file, column)
    if _says_nothing(cells) or sum(map(len, cells)) > _TEXT_MAX * len(cells) or _is_said(file, column):
        return None
    if plain(column) in _NUMBERS.split():
        return Kind.IDENTIFIER
    shapes = Counter(map(_shape, cells))
    shape, number = shapes.most_common(1)[0]
    return shape if number > 0.9 * len(cells) else Kind.TEXT


def _shape(cell: str) -> Kind:
    text = cell.strip()
    if re.fullmatch(r"\S+@\S+\.\S+", text):
        return Kind.EMAIL
    if re.fullmatch(r"(?:1[89]|20)\d\d-?[01]\d-?[0-3]\d|\d{1,2}[./-]\d{1,2}[./-]\d{4}", text):
        return Kind.DATE
    return Kind.PHONE if re.fullmatch(r"\+?[\d ()/.-]{8,20}", text) and text[0] in "+0(" else Kind.TEXT


def _is_said(file: File, column: str) -> bool:
    """Whether the column repeats what the used ones say, as a full name beside its parts does."""
    said = filled = 0
    for row in file.rows:
        if len(cell := compact(row.cells.get(column, ""))) > 2:
            filled += 1
            texts = [compact(row.cells.get(each, "")) for used in file.columns.values() for each in used]
            said += any(cell in text for text in texts) or all(
                any(compact(word) in text for text in texts) for word in row.cells[column].split()
            )
    return said > _SAID_ALREADY * filled


def _record(name: str, row: Row, file: File, kinds: Mapping[str, Kind], source: str) -> Record:
    written = {
        field: [cell for column in columns if not is_nothing(cell := row.cells.get(column, ""))]
        for field, columns in file.columns.items()
    }
    written["birth_date"] = [_day(text.strip(), file.first) for text in written.get("birth_date", ())]
    return record(name, written, kinds, source)


def _day(text: str, first: str) -> str:
    """A day as ISO 8601 has it; what is none, or two, stays as it is."""
    try:
        return dates.read(text, first=first).date().isoformat()
    except ValueError:
        return text


def used(files: Iterable[File]) -> dict[str, list[str]]:
    """Which columns were used, by field."""
    found: dict[str, list[str]] = {}
    for file in files:
        for name, columns in file.columns.items():
            found[name] = list(dict.fromkeys([*found.get(name, ()), *columns]))
    return found
