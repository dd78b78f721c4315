"""Which pairs are worth comparing: those that share one of several keys, so that no slip hides a pair."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from rapport_identity.record import Kind, Record

# What more records than this share tells nobody from anybody; the other passes find those who are one.
BLOCK_MAX = 120
# What more records share than a household makes is of an office: colleagues would teach that two records of
# one person differ in most.
LESSON_MAX = 20
_OF_AN_OFFICE = ("line-number:", "email:", "phone:")
# Pass by pass, what a key is made of. A name is a given or a family name, a line the first or second of an
# address, since people put one in the other's place.
PASSES: Mapping[str, tuple[str, ...]] = {
    "date": ("birth_date",),
    "name-year": ("name", "year"),
    "name-day": ("name", "day"),
    "name-code": ("name", "postal_code"),
    "name-city": ("name", "city"),
    "name-line": ("name", "line_start"),
    "names": ("given", "family"),
    "line-number": ("line", "house_number"),
    "line-code": ("line_start", "postal_code"),
    "line-city": ("line", "city"),
    "number-code": ("house_number", "postal_code"),
    "email": ("email",),
    "mailbox": ("mailbox",),
    "mail-sound": ("mail_sound",),
    "phone": ("phone",),
    "legal-name": ("legal_name",),
}


def keys(record: Record, kinds: Mapping[str, Kind]) -> set[str]:
    """The keys of a record, `pass:value|value`.

    They depend on this record alone: as rows of a table with an index they find the same pairs.
    """
    parts = _parts(record)
    found = {
        f"{name}:{'|'.join(chosen)}"
        for name, wanted in PASSES.items()
        for chosen in product(*(parts.get(part, ()) for part in wanted))
    }
    found.update(
        f"{field}:{text}"
        for field, kind in kinds.items()
        if kind is Kind.IDENTIFIER
        for text in record.values.get(field, ())
    )
    return found


def _parts(record: Record) -> dict[str, Iterable[str]]:
    of = record.values.get
    given, family = of("given_name", ()), of("family_name", ())
    lines = (*of("street", ()), *of("street_2", ()))
    in_order = [sorted((skeleton(one), skeleton(other))) for one in given for other in family]
    mail = [text.partition("@")[::2] for text in of("email", ())]
    return {
        "birth_date": of("birth_date", ()),
        "year": {born[:4] for born in of("birth_date", ())},
        "day": {born[4:] for born in of("birth_date", ()) if born[4:]},
        "name": {skeleton(name) for name in (*given, *family)},
        "given": {one for one, _ in in_order},
        "family": {other for _, other in in_order},
        "postal_code": of("postal_code", ()),
        "city": {city[:4] for city in of("city", ())},
        "line": {skeleton(line, 6) for line in lines},
        "line_start": {line[:4] for line in lines},
        "house_number": of("house_number", ()),
        "email": of("email", ()),
        "mailbox": {local for local, _ in mail if len(local) > 3},
        "mail_sound": {skeleton(local, 6) for local, _ in mail},
        "phone": {number[-7:] for number in of("phone", ())},
        "legal_name": {skeleton(name, 6) for name in of("legal_name", ())},
    }


def skeleton(text: str, length: int = 4) -> str:
    """The first letter and the next consonants, doubled ones once: what slips in vowels leave as it is."""
    found = text[:1]
    for letter in text[1:]:
        if letter not in "aeiouyhw" and letter != found[-1]:
            found += letter
            if len(found) == length:
                break
    return found


def too_common(keyed: Iterable[Iterable[str]]) -> frozenset[str]:
    """The keys that more than `BLOCK_MAX` records share."""
    count = Counter(key for keys in keyed for key in keys)
    return frozenset(key for key, number in count.items() if number > BLOCK_MAX)


def lessons(keyed: Sequence[set[str]], places: Iterable[tuple[int, int]]) -> list[bool]:
    """Of each pair whether it is learned from: whether what it shares is of few, and not of one office."""
    count = Counter(key for keys in keyed for key in keys)
    own = [{key for key in keys if count[key] <= LESSON_MAX} for keys in keyed]
    office = [
        {key for key in keys - few if key.startswith(_OF_AN_OFFICE)}
        for keys, few in zip(keyed, own, strict=True)
    ]
    return [not own[a].isdisjoint(own[b]) and office[a].isdisjoint(office[b]) for a, b in places]


def pairs(keyed: Iterable[Iterable[str]], stop: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The places of those that share a key, each pair once, the earlier first."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for at, keys in enumerate(keyed):
        earlier: set[int] = set()
        for key in keys:
            if key not in stop:
                block = blocks[key]
                earlier.update(block)
                block.append(at)
        yield from ((other, at) for other in sorted(earlier))
