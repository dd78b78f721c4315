"""How far words are spelt apart."""

from collections.abc import Iterable

LONG = 7  # letters from which a word may be mistaken in two
NEAR_MAX = 8  # words that one may stand for


def near(word: str, others: Iterable[str]) -> list[str]:
    """Those that may have been meant by `word`, best first: one letter apart, or two of a long word.

    Not those that begin with it, which are found by that.
    """
    most = 2 if len(word) >= LONG else 1
    found = [(apart(word, other, most), other) for other in others if not other.startswith(word)]
    return [other for distance, other in sorted(found) if distance <= most][:NEAR_MAX]


def apart(one: str, other: str, most: int) -> int:
    """How many letters were left out, added, or taken for others, or neighbours that changed places.

    `most` + 1 for anything beyond `most`. Damerau and Levenshtein's distance, no letter touched twice
    (optimal string alignment).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, row, before = before, [i, *([0] * len(other))], row
        for j, another in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != another))
            if i > 1 and j > 1 and letter == other[j - 2] and another == one[i - 2]:
                row[j] = min(row[j], last[j - 2] + 1)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
