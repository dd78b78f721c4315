"""What kinds of evidence speak for one person, and what bars a link by itself whatever was learned.

Weights are learned, and a list may teach what is not so: people of an office or a family share more than two
records of one person do. So a link by itself needs what no weight stands for.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from rapport_identity.comparing import UNKNOWN, Compared
from rapport_identity.frequencies import HANDLES, SHARED, Frequencies, Rarity, Values
from rapport_identity.levels import APART, EXACT, NAMES, SLIP
from rapport_identity.record import Kind

GENERATION = 15  # years between parent and child, at least
KINDS_MIN = 2  # of evidence, and more than speak against it
_NICKNAME, _SHORT = (NAMES[Kind.GIVEN_NAME].index(name) for name in ("nickname", "short form"))
_DATE_SLIPS = NAMES[Kind.DATE].index("two slips")


class Bar(StrEnum):
    """Why two records are not linked by themselves, however much speaks for it."""

    CONFLICTING_IDENTIFIERS = "each has an identifier of one person, and they differ"
    ONLY_SHARED = "little but an identifier that many share speaks for it"
    NOTHING_PERSONAL = "neither a name nor a birth date speaks for it"
    NAME_ALONE = "nothing but a name speaks for it"
    OTHER_GIVEN_NAME = "their given names differ, as those of twins do"
    NO_GIVEN_NAME = "of one of them no given name is known"
    OTHER_BIRTH_DATE = (
        "their birth dates differ by more than a slip, as those of parent and child of one name do"
    )
    ONE_KIND = "it takes two of name, birth date, address and a handle of their own to speak for it"
    AS_MUCH_AGAINST = "as many kinds of evidence speak against it"


# Two that nothing else bars are one as likely as their weight says; only by themselves they are not made one.
PRUDENT = frozenset(
    {Bar.OTHER_GIVEN_NAME, Bar.NO_GIVEN_NAME, Bar.OTHER_BIRTH_DATE, Bar.ONE_KIND, Bar.AS_MUCH_AGAINST}
)
# What two of one group never may: others who are linked with both do not make them one.
APART_IN_A_GROUP = frozenset({Bar.OTHER_GIVEN_NAME, Bar.OTHER_BIRTH_DATE})


class Evidence:
    """Looks at pairs, kind of evidence by kind: a name, a birth date, an address, a handle of one's own.

    Args:
        kinds: of the fields.
        frequencies: by field.
        rarity: of each field, in the order of the fields.
    """

    def __init__(
        self, kinds: Mapping[str, Kind], frequencies: Mapping[str, Frequencies], rarity: list[Rarity]
    ) -> None:
        self._rarity = rarity
        self._at = {field: at for at, field in enumerate(kinds)}
        self._dates = [at for at, kind in enumerate(kinds.values()) if kind is Kind.DATE]
        self._own = [(at, kind) for at, kind in enumerate(kinds.values()) if kind in HANDLES]
        self._given = frequencies["given_name"].counts if "given_name" in kinds else {}

    def bars(self, compared: Compared) -> Iterator[Bar]:
        """What bars two from being linked by themselves, of `PRUDENT`."""
        given = self._level(compared, "given_name")
        if given == UNKNOWN:
            yield Bar.NO_GIVEN_NAME
        elif self._other_name(compared, given):
            yield Bar.OTHER_GIVEN_NAME
        dates = [self._date(compared, at) for at in self._dates]
        if False in dates:
            yield Bar.OTHER_BIRTH_DATE
        said = (self._name(compared), *dates, self._address(compared), self._contact(compared))
        if said.count(True) < KINDS_MIN:
            yield Bar.ONE_KIND
        elif said.count(True) <= said.count(False):
            yield Bar.AS_MUCH_AGAINST

    def of_one_age(self, compared: Compared) -> bool:
        """Whether both may be born in one year, and dates of both say so."""
        return any(
            compared.levels[at] not in (UNKNOWN, APART[Kind.DATE])
            and not _years(compared.a[at]).isdisjoint(_years(compared.b[at]))
            for at in self._dates
        )

    def _level(self, compared: Compared, *fields: str) -> int:
        """The best that is known of these fields."""
        known = [compared.levels[self._at[field]] for field in fields if field in self._at]
        return min((level for level in known if level != UNKNOWN), default=UNKNOWN)

    def _other_name(self, compared: Compared, level: int) -> bool:
        """Whether it is no nickname, initial or slip; nor a slip where many have either, as Jan and Jana."""
        at = self._at["given_name"]
        names = (*compared.a[at], *compared.b[at])
        if level == SLIP[Kind.GIVEN_NAME]:
            return all(self._given.get(name, 1) >= SHARED for name in names)
        if level == _SHORT:
            return min(map(len, names)) > 1
        return level > _NICKNAME

    def _name(self, compared: Compared) -> bool | None:
        family, given = self._level(compared, "family_name"), self._level(compared, "given_name")
        return True if EXACT <= family < APART[Kind.FAMILY_NAME] and given != UNKNOWN else None

    def _date(self, compared: Compared, at: int) -> bool | None:
        level = compared.levels[at]
        if level == UNKNOWN:
            return None
        if level == APART[Kind.DATE] or _years_between(compared.a[at], compared.b[at]) >= GENERATION:
            return False
        return True if level <= _DATE_SLIPS else None

    def _address(self, compared: Compared) -> bool | None:
        """A street with its number in a place; speaks against it where all of that is another."""
        line, number = self._level(compared, "street", "street_2"), self._level(compared, "house_number")
        place = self._level(compared, "postal_code", "city")
        if UNKNOWN in (line, place):
            return None
        if line < APART[Kind.STREET] and number < APART[Kind.NUMBER] and place <= SLIP[Kind.CODE]:
            return True
        return False if line == APART[Kind.STREET] and place > SLIP[Kind.CODE] else None

    def _contact(self, compared: Compared) -> bool | None:
        """A handle that few have; speaks against it where both have some, and none is like the other's."""
        known = [
            compared.levels[at] <= SLIP[kind]
            for at, kind in self._own
            if compared.levels[at] != UNKNOWN
            and not self._rarity[at].is_shared(compared.a[at], compared.b[at])
        ]
        return any(known) if known else None


def _years(dates: Values) -> set[str]:
    return {each[:4] for each in dates}


def _years_between(x: Values, y: Values) -> int:
    return min(abs(int(one[:4] or 0) - int(other[:4] or 0)) for one in x for other in y)
