"""How well people were found, by comparison with who is known to be one: pair by pair."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapport_identity.matching import Found, links_of
from rapport_identity.scoring import Verdict


@dataclass(frozen=True, slots=True)
class Quality:
    """Of the pairs found, how many are right; of those there are, how many were found.

    Where there is nothing to find or nothing was found, the ratio is 1: nothing is wrong with it.
    """

    right: int
    found: int
    there: int

    @property
    def precision(self) -> float:
        """Of the pairs found, the part that is right."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Of the pairs there are, the part that was found."""
        return self.right / self.there if self.there else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / (self.found + self.there) if self.found + self.there else 1.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well a list was resolved.

    Args:
        pairs: how many pairs of records are of one person in truth.
        automatic: of the pairs that are linked by themselves.
        pairwise: of the pairs that are certain, also of those that a person is asked about for prudence.
        clustered: of the pairs that are in one cluster of those that are certain.
        asked: of the pairs that a person is asked about, how many are of one person.
    """

    pairs: int
    automatic: Quality
    pairwise: Quality
    clustered: Quality
    asked: Quality


def evaluate(found: Found, truth: Mapping[str, Hashable]) -> Evaluation:
    """Compare what was found with who is who.

    Args:
        found: what `matching.resolve` found.
        truth: of each record, by id, who it is; one that nobody knows is not in it, and is one of its own.
    """
    there = _pairs(Counter(truth.values()).values())
    certain = links_of(found.scores).keys()
    linked, asked = found.pairs(Verdict.LINK), found.pairs(Verdict.ASK)
    return Evaluation(
        there,
        Quality(_right(linked, truth), len(linked), there),
        Quality(_right(certain, truth), len(certain), there),
        _clustered(found.people, truth, there),
        Quality(_right(asked, truth), len(asked), there),
    )


def _clustered(people: Iterable[Sequence[str]], truth: Mapping[str, Hashable], there: int) -> Quality:
    right = found = 0
    for person in people:
        who = defaultdict[Hashable, int](int)
        for each in person:
            if each in truth:
                who[truth[each]] += 1
        right += _pairs(who.values())
        found += _pairs([len(person)])
    return Quality(right, found, there)


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _right(pairs: Iterable[tuple[str, str]], truth: Mapping[str, Hashable]) -> int:
    return sum(a in truth and truth[a] == truth.get(b) for a, b in pairs)
