"""Two records side by side: the level of agreement of each field, names and lines put in order first."""

from collections.abc import Callable, Iterable, Mapping
from itertools import compress
from typing import NamedTuple

from rapport_identity.frequencies import Frequencies, Values
from rapport_identity.levels import EXACT, LEVEL
from rapport_identity.record import PARTNERS, Kind, Record

UNKNOWN = -1  # one of the two does not say
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
        frequencies: by field, to tell which of two has names in their usual order; without, either.
    """

    def __init__(
        self, kinds: Mapping[str, Kind], frequencies: Mapping[str, Frequencies] | None = None
    ) -> None:
        self._counts = [frequencies[field].counts if frequencies else {} for field in kinds]
        self.fields = tuple(kinds)
        self._levels = tuple(LEVEL[kind] for kind in kinds.values())
        partners = [each for each in PARTNERS if each[0] in kinds and each[1] in kinds]
        self.orders = tuple(order for _, _, order in partners)
        self._partners = [(self.fields.index(one), self.fields.index(other)) for one, other, _ in partners]

    def row(self, record: Record, of_many: frozenset[str] = frozenset()) -> Row:
        """The values of a record in the order of the fields, but for those `of_many`.

        What many have finds them, and says nothing of who they are.
        """
        row = tuple(record.values.get(field, ()) for field in self.fields)
        if not of_many:
            return row
        return tuple(tuple(value for value in values if value not in of_many) for values in row)

    def compare(self, a: Row, b: Row) -> Compared:
        """How two rows agree."""
        swapped = tuple(
            map(self._is_swapped, [a] * len(self._partners), [b] * len(self._partners), self._partners)
        )
        if True in swapped:
            partners = list(compress(self._partners, swapped))
            # Which of them is put in order must not depend on which comes first.
            a, b = sorted((a, b), key=lambda row: (-self._usual(row, partners), row))
            turned = list(b)
            for one, other in partners:
                turned[one], turned[other] = b[other], b[one]
            b = tuple(turned)
        return Compared(self.levels(a, b), swapped, a, b)

    def _usual(self, row: Row, partners: Iterable[tuple[int, int]]) -> int:
        """How many people have the values of a row where it has them, rather than in the other field."""
        return sum(
            self._count(one, row[one])
            + self._count(other, row[other])
            - self._count(one, row[other])
            - self._count(other, row[one])
            for one, other in partners
        )

    def _count(self, at: int, values: Values) -> int:
        return self._counts[at].get(values[0], 0) if values else 0

    def levels(self, a: Row, b: Row) -> tuple[int, ...]:
        """The level of each field, as they stand."""
        return tuple(
            UNKNOWN
            if not x or not y
            else EXACT
            if x == y
            else level(x[0], y[0])
            if len(x) == len(y) == 1
            else _level(level, x, y)
            for level, x, y in zip(self._levels, a, b, strict=True)
        )

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
    return min(EXACT if one == other else level(one, other) for one in x for other in y)


def _begin_alike(x: Values, y: Values) -> bool:
    return bool(x and y and x[0][0] == y[0][0])


def _disagreement(level: Callable[[str, str], int], x: Values, y: Values) -> int:
    """How far two values are from each other, 0 to 3; 2 where there are not two."""
    found = _level(level, x, y)
    return 2 if found == UNKNOWN else min(found, 3)
