"""Exports overlap: which of a source's purchases are those that another source brought before.

A reference alone is no identity, for numbers begin again with every till and year: with the customer and the
time it is. Without a reference, equal purchases may be one or two, and only a person knows.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

from loyalty.domain.value import Purchase


@dataclass(slots=True)
class Overlap:
    """What is known of purchases, by their index.

    Attributes:
        known: what they say, with the import key under which that was recorded.
        unclear: those that may be purchases of their own as well as one that was recorded.

    """

    known: dict[int, Purchase] = field(default_factory=dict)
    unclear: list[int] = field(default_factory=list)


def overlap(
    purchases: Sequence[Purchase], occurrences: Sequence[int], recorded: Sequence[Purchase]
) -> Overlap:
    """Recognise imported purchases among those that were recorded of the same customers at the same times.

    One that says the same as one from another source is that one, the second the second; `occurrences` tells
    which of its source's it is. One that says another amount may be that
    one after a refund, a line of it, or the same number in another till: only a person knows.
    """
    found = Overlap()
    own = {_source(purchase) for purchase in purchases}
    others: dict[Hashable, list[Purchase]] = defaultdict(list)
    for other in recorded:
        if other.import_key and _source(other) not in own:
            others[_occasion(other)].append(other)
    for i, (purchase, number) in enumerate(zip(purchases, occurrences, strict=True)):
        group = others.get(_occasion(purchase), [])
        same = [other for other in group if other.amount == purchase.amount]
        if purchase.reference and number <= len(same):
            found.known[i] = replace(same[number - 1], id=purchase.id)
        elif same or (purchase.reference and group):
            found.unclear.append(i)
    return found


def _occasion(purchase: Purchase) -> Hashable:
    return purchase.customer_id, purchase.purchase_time, purchase.reference


def _source(purchase: Purchase) -> str:
    return (purchase.import_key or "").rpartition(":")[0]
