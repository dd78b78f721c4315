"""What a file is taken for, before anything of it is done: for whoever has to say whether that is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from rapport_imports.choosing import Said, choose
from rapport_imports.decoding import UnreadableFile
from rapport_imports.importing import IMPORTERS, opened, require_needed
from rapport_imports.nothing import is_nothing
from rapport_imports.result import Result
from rapport_imports.tabular import Table
from rapport_imports.tools import PLAIN, system_of
from rapport_imports.wanted import Wanted, WrongOption
from rapport_imports.wording import line

SAMPLES = 5
_LOOKED_AT = 1000  # rows among which values are looked for
_SAMPLE_MAX = 60  # characters of one


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: the field that is read from it, or that it says where another has nothing."""

    name: str
    field: str  # "" for one that is not read
    spare_of: str
    samples: list[str]


@dataclass(frozen=True, slots=True)
class Understood:
    """How a file is read, and what each column is taken for.

    `asks` is why that cannot be said: what whoever imports has to say first. `tool` is what exported it, ""
    when its columns do not tell; `own` the kind of an export of ours; `mended` whether it holds rows that
    were refused before.
    """

    encoding: str
    delimiter: str  # "" of a workbook, "{" of JSON Lines
    sheet: str
    sheets: list[str]
    header_line: int  # 0 for none
    tool: str
    own: str
    mended: bool
    columns: list[Column]
    fields: list[str]
    notes: list[str]
    asks: str = ""


def understood(wanted: Wanted) -> Understood:
    """Look at a file. UnreadableFile, WrongOption: it is none that can be looked at."""
    table = opened(wanted)
    importer, result, asks = IMPORTERS[wanted.kind], Result(), ""
    said = Said(wanted.mapped, wanted.ignore or (), wanted.country, wanted.currency, wanted.fixed)
    used: dict[str, str] = {}
    spares: dict[str, list[str]] = {}
    try:
        require_needed(wanted, table)
        used, spares = choose(table, importer.fields, importer.required, said, result)
    except (UnreadableFile, WrongOption) as error:
        asks = str(error)
    notes = [note for note in (table.encoding.note, *table.notes, *result.notes) if note]
    tool = system_of(table.header)
    return Understood(
        encoding="" if table.delimiter in ("", "{") else table.encoding.name,
        delimiter=table.delimiter,
        sheet=table.sheet,
        sheets=[table.sheet, *table.others] if table.sheet else [],
        header_line=table.first,
        tool="" if tool == PLAIN else tool,
        own=table.own,
        mended=bool(table.mended),
        columns=_columns(table, used, spares),
        fields=[*importer.fields],
        notes=notes,
        asks=asks,
    )


def _columns(table: Table, used: Mapping[str, str], spares: Mapping[str, list[str]]) -> list[Column]:
    samples: dict[str, dict[str, None]] = {name: {} for name in table.header}
    for row in islice(table.rows(), _LOOKED_AT):
        for name, cell in row.cells.items():
            if len(samples[name]) < SAMPLES and not is_nothing(cell):
                samples[name][line(cell.strip())[:_SAMPLE_MAX]] = None
    fields = {column: name for name, column in used.items()}
    also = {column: name for name, columns in spares.items() for column in columns}
    return [Column(name, fields.get(name, ""), also.get(name, ""), [*samples[name]]) for name in table.header]
