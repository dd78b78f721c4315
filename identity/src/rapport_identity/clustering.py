"""From links to people: who is linked is one person, unless that would chain strangers.

A cluster is a function of its records and their links alone. So it does not matter in which order they came:
one that arrives is clustered with all that it is linked with, directly or by others, as if all came together.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

Weigh = Callable[[str, str], float]
Pair = tuple[str, str]
Links = Mapping[Pair, float]
# What one pair says for or against a cluster at most: one very alike pair does not outweigh ten that are not.
_SAY_BITS_MAX = 20.0
CONFLICT = float("-inf")  # what `Weigh` says of two that must not be one, whatever others say


def connected(links: Links) -> list[dict[Pair, float]]:
    """The links of those that are linked directly or by others, group by group."""
    leader: dict[str, str] = {}

    def find(each: str) -> str:
        while (above := leader.setdefault(each, each)) != each:
            leader[each] = each = leader[above]
        return each

    for a, b in links:
        leader[find(a)] = find(b)
    groups: dict[str, dict[Pair, float]] = defaultdict(dict)
    for pair, bits in links.items():
        groups[find(pair[0])][pair] = bits
    return list(groups.values())


def settle(links: Links, weigh: Weigh, held: Collection[Collection[str]] = ()) -> list[list[str]]:
    """The people among records that are linked.

    The strongest link is taken first; two groups become one when all pairs between them say so on average,
    and none is in conflict: who is linked to each of two strangers does not make them one.

    Args:
        links: the pairs that are linked by themselves, the smaller id first, with their weights in bits.
        weigh: what two records say for being one, in bits, linked or not.
        held: those who are one whatever is said, since somebody knows.
    """
    group = {each: [each] for pair in links for each in pair}
    for known in held:
        one = sorted(known)
        group |= dict.fromkeys(one, one)
    for (a, b), _ in sorted(links.items(), key=lambda link: (-link[1], link[0])):
        one, other = group[a], group[b]
        if one is not other and _cohere(one, other, weigh):
            one.extend(other)
            group |= dict.fromkeys(other, one)
    return sorted({id(each): sorted(each) for each in group.values()}.values())


def _cohere(one: Collection[str], other: Collection[str], weigh: Weigh) -> bool:
    """Whether two groups are one person, all pairs between them heard."""
    said = [weigh(a, b) for a in one for b in other]
    total = sum(min(max(bits, -_SAY_BITS_MAX), _SAY_BITS_MAX) for bits in said)
    return CONFLICT not in said and total > 0
