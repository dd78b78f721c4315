"""How many people have a value: to share a rare one says more, and what many share is nobody's own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log2

from rapport_identity.levels import EXACT, SLIP
from rapport_identity.record import Kind

SHARED = 4  # an e-mail address, a phone or a number of this many people is shared
# What more records have says nothing: no list that is known has anybody more than seven times.
OF_ONE_MAX = 8
HANDLES = frozenset({Kind.EMAIL, Kind.PHONE, Kind.IDENTIFIER})
Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How many people have each value of a field.

    Args:
        counts: of each value that several have.
        people: how many have any.
        unseen: how many others have a value that one is known with: 0 to 1, as Good (1953) and Turing.
    """

    counts: Mapping[str, int]
    people: int
    unseen: float

    @classmethod
    def of(cls, held: Iterable[tuple[int, Values]]) -> "Frequencies":
        """From who has which values; who comes several times has each value once."""
        each = {(who, value) for who, values in held for value in values}
        counts = Counter(value for _, value in each)
        of_size = Counter(counts.values())
        unseen = min((2 * of_size[2] + 0.5) / (of_size[1] + 1), 1.0)
        several = {value: number for value, number in sorted(counts.items()) if number > 1}
        return cls(several, len({who for who, _ in each}), unseen)

    def chance(self, value: str) -> float:
        """How likely it is that somebody else has this value, too."""
        return (self.counts.get(value, 1) - 1 + self.unseen) / (self.people + 1)

    @property
    def collision(self) -> float:
        """How likely it is that two people have the same value."""
        pairs = self.people * (self.people - 1)
        return (sum(number * (number - 1) for number in self.counts.values()) + 0.5) / (pairs + 1)


def of_many(kinds: Mapping[str, Kind], held: Iterable[Mapping[str, int]]) -> frozenset[str]:
    """The handles that more than `OF_ONE_MAX` have, by how many have each value of each field."""
    return frozenset(
        value
        for kind, counts in zip(kinds.values(), held, strict=True)
        if kind in HANDLES
        for value, number in counts.items()
        if number > OF_ONE_MAX
    )


def rarest(frequencies: Frequencies, usual: float) -> float:
    """What it adds, in bits, to share a value that nobody else is known to have; see `Rarity`."""
    return max(log2(usual) - log2(frequencies.chance("")), 0.0)


class Rarity:
    """What it adds, in bits, that a shared value is rarer than is usual in its field.

    Args:
        frequencies: of the field.
        usual: how likely two people have the same value, see `Frequencies.collision`.
        kind: of the field.
    """

    def __init__(self, frequencies: Frequencies, usual: float, kind: Kind) -> None:
        self._frequencies = frequencies
        self._usual = log2(usual)
        self._slip = SLIP.get(kind, EXACT)
        self._known: dict[str, float] = {}

    def bits(self, level: int, x: Values, y: Values) -> float:
        """Of two that agree at a level; 0 where they differ by more than a slip.

        A slip of a rare value may be another value: it adds nothing, and one of a common value takes away.
        """
        if level == EXACT and x == y and len(x) == 1:
            return self._of(x[0])
        if level == EXACT:
            return max(self._of(value) for value in x if value in y)
        if level == self._slip:
            return min(0.0, *(self._of(value) for value in (*x, *y)))
        return 0.0

    def is_shared(self, x: Values, y: Values) -> bool:
        """Whether any value of one, or of both where they have some in common, is of many people."""
        common = set(x) & set(y) or {*x, *y}
        return any(self._frequencies.counts.get(value, 1) >= SHARED for value in common)

    def _of(self, value: str) -> float:
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = self._usual - log2(self._frequencies.chance(value))
        return known
