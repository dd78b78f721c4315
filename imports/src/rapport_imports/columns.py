"""Which column of a file holds which field: as mapped, else by what such columns are called out there."""

import functools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from itertools import pairwise

from rapport_imports.amounts import named_in
from rapport_imports.contents import Contents
from rapport_imports.decoding import UnreadableFile
from rapport_imports.heading import place
from rapport_imports.names import KNOWN, NAMES, plain
from rapport_imports.tools import ALONE, columns_of

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


# What is called a number beside everything else, and that of a house behind its street.
_STREETS = frozenset(plain(w) for name, of in NAMES.items() if name.endswith("street") for w in of.split())
_A_NUMBER = frozenset({"n", "no", "nr", "num", "nummer", "number", "numero"})
# Beside these a name is the family's; what is somebody's whole name where no other column has a part of it.
_GIVEN = frozenset({"vorname", "vname", "rufname", "voornaam", "roepnaam", "fornamn", "fornavn", "prenom"})
_NAME = frozenset({"name", "naam", "namn", "navn"})
_WHOLE = frozenset({"nome", "nombre", "nom"})
# `Amount (USD)`, `Order Total (inc tax)`, `Phone [work]`, `Betrag in EUR`, `Total €`; no `Total (ex tax)`.
_REMARK = re.compile(r"\s*[(\[]([^()\[\]]+)[)\]]\s*\*?$|\s+(?:in\s+)?([€£$]|[A-Z]{3})$")
_REMARKS = """
    required optional pflicht pflichtfeld obligatoire obligatorio obbligatorio verplicht inc incl including
    inkl tax vat mwst ust tva iva btw ttc gross brutto base utc gmt work home mobile mobil private privat
    business geschaftlich primary main dd mm yyyy yy tt jj jjjj aaaa hh ss
"""
_WHOSE = re.compile(
    "^(?:customers?|cust|clients?|contacts?|persons?|buyer|kunden?|requester|subscriber|member)"
)
_SOMEBODYS = frozenset(
    plain(word)
    for field in ("given_name", "family_name", "display_name", "organization_name", "email", "phone", "fax")
    for word in NAMES[field].split()
) - {plain(word) for word in ("name", "ad", "nom")}
_ONE_FOR_ALL = frozenset({"purpose", "consent"})
# Of whom the e-mail addresses in other columns are.
_OTHERS = """
    owner agent manager rep createdby modifiedby updatedby assign user seller merchant shop betreuer
    mitarbeiter bearbeiter vertrieb verkaufer vendedor venditore commercial verkoper
    toemail recipient empfanger referr
"""


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
    _call_whole_names(found, fields, mapping)
    if contents:
        found |= by_content(fields, header, found, contents)
    if contents and "currency" in fields and "currency" not in found:
        found |= _currency([name for name in header if name in contents.currencies - set(found.values())])
    missing = [name for name in required if name not in found]
    title = contents is not None and contents.mostly_longer
    if missing or title or not found:
        hint = " ".join(f"--map {name}=COLUMN" for name in missing or ["FIELD"])
        row = contents.longer if contents and contents.longer else "N"
        none = f"no column for {', '.join(missing or ['any field'])} among {', '.join(header)}"
        what = "most rows have more cells than the header" if title and not missing else none
        constant = "".join(f" or --set {name}=VALUE" for name in missing if name in _ONE_FOR_ALL)
        or_line = f"or with --header-row {row} which line names the columns"
        raise UnreadableFile(f"{what}; say which with {hint}{constant}, {or_line}")
    return {name: found[name] for name in fields if name in found}


def column_of(text: str, header: Sequence[str]) -> str:
    """The column that an option means: by its name, else by its place, `3` or `C`."""
    number = place(text) or 0
    return text if text in header or not 0 < number <= len(header) else header[number - 1]


def by_content(
    fields: Sequence[str], header: Sequence[str], found: Mapping[str, str], contents: Contents
) -> dict[str, str]:
    """Columns that no name tells, by what all their cells hold, where there is one for a field.

    Of customers no column is taken that says one address again and again: it is that of somebody else.
    """
    others = _OTHERS.split()
    free = [name for name in header if name not in found.values()]
    free = [name for name in free if not any(other in plain(name) for other in others)]
    kinds: dict[str, Callable[[], set[str]]] = {
        "email": lambda: contents.emails(distinct="external_id" in fields),
        "phone": contents.phones,
        "date": contents.dates,
    }
    guessed = {}
    for field, holding in kinds.items():
        if field not in fields or field in found:
            continue
        held = holding()
        columns = [name for name in free if name in held]
        if len(columns) == 1 or (columns and field == "phone"):
            guessed[field] = columns[0]
    return guessed


def _call_whole_names(found: dict[str, str], fields: Sequence[str], mapping: Mapping[str, str]) -> None:
    """Mend which part of a name a column holds, by which others there are: `Vorname` and `Name`."""
    called = {name: plain(column) for name, column in found.items() if name not in mapping}
    is_family = called.get("given_name") in _GIVEN and called.get("display_name") in _NAME
    if is_family and "family_name" not in found:
        found["family_name"] = found.pop("display_name")
    if "display_name" in fields and "display_name" not in found:
        for part, other in (("given_name", "family_name"), ("family_name", "given_name")):
            if called.get(part) in _WHOLE and other not in found:
                found["display_name"] = found.pop(part)


def refuse_left(header: Sequence[str], consent: str, taken: Collection[str], contents: Contents) -> None:
    """UnreadableFile where consents are read, and theirs or a column that nobody takes says who left.

    `consent` is their column, empty where all of them are the same.
    """
    words = set(_words("left"))
    if plain(consent) in words:
        raise UnreadableFile(
            f"a yes in {consent} is a no: consent must be read from a column where yes is a yes"
        )
    for column in header:
        if plain(column) in words and contents.filled[column] and column not in taken:
            raise UnreadableFile(
                f"{column} says who left, and consent is read from {consent or '--set'} alone: say what it "
                f"is with --map FIELD={column}, or that it counts for nothing with --ignore {column}"
            )


def spares_for(
    fields: Sequence[str], header: Sequence[str], mapping: Mapping[str, str], used: Mapping[str, str]
) -> dict[str, list[str]]:
    """Which columns say a field where the used one has nothing in a row, best first."""
    free = set(header) - set(used.values())
    spares = {
        name: [column for column in candidates(name, fields, header, mapping) if column in free]
        for name in used
        if name not in mapping and (name in _EACH_ROW or columns_of(header).get(name, "").startswith(ALONE))
    }
    return {name: columns for name, columns in spares.items() if columns}


def candidates(
    field: str, fields: Sequence[str], header: Sequence[str], mapping: Mapping[str, str]
) -> list[str]:
    """The columns that by their names may hold a field, best first."""
    free = [column for column in header if column not in mapping.values()]
    known: dict[str, list[str]] = {}
    of_house = _of_houses(header)
    for column in free:
        if column not in of_house:
            known.setdefault(_word(column, header), []).append(column)
    of_tool = columns_of(header).get(field, "")
    words = list(map(plain, of_tool.removeprefix(ALONE).split()))
    words += [] if of_tool.startswith(ALONE) else _words(field)
    # Where the row itself has an id of that name in this tool, it is no customer's.
    if "external_id" in fields and _of_orders(known.keys()):
        words = [word for word in words if word not in _OF_THE_ROW]
    columns = [column for word in dict.fromkeys(words) for column in known.get(word, ())]
    return columns or ([name for name in of_house if name in free] if field == "house_number" else [])


def _word(column: str, header: Sequence[str]) -> str:
    """What a column is called; the second of a name as the first."""
    name, again, _ = column.rpartition(" (")
    return called(name if again and name in header else column)


@functools.lru_cache(4096)
def called(column: str) -> str:
    """The name of a column, without a remark behind it, and of somebody's without whose it is."""
    word = plain(column)
    if word in KNOWN:
        return word
    remark = _REMARK.search(column)
    if remark and all(_says_nothing(said) for said in re.findall(r"[^\s/.,*:-]+", remark[1] or remark[2])):
        word = plain(column[: remark.start()])
    somebodys = _WHOSE.sub("", word)
    return somebodys if somebodys in _SOMEBODYS else word


def _says_nothing(said: str) -> bool:
    """Whether a word of a remark does not make it another column: a currency, a notation, with taxes."""
    return plain(said) in _REMARKS.split() or bool(named_in(said))


def _of_houses(header: Sequence[str]) -> list[str]:
    """Columns that are called a number and nothing else, behind a street."""
    beside = pairwise(header)
    return [column for street, column in beside if plain(street) in _STREETS and plain(column) in _A_NUMBER]


def _currency(columns: Sequence[str]) -> dict[str, str]:
    """The column that holds nothing but codes of currencies, if there is one."""
    if len(columns) > 1:
        raise UnreadableFile(
            f"{' and '.join(columns)} hold currencies: say which is that of the amounts with "
            "--map currency=COLUMN, or with --currency that none is"
        )
    return {"currency": columns[0]} if columns else {}


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
