"""How likely words are in a language, by which letters follow which in its names of countries, say."""

import functools
import math
import re
from collections import Counter
from itertools import pairwise

_WORD = re.compile(r"[^\W\d_]+")
# Older letters of Romanian, which its encodings of one byte have in place of those of today.
_CEDILLAS = str.maketrans("șțȘȚ", "şţŞŢ")
_PAIR_WEIGHT, _UNSEEN, _LETTERS = 3.0, 0.05, 200  # how much pairs count beside single letters


def likelihood(word: str, language: str) -> float:
    """The logarithm of how likely the word is among those of the language."""
    letters, pairs, count = _learned(language)
    spelt, found = _spelt(word), 0.0
    for one, two in pairwise(spelt):
        alone = (letters[two] + _UNSEEN) / (count + _UNSEEN * _LETTERS)
        found += math.log((pairs[one + two] + _PAIR_WEIGHT * alone) / (letters[one] + _PAIR_WEIGHT))
    return found


def _spelt(word: str) -> str:
    return f"^{word.replace('İ', 'i').lower()}$"


@functools.cache
def _learned(language: str) -> tuple[Counter[str], Counter[str], int]:
    """How often the language has each letter and each pair, from what the CLDR has in it."""
    from babel import Locale

    of = Locale.parse(language)
    texts = [*of.territories.values(), *of.languages.values(), *of.currencies.values()]
    texts += [*of.months["format"]["wide"].values(), *of.days["format"]["wide"].values()]
    known = {_spelt(word) for text in texts for word in _WORD.findall(text.translate(_CEDILLAS))}
    letters, pairs = Counter[str](), Counter[str]()
    for word in known:
        letters.update(word)
        pairs.update(map("".join, pairwise(word)))
    return letters, pairs, letters.total()
