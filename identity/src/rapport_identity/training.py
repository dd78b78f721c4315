"""Parameters from the records themselves, by expectation maximisation: nobody says who is who.

Fellegi and Sunter (1969), A Theory for Record Linkage; Winkler (1988), Using the EM Algorithm for Weight
Computation in the Fellegi-Sunter Model of Record Linkage. u is of random pairs, and of how often each value
is there; m of the pairs that share a key: those that share none are taken for two people.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import exp2, log2

from rapport_identity.comparing import UNKNOWN, Compared, Comparer, Row
from rapport_identity.frequencies import Frequencies, Rarity
from rapport_identity.levels import EXACT, NAMES
from rapport_identity.parameters import (
    PRIOR_CHANCE,
    PRIOR_M,
    PRIOR_STRENGTH,
    PRIOR_SWAPPED,
    Parameters,
)
from rapport_identity.record import Kind

RANDOM_PAIRS = 30_000
ROUNDS_MAX = 50
_ENOUGH = 0.001  # a round that changes the number of matches by less than this part is the last
_HOPELESS_BITS = -12.0
_SEED = 1969  # the same records give the same parameters
Pattern = tuple[tuple[int, ...], tuple[bool, ...], int, bool]


class Sample:
    """Random pairs of records with the level of each field: what two people agree in by chance."""

    def __init__(self, comparer: Comparer, rows: Sequence[Row]) -> None:
        self._pairs = [(a, b, comparer.levels(rows[a], rows[b])) for a, b in _some_pairs(rows)]

    def u(
        self, kinds: Mapping[str, Kind], person: Sequence[int], known: Mapping[str, Frequencies]
    ) -> dict[str, tuple[float, ...]]:
        """Of each field how often two people agree at each level, as far as it is known who is one."""
        of_two = [levels for a, b, levels in self._pairs if person[a] != person[b]]
        found = {}
        for at, (field, kind) in enumerate(kinds.items()):
            seen, others = Counter(levels[at] for levels in of_two), range(1, len(NAMES[kind]))
            exact = known[field].collision
            total = sum(seen[level] + 0.5 for level in others)
            found[field] = (exact, *((1 - exact) * (seen[level] + 0.5) / total for level in others))
        return found


def _some_pairs(rows: Sequence[Row]) -> Iterable[tuple[int, int]]:
    """All pairs of places, or `RANDOM_PAIRS` of them: the same whichever row comes first."""
    if len(rows) * (len(rows) - 1) // 2 <= RANDOM_PAIRS:
        return combinations(range(len(rows)), 2)
    order = sorted(range(len(rows)), key=rows.__getitem__)
    places = random.Random(_SEED).choices(order, k=2 * RANDOM_PAIRS)  # noqa: S311 - a sample is no secret
    return ((a, b) for a, b in zip(places[::2], places[1::2], strict=True) if a != b)


def frequencies(fields: Sequence[str], rows: Sequence[Row], person: Sequence[int]) -> dict[str, Frequencies]:
    """Of each field how many people have each value."""
    return {
        field: Frequencies.of(zip(person, values, strict=True))
        for field, values in zip(fields, zip(*rows, strict=True), strict=True)
    }


def beliefs(comparer: Comparer, kinds: Mapping[str, Kind]) -> Parameters:
    """What is believed of any data; without u and frequencies, which no belief stands for."""
    m = {field: PRIOR_M[kind] for field, kind in kinds.items()}
    swapped = dict.fromkeys(comparer.orders, PRIOR_SWAPPED)
    return Parameters(kinds, m, {}, swapped, {}, (PRIOR_CHANCE, PRIOR_CHANCE))


def learn(start: Parameters, compared: Sequence[tuple[Compared, bool]], pairs: tuple[int, int]) -> Parameters:
    """m, the chance of a match and of swapped fields, from how pairs that share a key agree.

    Args:
        start: with u and frequencies.
        compared: how pairs agree, and whether each is of two lists.
        pairs: how many pairs there are, compared or not: of one list, and of two.
    """
    rarity = [
        Rarity(start.frequencies[field], start.u[field][EXACT], kind) for field, kind in start.kinds.items()
    ]
    patterns = Counter(
        (
            each.levels,
            each.swapped,
            round(sum(map(Rarity.bits, rarity, each.levels, each.a, each.b))),
            across,
        )
        for each, across in compared
    )
    at = start
    for _ in range(ROUNDS_MAX):
        before, at = at, _round(at, patterns, pairs)
        if all(abs(x - y) <= _ENOUGH * y for x, y in zip(at.chance, before.chance, strict=True)):
            break
    return at


def _round(at: Parameters, patterns: Mapping[Pattern, int], pairs: tuple[int, int]) -> Parameters:
    """One round: how likely each pattern is of one person, and what m is if that is so."""
    sums = _Sums(at)
    weights = [[log2(m / u) for m, u in zip(at.m[f], at.u[f], strict=True)] for f in at.kinds]
    orders = [(log2(1 - chance), log2(chance)) for chance in at.swapped.values()]
    prior = [log2(chance / (1 - chance)) for chance in at.chance]
    for (levels, swapped, rarer, across), number in patterns.items():
        bits = prior[across] + rarer
        for weight, level in zip(weights, levels, strict=True):
            if level != UNKNOWN:
                bits += weight[level]
        for order, turned in zip(orders, swapped, strict=True):
            bits += order[turned]
        if bits > _HOPELESS_BITS:
            sums.add(levels, swapped, across, number / (1 + exp2(-min(bits, 60.0))))
    return sums.result(at, pairs)


@dataclass(slots=True)
class _Sums:
    """What has been seen of pairs that are one person, each counted as far as it is likely."""

    levels: list[list[float]]
    swapped: list[list[float]]
    matched: list[float]

    def __init__(self, at: Parameters) -> None:
        self.levels = [[PRIOR_STRENGTH * m for m in PRIOR_M[kind]] for kind in at.kinds.values()]
        self.swapped = [
            [PRIOR_STRENGTH * (1 - PRIOR_SWAPPED), PRIOR_STRENGTH * PRIOR_SWAPPED] for _ in at.swapped
        ]
        self.matched = [0.5, 0.5]

    def add(self, levels: tuple[int, ...], swapped: tuple[bool, ...], across: bool, expected: float) -> None:
        self.matched[across] += expected
        for seen, level in zip(self.levels, levels, strict=True):
            if level != UNKNOWN:
                seen[level] += expected
        for order, turned in zip(self.swapped, swapped, strict=True):
            order[turned] += expected

    def result(self, at: Parameters, pairs: tuple[int, int]) -> Parameters:
        m = {
            field: tuple(seen / sum(of) for seen in of)
            for field, of in zip(at.kinds, self.levels, strict=True)
        }
        swapped = {
            order: turned / (usual + turned)
            for order, (usual, turned) in zip(at.swapped, self.swapped, strict=True)
        }
        one, two = (
            min(matched / (total + 100), 0.5) for matched, total in zip(self.matched, pairs, strict=True)
        )
        return replace(at, m=m, swapped=swapped, chance=(one, two))
