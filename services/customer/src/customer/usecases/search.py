"""What a text to search by may mean: a customer, a handle, the end of a number, words."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.api.text import TURNS
from customer.domain.identifiers import SHARED, IdentifierType
from customer.names import CUSTOMER
from customer.usecases.customers import judge


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that a text may mean: what has any of it is found.

    Attributes:
        customer_id: the customer whose name it is.
        keys: handles as they are matched: type, system or None for any, and value.
        ends: how numbers end: digits, or an E.164 number whole, with its plus.
        text: the text, for its words.
    """

    customer_id: UUID | None
    keys: frozenset[tuple[IdentifierType, str | None, str]]
    ends: frozenset[str]
    text: str

    def parameters(self) -> dict[str, Any]:
        """What `customer.store.search.SEARCH` takes."""
        types, systems, values = map(list, zip(*self.keys, strict=True)) if self.keys else ([], [], [])
        keys = {"types": types, "systems": systems, "values": values}
        ends = [end[::-1] for end in self.ends]
        return {"customer_id": self.customer_id, **keys, "ends": ends, "text": self.text}


CHARACTERS_MIN = 2
DIGITS_MIN = 4
# What is dialled before a number, at home and to go abroad, and how much of a number there is behind it.
_DIALLED = ("0", "1", "8", "06", "80", "00", "011", "0011", "810")
_NUMBER_MIN = 6
_TRUNK = re.compile(r"(?<=\d)[\s./-]*[(\[]\s*0\s*[)\]]")  # `0049 (0)30`: dialled at home only
_OF_SYSTEMS = (IdentifierType.EXTERNAL_ID, IdentifierType.SOCIAL)


def wanted(text: str) -> Wanted:
    """What is searched for by a text."""
    text = TURNS.sub("", text).strip()  # what is copied comes with them; no handle or name has any
    named = CUSTOMER.match(text)
    return Wanted(named[0] if named else None, frozenset(_keys(text)), frozenset(_ends(text)), text)


def _keys(text: str) -> Iterator[tuple[IdentifierType, str | None, str]]:
    system, _, value = text.partition(":")
    for kind in IdentifierType:
        for spelling in (text, _plain(text)) if kind in SHARED else (text,):
            if whole := judge(kind, "", spelling, "").normalized_value:
                yield kind, None, whole
        if kind in _OF_SYSTEMS and (of_system := judge(kind, system, value, "").normalized_value):
            yield kind, system.casefold(), of_system


def _plain(text: str) -> str:
    """A number as it is copied from mails, tables and web pages, without what only shows there.

    No-break and thin spaces, full-width signs, and what turns the direction of text or cannot be seen.
    """
    shown = (each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf")
    return _TRUNK.sub(" ", " ".join("".join(shown).split()))


def _ends(text: str) -> Iterator[str]:
    """With its country's code a number is known; without, it is one of any country that ends like that."""
    text = _plain(text)
    if number := judge(IdentifierType.PHONE, "", text, "").normalized_value:
        if ";" not in number:  # who says no extension may mean any
            yield number
        return
    digits = "".join(str(unicodedata.decimal(each)) for each in text if each.isdecimal())
    if len(digits) < DIGITS_MIN or any(each.isalpha() for each in text):
        return
    yield digits
    for dialled in _DIALLED:
        if digits.startswith(dialled) and len(digits) - len(dialled) >= _NUMBER_MIN:
            yield digits.removeprefix(dialled)
