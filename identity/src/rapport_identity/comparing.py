"""Two records side by side: the level of agreement of each field, names and lines put in order first."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from rapport_identity.levels import EXACT, LEVEL
from rapport_identity.record import PARTNERS, Kind, Record

UNKNOWN = -1  # one of the two does not say
Values = tuple[str, ...]
Row = tuple[Values, ...]  # the values of a record in the order of the fields


class Compared(NamedTuple):
    """How two records agree.

    `levels` has of each field its level, best 0, or `UNKNOWN`. `a` and `b` are the two, put in order where
    `swapped` says that the fields of one of `PARTNERS` stand in each other's place.
    """

    levels: tuple[int, ...]
    swapped: tuple[bool, ...]
    a: Row
    b: Row


class Comparer:
    """Compares records field by field, alike whichever comes first.

    Args:
        kinds: of the fields, in the order in which levels are given.
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.fields = tuple(kinds)
        self._levels = tuple(LEVEL[kind] for kind in kinds.values())
        partners = [each for each in PARTNERS if each[0] in kinds and each[1] in kinds]
        self.orders = tuple(order for _, _, order in partners)
        self._partners = [(self.fields.index(one), self.fields.index(other)) for one, other, _ in partners]

    def row(self, record: Record) -> Row:
        """The values of a record in the order of the fields."""
        return tuple(record.values.get(field, ()) for field in self.fields)

    def compare(self, a: Row, b: Row) -> Compared:
        """How two rows agree."""
        swapped = tuple(
            map(self._is_swapped, [a] * len(self._partners), [b] * len(self._partners), self._partners)
        )
        if True in swapped:
            a, b = min(a, b), max(a, b)  # which is put in order must not depend on which comes first
            turned = list(b)
            for (one, other), is_swapped in zip(self._partners, swapped, strict=True):
                if is_swapped:
                    turned[one], turned[other] = b[other], b[one]
            b = tuple(turned)
        return Compared(self.levels(a, b), swapped, a, b)

    def levels(self, a: Row, b: Row) -> tuple[int, ...]:
        """The level of each field, as they stand."""
        return tuple(map(_level, self._levels, a, b))

    def _is_swapped(self, a: Row, b: Row, partners: tuple[int, int]) -> bool:
        """Whether two fields agree crosswise, and better so than as they stand."""
        one, other = partners
        level = self._levels[other]
        # In haste: what agrees as it stands is in order, and few slips are in a first letter.
        if (a[one] and a[one] == b[one]) or (a[other] and a[other] == b[other]):
            return False
        if not (_begin_alike(a[one], b[other]) or _begin_alike(a[other], b[one])):
            return False
        across = _disagreement(level, a[one], b[other]) + _disagreement(level, a[other], b[one])
        straight = _disagreement(level, a[one], b[one]) + _disagreement(level, a[other], b[other])
        return across < straight - 1


def _level(level: Callable[[str, str], int], x: Values, y: Values) -> int:
    if not x or not y:
        return UNKNOWN
    if x == y:
        return EXACT
    if len(x) == len(y) == 1:
        return level(x[0], y[0])
    return min(EXACT if one == other else level(one, other) for one in x for other in y)


def _begin_alike(x: Values, y: Values) -> bool:
    return bool(x and y and x[0][0] == y[0][0])


def _disagreement(level: Callable[[str, str], int], x: Values, y: Values) -> int:
    """How far two values are from each other, 0 to 3; 2 where there are not two."""
    found = _level(level, x, y)
    return 2 if found == UNKNOWN else min(found, 3)
