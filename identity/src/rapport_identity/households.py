"""Whether a list holds people who live together: they share an address and a family name, and are not one.

Slips in given name and birth date are independent of each other, so they say how many pairs of one person
differ in both: b * c / a, where a differ in neither, b in one and c in the other (as Chandra Sekar and
Deming, 1949, estimate what two registrations both missed). Where more differ in both, the rest are others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt

from rapport_identity.comparing import UNKNOWN
from rapport_identity.levels import APART
from rapport_identity.record import Kind

_CARELESS = 1.5  # slips are not quite independent: some write worse than others
EXPECTED_MIN = 1.5  # pairs that differ in both by slips; where there are less, nothing can be told


def are_there(kinds: Mapping[str, Kind], alike: Iterable[tuple[int, ...]]) -> bool:
    """Whether more pairs differ in given name and birth date than slips explain; yes where nobody can tell.

    Args:
        kinds: of the fields.
        alike: the levels of pairs that by all other fields are one person.
    """
    of = list(kinds.values())
    if Kind.GIVEN_NAME not in of or Kind.DATE not in of:
        return True
    given, born = of.index(Kind.GIVEN_NAME), of.index(Kind.DATE)
    seen = Counter(
        (levels[given] == APART[Kind.GIVEN_NAME], levels[born] == APART[Kind.DATE])
        for levels in alike
        if levels[given] != UNKNOWN and levels[born] != UNKNOWN
    )
    expected = seen[True, False] * seen[False, True] / max(seen[False, False], 1)
    expected *= _CARELESS
    return expected < EXPECTED_MIN or seen[True, True] > expected + 2 * sqrt(expected)
