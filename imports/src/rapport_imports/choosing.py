"""Choosing which column holds each field, and telling what was chosen."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from rapport_imports.columns import (
    ADDED,
    candidates,
    column_of,
    columns_for,
    ignored,
    refuse_left,
    spares_for,
)
from rapport_imports.contents import Contents
from rapport_imports.decoding import UnreadableFile
from rapport_imports.names import plain
from rapport_imports.own import COLUMNS
from rapport_imports.result import Result
from rapport_imports.tabular import Table
from rapport_imports.totals import marked

_NAMED = frozenset({"display_name", "given_name", "family_name", "organization_name"})
_PRICES = frozenset({"price", "preis", "prix", "precio", "prezzo", "preco", "prijs", "itemprice"})
_BY_CONTENT = ("email", "phone", "date")


class Said(NamedTuple):
    """What whoever imports says of columns, of fields and those that are not read, and of all rows."""

    mapping: Mapping[str, str]
    ignore: Sequence[str]
    country: str
    currency: str
    constants: Mapping[str, str]


def choose(
    table: Table, fields: Sequence[str], required: Sequence[str], said: Said, result: Result
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Which column holds each field, and which say it where that one has nothing. UnreadableFile.

    `result` is told of it.
    """
    ignore = [column_of(name, table.header) for name in said.ignore]
    for name in ignore:
        if name not in table.header:
            raise UnreadableFile(f"--ignore {name}: the columns are {', '.join(table.header)}")
    header = [name for name in table.header if name not in ignore]
    before = table.before
    # A row that was refused before is read from the columns that it was read from then.
    then = COLUMNS[table.own] if table.own else before.columns
    then = {name: column for name, column in then.items() if column in header}
    contents = None if then else Contents(marked(table.rows()), said.country)
    if contents and said.currency:
        contents.currencies = set()
    wanted = {name: column_of(column, table.header) for name, column in said.mapping.items()}
    mapping = {**then, **wanted}
    for name in said.constants:
        if name not in fields:
            raise UnreadableFile(f"--set {name}=...: the fields are {', '.join(fields)}")
    required = [name for name in required if name not in said.constants]
    if table.own:
        fields = tuple(name for name in fields if name in mapping)
    used = columns_for(fields, required, header, mapping, contents)
    if "consent" in used and "consent" in said.constants:
        raise UnreadableFile(
            f"--set consent: {used['consent']} holds it, and who has nothing there said no yes; leave --set "
            f"out, or say with --ignore {used['consent']} that it counts for nothing"
        )
    spares = spares_for(fields, header, mapping, used) | {
        name: columns
        for name, columns in before.spares.items()
        if name not in wanted and set(columns) <= set(header)
    }
    guessed = _guessed(fields, header, mapping, used)
    if contents and "phone" in guessed and len(contents.phones()) > 1:
        more = contents.phones() - set(used.values())
        spares["phone"] = [name for name in header if name in more]
    price = used.get("amount", "")
    if contents and "quantity" in used and "amount" not in mapping and plain(price) in _PRICES:
        raise UnreadableFile(
            f"{price} beside {used['quantity']} may be that of one piece: say with --map amount=COLUMN what "
            f"was paid for all of them, with --map amount={price} that this is"
        )
    taken = [*used.values(), *chain.from_iterable(spares.values())]
    if contents and "consent" in {*used, *said.constants}:
        refuse_left(header, used.get("consent", ""), taken, contents)
    result.used, result.ignored = used, ignored(table.header, taken)
    result.notes += _notes(used, guessed, spares, result.ignored if "display_name" in fields else [])
    return used, spares


def _guessed(
    fields: Sequence[str], header: Sequence[str], mapping: Mapping[str, str], used: Mapping[str, str]
) -> dict[str, str]:
    """Which were taken by what they hold, as nothing that they are called tells."""
    by_content = {name: used[name] for name in _BY_CONTENT if name in used and name not in mapping}
    return {
        name: column
        for name, column in by_content.items()
        if column not in candidates(name, fields, header, mapping)
    }


def _notes(
    used: Mapping[str, str],
    guessed: Mapping[str, str],
    spares: Mapping[str, Sequence[str]],
    nameless: Sequence[str],
) -> list[str]:
    """What is to be said of the choice; `nameless` columns are ignored where rows may have names."""
    notes = []
    if guessed:
        told = " · ".join(f"{name} = {column}" for name, column in guessed.items())
        notes.append(f"guessed by what all cells hold, for no name tells it: {told}; --map says otherwise")
    notes += [
        f"{name} is read from {' or '.join(columns)}"
        + (", too" if name in ADDED else f" where {used[name]} has none")
        for name, columns in spares.items()
    ]
    if nameless and not _NAMED & used.keys():
        notes.append(
            "no column is used for names; if one of these holds them, say --map display_name=COLUMN: "
            f"{', '.join(nameless)}"
        )
    return notes
