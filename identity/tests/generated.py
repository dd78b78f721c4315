"""Lists of invented people, each several times, with what goes wrong when people and machines write.

With the kinds of mistakes that Febrl (Christen 2005) makes: slips of the hand, of the eye and of the ear;
fields that are missing, hold another person's value, or stand in each other's place; names as common as Zipf
says.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

Row = dict[str, str]
_SYLLABLES = (
    "an ber cal dor el fen gar hol in jos kem lin mar nor ost per quin ros sel tam ur vin wes yor zan"
)
_EYE = {"m": "rn", "rn": "m", "l": "i", "i": "l", "o": "0", "s": "5", "g": "q", "h": "b", "u": "v", "e": "c"}
_EAR = {
    "ph": "f",
    "f": "ph",
    "ck": "k",
    "c": "k",
    "th": "t",
    "y": "i",
    "z": "s",
    "ie": "y",
    "v": "w",
    "tt": "t",
}
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "0123456789")


@dataclass(frozen=True)
class Region:
    """How names and addresses look somewhere."""

    endings: Sequence[str]
    streets: Sequence[str]
    given: str
    code_digits: int
    number_first: bool


AUSTRALIA = Region(
    ("son", "ley", "man", "ton", "field", "er", "ini", "owski"),
    ("street", "road", "place", "circuit", "crescent", "avenue"),
    "isabella emma joshua thomas sophie jack lachlan georgia benjamin olivia samuel charlotte william hannah "
    "james ella daniel chloe matthew jessica nicholas ruby ethan mia liam grace ryan lily jacob amelia",
    4,
    number_first=True,
)
GERMANY = Region(
    ("müller", "mann", "bäcker", "hoff", "schütz", "berg", "größ", "ner"),
    ("straße", "weg", "allee", "gasse", "platz"),
    "jürgen käthe björn günter sören lena paul marie heinz uschi klaus jörg änne lukas mia felix",
    5,
    number_first=False,
)
NETHERLANDS = Region(
    ("van dijk", "sma", "huis", "veld", "de vries", "stra", "ers", "man"),
    ("straat", "laan", "plein", "gracht", "weg"),
    "jan piet sanne daan lieke bram fleur thijs femke joost noor sem lotte ruben anouk jeroen",
    4,
    number_first=False,
)


class People:
    """A town: its names, streets and places, some of them common and most rare.

    Args:
        seed: the same makes the same.
        region: where it is.
    """

    def __init__(self, seed: int, region: Region = AUSTRALIA) -> None:
        self.chance = random.Random(seed)
        self._region = region
        self._families = self._words(900, region.endings)
        self._given = [*region.given.split(), *self._words(200, ("a", "o", "ie", "us"))]
        self._streets = self._words(1500, tuple(f" {each}" for each in region.streets))
        self._places = self._words(700, ("ville", " park", "dale", " hill", "wick"))
        self._houses = self._words(600, (" court", " lodge", " village", " farm"))

    def person(self) -> Row:
        """Somebody."""
        pick, chance = self._common, self.chance
        year, codes = chance.randrange(1910, 2005), 10 ** (self._region.code_digits - 1)
        return {
            "given_name": pick(self._given),
            "family_name": pick(self._families),
            "house_number": str(int(chance.paretovariate(0.6)) % 400 + 1),
            "street": pick(self._streets, 0.4),
            "street_2": pick(self._houses, 0.3) if chance.random() < 0.7 else "",
            "city": pick(self._places, 0.5),
            "postal_code": str(chance.randrange(codes, 6 * codes)),
            "state": pick(("nsw", "vic", "qld", "wa", "sa", "tas", "act", "nt")),
            "birth_date": f"{year}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}",
        }

    def again(self, person: Row, slips: int) -> Row:
        """The same person, written again, with so many slips in their fields."""
        row = dict(person)
        for _ in range(slips):
            name = self.chance.choice([name for name in row if name != "state" or self.chance.random() < 0.3])
            row.update(self._wrong(row, name))
        return row

    def _wrong(self, row: Row, name: str) -> Row:
        roll = self.chance.random()
        if roll < 0.06:
            return {name: ""}
        if roll < 0.12:
            return {name: self.person().get(name, "")}
        if roll < 0.22:
            one, other = ("given_name", "family_name") if "name" in name else ("street", "street_2")
            return {one: row[other], other: row[one]}
        how = self.chance.choice((typed, typed, typed, seen, heard, spaced))
        return {name: how(row[name], self.chance)}

    def _words(self, number: int, endings: Sequence[str]) -> list[str]:
        pick, syllables = self.chance.choice, _SYLLABLES.split()
        return [
            "".join(pick(syllables) for _ in range(pick((1, 1, 2)))) + pick(endings) for _ in range(number)
        ]

    def _common(self, values: Sequence[str], skew: float = 0.8) -> str:
        """One of several, the first more often: as Zipf found of words."""
        return self.chance.choices(values, cum_weights=_zipf(len(values), skew))[0]


@cache
def _zipf(number: int, skew: float) -> Sequence[float]:
    return tuple(accumulate(1 / (at + 3) ** skew for at in range(number)))


def typed(text: str, chance: random.Random) -> str:
    """A letter more, less, other, or two exchanged."""
    if not text:
        return text
    at = chance.randrange(len(text))
    row = next((keys for keys in _KEYS if text[at] in keys), "etaoin")
    other = chance.choice(row)
    return chance.choice(
        (
            text[:at] + other + text[at:],
            text[:at] + text[at + 1 :],
            text[:at] + other + text[at + 1 :],
            text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :],
        )
    )


def seen(text: str, chance: random.Random) -> str:
    """Read wrongly."""
    return _replaced(text, _EYE, chance)


def heard(text: str, chance: random.Random) -> str:
    """Heard wrongly."""
    return _replaced(text, _EAR, chance)


def spaced(text: str, chance: random.Random) -> str:
    """A space more, or one less."""
    if " " in text and chance.random() < 0.6:
        return text.replace(" ", "", 1)
    at = chance.randrange(len(text)) if text else 0
    return f"{text[:at]} {text[at:]}" if len(text) > 4 else typed(text, chance)


def _replaced(text: str, slips: Mapping[str, str], chance: random.Random) -> str:
    known = [each for each in slips if each in text]
    if not known:
        return typed(text, chance)
    each = chance.choice(known)
    return text.replace(each, slips[each], 1)


def duplicated(
    seed: int,
    people: int,
    duplicates: Callable[[random.Random], int],
    region: Region = AUSTRALIA,
    slips: int = 3,
) -> list[tuple[str, Row]]:
    """A list in which people are several times: who, and what is written; in no order."""
    town = People(seed, region)
    found = []
    for number in range(people):
        person = town.person()
        found.append((str(number), person))
        for _ in range(duplicates(town.chance)):
            found.append((str(number), town.again(person, town.chance.randint(1, slips * 2))))
    town.chance.shuffle(found)
    return found
