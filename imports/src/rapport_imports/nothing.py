"""What exports write where there is nothing to say, and what they make of ids."""

import re

_SIGNS = "\\n n/a n.a. n/d s/d s/o k.a. n.v.t. #n/a #nv - -- --- \u2013 \u2014 ? ."
_WORDS = "null nan nat nil none undefined notavailable notprovided keineangabe nichtangegeben nonrenseigne"
_NOTHING = frozenset(["", *_SIGNS.split(), *_WORDS.split()])
_OPEN, _CLOSED = "([<", ")]>"
_BETWEEN = "blank empty notset leer vide vacio vuoto vazio leeg"  # somebody may live in Leer
_IN_BRACKETS = _NOTHING | frozenset(_BETWEEN.split())
_LONGEST = 20
# What R writes; but Namibia is a country, and Naples a province.
_NA, _CODES = "na", ("country", "state", "language")
# There for no id: a guest is customer 0.
_NO_KEY = re.compile(r"(?i)[-+]?0+(?:[.,]0+)?|-1|guest|anonymous|unknown|gast|unbekannt")
# What a formula is where it has no value, in every language of spreadsheets.
_ERROR = re.compile(r"#[¡¿]?[^\W\d_a-z]+(?:/0)?[!?]|#{4,}")
# How a spreadsheet is told that it is text; and what a data frame makes of ids where one is missing.
_AS_TEXT, _FLOAT = re.compile(r'="([^"]*)"'), re.compile(r"(\d+)\.0")
_ROUNDED = re.compile(r"(?i)\d(?:[.,]\d+)?e\+\d\d+")


def is_no_key(text: str) -> bool:
    """Whether it is what exports write where something has no id: a guest is customer 0."""
    return _NO_KEY.fullmatch(text) is not None


def is_nothing(cell: str, field: str = "") -> bool:
    """Whether a cell is empty, or holds what exports write for that."""
    if len(cell) > _LONGEST and len(cell.strip()) > _LONGEST:
        return False
    said = cell.casefold().replace(" ", "").strip()
    if said == _NA:
        return not field.endswith(_CODES)
    if len(said) > 1 and said[0] in _OPEN and said[-1] in _CLOSED:
        return said[1:-1] in _IN_BRACKETS
    return said in _NOTHING


def is_error(cell: str) -> bool:
    """Whether it is the error of a formula, `#REF!`; `#N/A` is nothing."""
    return _ERROR.fullmatch(cell) is not None


def as_text(cell: str) -> str:
    """What a cell says that is kept from being a number: `="00123"`."""
    return match[1] if cell[:1] == "=" and (match := _AS_TEXT.fullmatch(cell)) else cell


def whole(key: str) -> str:
    """An id as it was before it became a number: `1234.0`."""
    return match[1] if key.endswith(".0") and (match := _FLOAT.fullmatch(key)) else key


def is_rounded(key: str) -> bool:
    """Whether it is an id that a spreadsheet made a number of, and whose last digits are lost: `1.2E+15`."""
    return _ROUNDED.fullmatch(key) is not None
