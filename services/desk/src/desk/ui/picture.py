"""Pictures that the server draws: parts of a line, in thousandths of its length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 1000
SEEN = 2  # thousandths: nothing that is there is too thin to be seen


@dataclass(frozen=True)
class Part:
    """A part of a line, in thousandths of its length."""

    kind: str
    start: int
    width: int


def part(kind: str, start: float, end: float) -> Part:
    """From one share of the line, of 0 to 1, to a later one."""
    at = round(WIDTH * start)
    return Part(kind, at, max(SEEN, round(WIDTH * end) - at))


def stacked(amounts: Mapping[str, float], whole: float) -> Sequence[Part]:
    """Amounts by kind, one after the other, on a line as long as `whole`; what is nothing has no part."""
    parts, start = [], 0.0
    for kind, amount in amounts.items():
        if amount > 0:
            parts.append(part(kind, start / whole, (start + amount) / whole))
            start += amount
    return parts
