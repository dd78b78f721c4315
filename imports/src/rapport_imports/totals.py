"""Rows that are none: totals below a table or below a group of its rows, and its header once more."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rapport_imports import amounts
from rapport_imports.decoding import UnreadableFile
from rapport_imports.names import KNOWN, plain
from rapport_imports.nothing import is_nothing
from rapport_imports.tabular import Problem, Row
from rapport_imports.workbook import FORMULA

# What the sum of a column is called, their number and their average, without case and accents.
_CALLED = """
    total totals grandtotal grandtotals subtotal subtotals sum sumtotal overall overalltotal average count
    summe summen gesamt gesamtsumme gesamtergebnis insgesamt zwischensumme teilsumme endsumme teilergebnis
    ergebnis gesamtbetrag durchschnitt mittelwert anzahl
    somme sommetotale totaux soustotal moyenne ensemble
    suma sumas sumatotal totales promedio recuento soma somatotal totais subtotais media
    totale totali subtotale somma sommatotale conteggio totaal totalen eindtotaal subtotaal som gemiddelde
    razem lacznie ogolem srednia toplam geneltoplam aratoplam ortalama
    итого всего итог сумма 合計 総計 小計 总计 合计 小计 总和 summa totalsumma delsumma totalt ialt samlet
    hovedtotal celkem celkovysoucet mezisoucet soucet osszesen vegosszeg yhteensa sammen
"""
_CALLED_SO = frozenset(map(plain, _CALLED.split()))
# What is said behind it, of which it is one.
_OF_WHAT = """
    general generale geral complessivo final finale czesciowa koncowa netto brutto net gross ttc ht eur usd
    chf gbp pln customers kunden clients clientes clienti klanten klienci orders bestellungen commandes
    pedidos ordini rows records zeilen sales umsatz ventes ventas vendite vendas omzet
"""
_BEHIND = frozenset(map(plain, _OF_WHAT.split()))
# `Total (30)`, `Summe: 1.234,50 €`, `Grand Totals (3 records)`, `Total customers: 3`; `(3 rows affected)`.
_LABEL = re.compile(
    r"(?P<called>[^\W\d](?:[^\d:=(@]*[^\W\d])?)"
    r"(?P<counted>(?:\s*[:=]\s*|\s+|\s*(?=\())\(?[-+]?\d[\d.,\s]*[^\W\d]*[^\w@]*|\s*[:=])?"
)
_ROWS = re.compile(r"(?i)\(?\d+ (?:rows?|records?|zeilen|lignes|filas|righe|linhas|rijen)\b[^@]*")
_LONGEST, _FURTHER_WORDS = 60, 2
_UNIT = re.compile(r"[^\W\d_]{0,12}\.?|\W{1,2}")
_IDS = ("external_id", "customer", "account_number")
_REACHED = ("email", "phone", "fax")
_DIGITS_OF_A_NUMBER = 7

# Words, as `Printed on 30 November`, where an id would stand alone.
_NOTE = re.compile(r"(?=.*[^\W\d_]{3})\S+\s+\S.*")
_NOTE_COLUMNS = 3
_RULE = re.compile(r"[-=_:+*\s]*")
_TOLD = {
    "COUNT_ROW": Problem("", "TOTAL_ROW", "is a total or a count, by what it says first: skipped"),
    "NOTE_ROW": Problem("", "NOTE_ROW", "is words alone where an id would be: skipped as a note"),
    "RULE_ROW": Problem("", "NOTE_ROW", "is a line that is drawn: skipped"),
    "TOTAL_ROW": Problem("", "TOTAL_ROW", "is a total or a count, by what it says first: skipped"),
    "HEADER_AGAIN": Problem("", "HEADER_AGAIN", "names the columns again: skipped"),
}
_LIKE_A_TOTAL = "reads like a total, but has an id or an address: taken for a row like the others"


def marked(rows: Iterable[Row]) -> Iterator[Row]:
    """The same rows; of those that are none of the table `aside` says why."""
    before: Row | None = None
    count = width = 0
    for row in rows:
        # Of nearly all rows the first things in them tell that they are some.
        width = max(width, len(row.cells))
        filled = ((column, cell.strip()) for column, cell in row.cells.items() if not is_nothing(cell))
        first, second = next(filled, ("", "")), next(filled, None)
        if first[1] and _begins_total(*first, before) and _is_total(row, filled, second):
            row.aside = "COUNT_ROW" if count and f"{count}" in row.cells.values() else "TOTAL_ROW"
        elif second is None and width >= _NOTE_COLUMNS and _is_note(row, first[1], width):
            row.aside = "NOTE_ROW"
        elif first[1] and _RULE.fullmatch(first[1]) and all(map(_RULE.fullmatch, row.cells.values())):
            row.aside = "RULE_ROW"
        elif first[1] and _is_name(*first) and _is_header(row):
            row.aside = "HEADER_AGAIN"
        elif second and _names_others(row):
            named = ", ".join(filter(None, row.cells.values()))
            raise UnreadableFile(
                f"line {row.line} names other columns, {named}: another table begins there; leave one in "
                "a file or sheet"
            )
        else:
            before, count = row, count + 1
        yield row


def is_none(row: Row, used: Mapping[str, str], required: Sequence[str]) -> bool:
    """Whether a row is none of the table, which is told.

    Somebody may be called Total, and then the row has all that is required of one, or of a customer an id.
    """
    if not row.aside:
        return False
    if row.aside == "TOTAL_ROW" and _is_somebody(row, used, required):
        row.told.append(Problem("", "LIKE_A_TOTAL", _LIKE_A_TOTAL))
        return False
    if row.aside == "NOTE_ROW" and _first(row) not in {used.get(name) for name in _IDS}:
        return False
    row.told.append(_TOLD[row.aside])
    return True


def _is_note(row: Row, text: str, width: int) -> bool:
    """Whether what stands alone in a row is a note: words, or the only cell of a row that is cut off."""
    return _NOTE.fullmatch(text) is not None or len(row.cells) < width


def _names_others(row: Row) -> bool:
    """Whether all that a row says, three things at least, are what columns are called."""
    said = [cell.strip() for cell in row.cells.values() if cell.strip()]
    return len(said) >= _NOTE_COLUMNS and all(plain(each) in KNOWN for each in said)


def _begins_total(column: str, cell: str, before: Row | None) -> bool:
    """Whether the first thing in a row calls it a total, alone or of the row before.

    `Anna Total` below the rows of Anna is one.
    """
    if len(cell) > _LONGEST:
        return False
    if _is_called(cell):
        return True
    group = before.cells.get(column, "").strip() if before else ""
    return (
        bool(group) and cell != group and group in cell and _is_called(cell.replace(group, "", 1).strip(" -"))
    )


def _is_total(row: Row, further: Iterable[tuple[str, str]], second: tuple[str, str] | None) -> bool:
    """Whether all else in it is numbers."""
    rest = [*([second] if second else []), *further]
    return not any(row.extra) and all(_is_number(cell) for _, cell in rest)


def _is_name(column: str, cell: str) -> bool:
    return column == cell or column.startswith(f"{cell} (")


def _is_header(row: Row) -> bool:
    filled = {column: " ".join(cell.split()) for column, cell in row.cells.items() if cell.strip()}
    return len(filled) * 2 > len(row.cells) and all(_is_name(*each) for each in filled.items())


def _first(row: Row) -> str:
    return next(column for column, cell in row.cells.items() if not is_nothing(cell))


def _is_somebody(row: Row, used: Mapping[str, str], required: Sequence[str]) -> bool:
    label = _first(row)

    def said(fields: Sequence[str]) -> list[str]:
        columns = {used[field] for field in fields if field in used} - {label}
        return [cell for column in columns if not is_nothing(cell := row.cells.get(column, ""))]

    if required:
        return len(said(required)) == len(required)
    return bool(said(_IDS)) or any(
        "@" in cell or sum(map(str.isdigit, cell)) >= _DIGITS_OF_A_NUMBER for cell in said(_REACHED)
    )


@functools.lru_cache(4096)
def _is_called(text: str) -> bool:
    """Whether it is what a total is called, of something perhaps, with how much perhaps."""
    if _ROWS.fullmatch(text):
        return True
    if (match := _LABEL.fullmatch(text)) is None:
        return False
    first, *further = match["called"].split()
    if plain(match["called"]) in _CALLED_SO:
        return True
    known = match["counted"] or all(plain(word) in _BEHIND for word in further)
    return plain(first) in _CALLED_SO and len(further) <= _FURTHER_WORDS and bool(known)


def _is_number(cell: str) -> bool:
    """Whether it may be a sum: a number, an amount, a share, the formula of one; no date, no address."""
    if cell == FORMULA or cell.startswith("=") or cell.endswith("%"):
        return True
    found = amounts.written(cell)
    if found is None or not _UNIT.fullmatch(found.currency):
        return False
    return found.value("," if found.decimal == "," else ".") is not None
