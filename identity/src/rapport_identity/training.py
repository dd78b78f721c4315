"""Parameters from the records themselves, by expectation maximisation: nobody says who is who.

Fellegi and Sunter (1969), A Theory for Record Linkage; Winkler (1988), Using the EM Algorithm for Weight
Computation in the Fellegi-Sunter Model of Record Linkage. u is of random pairs, and of how often each value
is there; m of the pairs that share a key: those that share none are taken for two people.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, compress
from math import exp2

from rapport_identity.ceiling import Ceiling
from rapport_identity.comparing import UNKNOWN, Compared, Comparer, Row
from rapport_identity.frequencies import Frequencies, Rarity
from rapport_identity.levels import EXACT, NAMES
from rapport_identity.parameters import (
    DIFFERENT_MAX,
    PRIOR_CHANCE,
    PRIOR_M,
    PRIOR_STRENGTH,
    PRIOR_SWAPPED,
    PRIOR_U,
    Parameters,
)
from rapport_identity.record import Kind

RANDOM_PAIRS = 20_000
ROUNDS_MAX = 50
_ENOUGH = 0.001  # a round that changes the number of matches by less than this part is the last
_HOPELESS_BITS = -12.0
_NEVER_BITS = -24.0  # by what is believed before, whatever is learned
_SEED = 1969  # the same records give the same parameters
Pattern = tuple[tuple[int, ...], tuple[bool, ...], int, int, bool]


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


def believed(kinds: Mapping[str, Kind]) -> Parameters:
    """What is believed before anything is known of the records, whole: enough to ask, not to link by itself.

    No value is rarer or more common than others are in its field.
    """
    u = {field: PRIOR_U[kind] for field, kind in kinds.items()}
    known = {field: Frequencies({}, 1, 2 * exact) for field, (exact, *_) in u.items()}
    return replace(beliefs(Comparer(kinds), kinds), u=u, frequencies=known, together=PRIOR_CHANCE)


def learn(start: Parameters, compared: Sequence[tuple[Compared, bool]], pairs: tuple[int, int]) -> Parameters:
    """m, the chance of a match and of swapped fields, from how pairs that share a key agree.

    Args:
        start: with u and frequencies.
        compared: how pairs agree, and whether each is of two lists.
        pairs: how many pairs there are, compared or not: of one list, and of two.
    """
    patterns = _patterns(start, compared)
    at = start
    for _ in range(ROUNDS_MAX):
        before, at = at, _round(at, patterns, pairs)
        if all(abs(x - y) <= _ENOUGH * y for x, y in zip(at.chance, before.chance, strict=True)):
            break
    return at


def is_of_people(learned: Parameters) -> bool:
    """Whether parameters are of single persons: not if given names and birth dates differ as often as may be.

    People slip in either. Where both differ in so many pairs, those are of people who live or work together.
    """
    bounds = [
        learned.m[field][-1] >= DIFFERENT_MAX[kind]
        for field, kind in learned.kinds.items()
        if kind in DIFFERENT_MAX
    ]
    return bounds.count(True) < len(DIFFERENT_MAX)


def _patterns(at: Parameters, compared: Sequence[tuple[Compared, bool]]) -> Counter[Pattern]:
    """How often pairs agree in a way: their levels, and how much rarer what they share is, in whole bits."""
    rarity = [Rarity(at.frequencies[field], at.u[field][EXACT], kind) for field, kind in at.kinds.items()]
    at_home, ceiling = at.weights.at_home, Ceiling(at)
    found = Counter[Pattern]()
    for each, across in compared:
        if ceiling.bits(each, across=across) < _NEVER_BITS:
            continue
        rarer = list(map(Rarity.bits, rarity, each.levels, each.a, each.b))
        home = sum(compress(rarer, at_home))
        found[each.levels, each.swapped, round(home), round(sum(rarer) - home), across] += 1
    return found


def _round(at: Parameters, patterns: Mapping[Pattern, int], pairs: tuple[int, int]) -> Parameters:
    """One round: how likely each pattern is of one person or one household, and what m is if that is so."""
    sums = _Sums(at)
    weights = at.weights
    for (levels, swapped, rarer_home, rarer_own, across), number in patterns.items():
        home, own = float(rarer_home), float(rarer_own)
        for weight, is_home, level in zip(weights.fields, weights.at_home, levels, strict=True):
            if level != UNKNOWN and is_home:
                home += weight[level]
            elif level != UNKNOWN:
                own += weight[level]
        home += sum(order[turned] for order, turned in zip(weights.orders, swapped, strict=True))
        one, together = weights.prior[across] + home + own, weights.together + home
        if max(one, together) > _HOPELESS_BITS:
            odds, others = exp2(min(one, 60.0)), exp2(min(together, 60.0))
            sums.add(
                levels, swapped, across, *(number * each / (1 + odds + others) for each in (odds, others))
            )
    return sums.result(at, pairs)


def _bounded(m: Sequence[float], different_max: float) -> tuple[float, ...]:
    """How often each level is found, the last at most so often: what it has more is of the others."""
    *agree, different = m
    kept = min(different, different_max)
    return (*(each * (1 - kept) / (1 - different) for each in agree), kept)


class _Sums:
    """What has been seen of pairs of one person or one household, each counted as far as it is likely."""

    def __init__(self, at: Parameters) -> None:
        self._at_home = at.weights.at_home
        self._levels = [[PRIOR_STRENGTH * m for m in PRIOR_M[kind]] for kind in at.kinds.values()]
        usual, turned = PRIOR_STRENGTH * (1 - PRIOR_SWAPPED), PRIOR_STRENGTH * PRIOR_SWAPPED
        self._swapped = [[usual, turned] for _ in at.swapped]
        self._matched = [0.5, 0.5]
        self._together = 0.0

    def add(
        self, levels: tuple[int, ...], swapped: tuple[bool, ...], across: bool, one: float, together: float
    ) -> None:
        """Add pairs of one pattern, so many of one person and so many of one household."""
        self._matched[across] += one
        self._together += together
        for seen, is_home, level in zip(self._levels, self._at_home, levels, strict=True):
            if level != UNKNOWN:
                seen[level] += one + together if is_home else one
        for order, turned in zip(self._swapped, swapped, strict=True):
            order[turned] += one

    def result(self, at: Parameters, pairs: tuple[int, int]) -> Parameters:
        """The parameters that explain it best."""
        m = {
            field: _bounded([seen / sum(of) for seen in of], DIFFERENT_MAX.get(kind, 1.0))
            for (field, kind), of in zip(at.kinds.items(), self._levels, strict=True)
        }
        swapped = {
            order: turned / (usual + turned)
            for order, (usual, turned) in zip(at.swapped, self._swapped, strict=True)
        }
        one, two = (
            min(matched / (total + 100), 0.5) for matched, total in zip(self._matched, pairs, strict=True)
        )
        together = at.together and (self._together + 0.5) / (sum(pairs) + 100)
        return replace(at, m=m, swapped=swapped, chance=(one, two), together=together)
