"""Which column of a file holds which field: as mapped, else by what such columns are called out there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

from chassis.money import Currency
from rapport_imports.decoding import UnreadableFile
from rapport_imports.fields import is_nothing
from rapport_imports.names import NAMES, columns_of, plain
from rapport_imports.tabular import Row

# In a file with one of these, or with an amount and a date, `id` is that of an order and `name` its number.
_ORDERS = """
    bestellnummer createddateutc financialstatus invoicedate invoiceid invoicenumber lineitemname
    lineitemquantity orderdate orderid ordernumber paymentstatus rechnungsnummer subtotal
"""
_OF_THE_ROW = frozenset({"id", "recid", "recordid", "name", "nummer", "numero"})
# What all columns say of it counts.
ADDED = frozenset({"phone", "discount"})
# Where a row has nothing in the best column, the next one says it of the same thing. Not so of amounts and
# dates: the price of a line is no total.
_EACH_ROW = frozenset({"reference", "email", "country", "currency", "language"}) | ADDED


class Contents:
    """What the columns of a file hold: how many values each has, and which hold nothing but currencies.

    `longer` is the first line with more cells than the header has names, 0 for none: where most rows are
    so (`mostly_longer`), what was taken for the header is a title.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self.filled: Counter[str] = Counter()
        self.longer = 0
        others: set[str] = set()
        excess = 0
        for row in rows:
            if any(cell.strip() for cell in row.extra):
                self.longer = self.longer or row.line
                excess += 1
            else:
                excess -= 1
            for column, cell in row.cells.items():
                if is_nothing(cell):
                    continue
                self.filled[column] += 1
                if column not in others and not _is_currency(cell.strip()):
                    others.add(column)
        self.currencies = self.filled.keys() - others
        self.mostly_longer = excess > 0


def columns_for(
    fields: Sequence[str],
    required: Sequence[str],
    header: Sequence[str],
    mapping: Mapping[str, str],
    contents: Contents | None = None,
) -> dict[str, str]:
    """Which column holds each field. A column is used once, unless `mapping` says otherwise.

    With `contents` a column that is empty throughout gives way to another. UnreadableFile when a mapped field
    or column does not exist, a required field has no column, or several may be the currency.
    """
    for name, column in mapping.items():
        if name not in fields:
            raise UnreadableFile(f"--map {name}=...: the fields are {', '.join(fields)}")
        if column not in header:
            raise UnreadableFile(f"--map {name}={column}: the columns are {', '.join(header)}")
    found = dict(mapping)
    for name in fields:
        if name not in found:
            guesses = candidates(name, fields, header, mapping)
            if contents and name != "customer":  # another column than the id's is of names
                guesses = [column for column in guesses if contents.filled[column]] or guesses
            if guesses and guesses[0] not in found.values():
                found[name] = guesses[0]
    if contents and "currency" in fields and "currency" not in found:
        found |= _currency([name for name in header if name in contents.currencies - set(found.values())])
    missing = [name for name in required if name not in found]
    title = contents is not None and contents.mostly_longer
    if missing or title or not found:
        hint = " ".join(f"--map {name}=COLUMN" for name in missing or ["FIELD"])
        row = contents.longer if contents and contents.longer else "N"
        none = f"no column for {', '.join(missing or ['any field'])} among {', '.join(header)}"
        what = "most rows have more cells than the header" if title and not missing else none
        told = f"{what}; say which with {hint}, or with --header-row {row} which line names the columns"
        raise UnreadableFile(told)
    return {name: found[name] for name in fields if name in found}


def refuse_left(header: Sequence[str], used: Mapping[str, str], contents: Contents) -> None:
    """UnreadableFile where consents are read, and theirs or a column that nobody takes says who left."""
    words = set(_words("left"))
    if plain(used["consent"]) in words:
        raise UnreadableFile(
            f"a yes in {used['consent']} is a no: consent must be read from a column where yes is a yes"
        )
    for column in header:
        if plain(column) in words and contents.filled[column] and column not in used.values():
            raise UnreadableFile(
                f"{column} says who left, and consent is read from {used['consent']} alone: say what it is "
                f"with --map FIELD={column}, or that it counts for nothing with --ignore {column}"
            )


def spares_for(
    fields: Sequence[str], header: Sequence[str], mapping: Mapping[str, str], used: Mapping[str, str]
) -> dict[str, list[str]]:
    """Which columns say a field where the used one has nothing in a row, best first."""
    free = set(header) - set(used.values())
    spares = {
        name: [column for column in candidates(name, fields, header, mapping) if column in free]
        for name in used
        if name in _EACH_ROW and name not in mapping
    }
    return {name: columns for name, columns in spares.items() if columns}


def candidates(
    field: str, fields: Sequence[str], header: Sequence[str], mapping: Mapping[str, str]
) -> list[str]:
    """The columns that by their names may hold a field, best first."""
    known = {plain(column): column for column in reversed(header) if column not in mapping.values()}
    words = [*map(plain, columns_of(header).get(field, "").split()), *_words(field)]
    # Where the row itself has an id of that name in this tool, it is no customer's.
    if "external_id" in fields and _of_orders(known.keys()):
        words = [word for word in words if word not in _OF_THE_ROW]
    return [known[word] for word in dict.fromkeys(words) if word in known]


def _currency(columns: Sequence[str]) -> dict[str, str]:
    """The column that holds nothing but codes of currencies, if there is one."""
    if len(columns) > 1:
        raise UnreadableFile(
            f"{' and '.join(columns)} hold currencies: say which is that of the amounts with "
            "--map currency=COLUMN, or with --currency that none is"
        )
    return {"currency": columns[0]} if columns else {}


def _is_currency(text: str) -> bool:
    """Whether it is a code of ISO 4217, in one case: Bob is nobody's money."""
    if len(text) != 3 or not (text.isupper() or text.islower()):
        return False
    try:
        Currency.of(text.upper())
    except ValueError:
        return False
    return True


def _of_orders(known: Set[str]) -> bool:
    """Whether the rows are orders or payments, by the names of their columns."""
    sold = all(known & set(_words(field)) for field in ("amount", "date"))
    return sold or bool(known & set(map(plain, _ORDERS.split())))


def _words(field: str) -> list[str]:
    """What columns of a field are called, best first."""
    return [plain(word) for word in NAMES.get(field, "").split()]


def ignored(header: Sequence[str], used: Iterable[str]) -> list[str]:
    taken = set(used)
    return [column for column in header if column not in taken]
