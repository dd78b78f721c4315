"""Which encoding of one byte a letter makes words of languages of text that is not UTF-8."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from rapport_imports import spelling

# The letters beyond ASCII of languages, by the encodings in which their files come; the likeliest first.
_WESTERN = """
    äöüß | àâæçéèêëîïôœùûüÿ | áéíñóúü | àèéìíîòóù | áàâãçéêíóôõúü | æøåéö | åäöéü | áæéíðóöúýþ | äëéïöüóèáê |
    àçéèíïóòúü
"""
_CENTRAL = "ąćęłńóśźż | áčďéěíňóřšťúůýž | áäčďéíĺľňóôŕšťúýž | áéíóöőúüű | ăâîşţ | čćđšž | äöüß"
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_ALPHABETS: Mapping[str, str] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1254": "çğ\u0131iöşüâîû",
    "iso8859_2": _CENTRAL,
    "cp1257": "āčēģīķļņšūž | ąčęėįšųūž | äöõüšž",
    "cp1251": f"{_CYRILLIC}іїєґў",
    "koi8_r": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1253": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
}
_LATIN = frozenset({"cp1252", "cp1250", "cp1254", "iso8859_2", "cp1257", "mac_roman", "cp850"})
_WEST, _MIDDLE, _EAST = "de fr es it pt nl ca da sv is fi", "pl cs sk hu ro hr sl", "ru uk bg sr"
# Which languages come so, and how much less likely than cp1252 it is that a file does: a logarithm.
_LANGUAGES: Mapping[str, tuple[float, str]] = {
    "cp1252": (0, _WEST),
    "cp1251": (2, _EAST),
    "cp1250": (4, _MIDDLE),
    "cp1253": (4, "el"),
    "cp1254": (6, "tr"),
    "cp1257": (6, "lt lv et"),
    "iso8859_2": (9, _MIDDLE),
    "koi8_r": (8, "ru"),
    "cp866": (8, "ru"),
    "mac_roman": (12, _WEST),
    "cp850": (12, _WEST),
}
# Which language a domain of a country tells; those of other countries are as their language, `pl`, or none.
_DOMAIN = re.compile(rb"(?i)[a-z0-9-]\.([a-z]{2})\b")
_OF_DOMAINS = {"cz": "cs", "si": "sl", "ee": "et", "gr": "el", "cy": "el", "ua": "uk", "rs": "sr", "at": "de"}
_OF_DOMAINS |= {"dk": "da", "se": "sv", "br": "pt", "mx": "es", "ar": "es"}
_DOMAIN_COUNTS, _SIGN_COSTS, _MIX_COSTS = 8.0, 5.0, 2.0
_CLOSE = 10.0  # within which another reading is as good as
# Letters of other scripts stand in a row, in Latin words one or a few.
_ROW = 5
# Signs that stand in any text; inside a word only what is written for an apostrophe.
_SIGNS = re.compile(
    "(?<![^\\W\\d_])[\u00aa\u00ba\u00b0«»¿¡§©®€£„\u201c\u201d\u2018\u2013\u2014…·\u00a0]"
    "|[\u00aa\u00ba\u00b0«»§©®€£\u201c\u201d\u2018\u2019\u2013\u2014…·\u00a0](?![^\\W\\d_])|[\u00b4\u2019]"
)
# A sign that touches a letter which it never stands beside.
_ODD = re.compile("[\u00aa\u00ba\u00b0§©£€](?=[^\\W\\d_])|(?<=[^\\W\\d_])(?:[§£€¿¡]|·(?![^\\W\\d_]))")
_TOUCHING = re.compile("(?<=[^\\W\\d_])[^\x00-\x7f\\w]|[^\x00-\x7f\\w](?=[^\\W\\d_])")
_WORD = re.compile(r"[^\s,;|\"'()./@&+-]*[^\x00-\x7f][^\s,;|\"'()./@&+-]*")
_WORDS, _SURE = 500, 0.9  # so many are looked at, of which so many must be words


class Likely(NamedTuple):
    """The encoding that is likeliest, and another that is about as likely: `differ` are a word in either."""

    name: str
    other: str = ""
    differ: tuple[str, str] = ("", "")


def likeliest(text: bytes) -> Likely | None:
    """In which most words are of languages, spelt as those spell; None when none will do."""
    fit = [name for name in _ALPHABETS if _share(text, name) >= _SURE]
    if not fit:
        return None
    told = Counter(_DOMAIN.findall(text.lower())).most_common(1)
    domain = told[0][0].decode() if told else ""
    scores = {name: _score(text, name, _OF_DOMAINS.get(domain, domain)) for name in fit}
    best, *others = sorted(fit, key=lambda name: -scores[name])
    for other in others:
        differ = _differing(text, best, other)
        if differ and scores[best] - scores[other] < _CLOSE:
            return Likely(best, other, differ)
    return Likely(best)


def _differing(text: bytes, *encodings: str) -> tuple[str, str] | None:
    """The first word that is another in the other encoding."""
    one, two = (_WORD.findall(text.decode(name, "replace")) for name in encodings)
    return next(((a, b) for a, b in zip(one, two, strict=False) if a != b), None)


def _score(text: bytes, encoding: str, told: str) -> float:
    """The logarithm of how likely the text is in the encoding, of which `told` is the likeliest language."""
    decoded = text.decode(encoding, "replace")
    rarity, languages = _LANGUAGES[encoding]
    found = _words(decoded)
    by_word = {of: [spelling.likelihood(word, of) for word in found] for of in languages.split()}
    mixed = sum(max(of) - _MIX_COSTS for of in zip(*by_word.values(), strict=True))
    alone = (sum(words) + _DOMAIN_COUNTS * (of == told) for of, words in by_word.items())
    signs = _SIGN_COSTS * len(_TOUCHING.findall(decoded))
    best: float = max(mixed, *alone)
    return best - signs - rarity


def _words(text: str) -> list[str]:
    """The distinct words that have something beyond ASCII, without the signs around them."""
    found = (_SIGNS.sub("", _ODD.sub("\ufffd", word)) for word in _WORD.findall(text))
    return list(islice(dict.fromkeys(found), _WORDS))


def _share(text: bytes, encoding: str) -> float:
    """Of the words beyond ASCII those that some language of the encoding has the letters of."""
    decoded = text.decode(encoding, "replace")
    distinct: Sequence[str] = list(islice(dict.fromkeys(_WORD.findall(decoded)), _WORDS))
    words = [word for found in distinct for word in _letters(found, encoding)]
    alphabets = [frozenset(letters.strip()) for letters in _ALPHABETS[encoding].split("|")]
    return sum(any(word <= letters for letters in alphabets) for word in words) / len(words) if words else 1


def _letters(word: str, encoding: str) -> Iterator[frozenset[str]]:
    """What a word has beyond ASCII, in small letters, if anything; U+FFFD for what is no word."""
    plain = _SIGNS.sub("", word).replace("İ", "i")
    beyond = re.sub("[\x00-\x7f]", " ", plain)
    other = encoding not in _LATIN
    if (
        any(one.islower() and two.isupper() for one, two in pairwise(plain))
        or (other and re.search("[A-Za-z]", plain))
        or (not other and max(map(len, beyond.split()), default=0) >= _ROW)
    ):
        beyond = "\ufffd"
    if letters := frozenset(beyond.lower()) - {" "}:
        yield letters
