"""A record as the matcher sees it: values by field, in the form that is compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rapport_identity import normalise


class Kind(StrEnum):
    """What a field holds, and so how two of its values are compared."""

    GIVEN_NAME = "given name"
    FAMILY_NAME = "family name"
    TEXT = "text"
    STREET = "street"
    NUMBER = "number"
    CODE = "code"
    DATE = "date"
    EMAIL = "e-mail"
    PHONE = "phone"
    IDENTIFIER = "identifier"


# Fields that are known by name. Whoever gives another says its kind: an identifier is of one person alone.
KINDS: Mapping[str, Kind] = {
    "given_name": Kind.GIVEN_NAME,
    "family_name": Kind.FAMILY_NAME,
    "birth_date": Kind.DATE,
    "street": Kind.STREET,
    "street_2": Kind.STREET,
    "house_number": Kind.NUMBER,
    "postal_code": Kind.CODE,
    "city": Kind.TEXT,
    "state": Kind.TEXT,
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
}
# What those who live or work together share without being one person.
OF_A_HOUSEHOLD = frozenset(
    {"family_name", "street", "street_2", "house_number", "postal_code", "city", "state", "country"}
    | {"phone", "fax", "organization_name"}
)
# Fields whose values people put into each other's place, and what that is called.
PARTNERS = (("given_name", "family_name", "order of names"), ("street", "street_2", "order of lines"))

_FORMS = {
    Kind.STREET: normalise.street,
    Kind.DATE: normalise.date,
    Kind.EMAIL: normalise.email,
    Kind.PHONE: normalise.phone,
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Args:
        id: unique among the records that are matched with each other.
        values: by field, normalised; several where there are several; what is not known is not there.
        source: the list that it is of, where somebody says.
    """

    id: str
    values: Mapping[str, tuple[str, ...]] = field(hash=False)
    source: str = ""


def record(
    id: str, written: Mapping[str, str | Iterable[str]], kinds: Mapping[str, Kind] = KINDS, source: str = ""
) -> Record:
    """A record from texts as they are written.

    Args:
        id: see `Record`.
        written: a text or several by field. A `display_name` gives given and family name, a line of an
            address its house number, where they do not stand by themselves.
        kinds: of the fields; others are left out.
        source: see `Record`.
    """
    texts = {name: (text,) if isinstance(text, str) else tuple(text) for name, text in written.items()}
    whole = [*texts.pop("display_name", ()), ""][0]
    if whole and not any(texts.get("family_name", ())):
        given, family = normalise.split_name(whole)
        texts |= {"given_name": texts.get("given_name") or (given,), "family_name": (family,)}
    if "house_number" in kinds and not any(texts.get("house_number", ())):
        split = [normalise.split_street(line) for line in texts.get("street", ())]
        texts |= {"street": tuple(line for line, _ in split), "house_number": tuple(n for _, n in split)}
    values = {
        name: tuple(dict.fromkeys(filter(None, map(_FORMS.get(kinds[name], normalise.compact), found))))
        for name, found in texts.items()
        if name in kinds
    }
    return Record(id, {name: found for name, found in values.items() if found}, source)
