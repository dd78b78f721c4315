"""Which encoding of one byte a letter makes words of languages of text that is not UTF-8."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise

# The letters beyond ASCII of languages, by the encodings in which their files come; the likeliest first.
_WESTERN = """
    äöüß | àâæçéèêëîïôœùûüÿ | áéíñóúü | àèéìíîòóù | áàâãçéêíóôõúü | æøåéö | åäöéü | áæéíðóöúýþ | äëéïöüóèáê |
    àçéèíïóòúü
"""
_CENTRAL = "ąćęłńóśźż | áčďéěíňóřšťúůýž | áäčďéíĺľňóôŕšťúýž | áéíóöőúüű | ăâîşţ | čćđšž | äöüß"
_ALPHABETS: Mapping[str, str] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1254": "çğ\u0131iöşüâîû",
    "iso8859_2": _CENTRAL,
    "cp1257": "āčēģīķļņšūž | ąčęėįšųūž | äöõüšž",
    "cp1251": "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў",
    "koi8_r": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "cp866": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "cp1253": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
}
_LATIN = frozenset({"cp1252", "cp1250", "cp1254", "iso8859_2", "cp1257", "mac_roman", "cp850"})
# Letters of other scripts stand in a row, in Latin words one or a few.
_ROW = 4
# Signs that stand in any text; inside a word only what is written for an apostrophe.
_SIGNS = re.compile(
    "(?<![^\\W\\d_])[\u00aa\u00ba\u00b0«»¿¡§©®€£„\u201c\u201d\u2018\u2013\u2014…·\u00a0]"
    "|[\u00aa\u00ba\u00b0«»§©®€£\u201c\u201d\u2018\u2019\u2013\u2014…·\u00a0](?![^\\W\\d_])|[\u00b4\u2019]"
)
_WORD = re.compile(r"[^\s,;|\"'()./@&+-]*[^\x00-\x7f][^\s,;|\"'()./@&+-]*")
_WORDS, _SURE = 500, 0.9  # so many are looked at, of which so many must be words


def likeliest(text: bytes) -> str:
    """The encoding in which most words are of a language, then most of one; empty when none will do."""
    scores = {name: _score(text, name) for name in _ALPHABETS}
    best = max(scores, key=lambda name: scores[name])  # of several alike the first
    return best if scores[best][0] >= _SURE else ""


def _score(text: bytes, encoding: str) -> tuple[float, float]:
    """The share of words beyond ASCII that some language of the encoding has, and one of them alone."""
    decoded = text.decode(encoding, "replace")
    distinct = islice(dict.fromkeys(_WORD.findall(decoded)), _WORDS)
    words = [word for found in distinct for word in _letters(found, encoding)]
    if not words:
        return 1, 1
    alphabets = [frozenset(letters.strip()) for letters in _ALPHABETS[encoding].split("|")]
    has = [[word <= alphabet for word in words] for alphabet in alphabets]
    return sum(map(any, zip(*has, strict=True))) / len(words), max(map(sum, has)) / len(words)


def _letters(word: str, encoding: str) -> Iterator[frozenset[str]]:
    """What a word has beyond ASCII, in small letters, if anything; U+FFFD for what is no word."""
    plain = _SIGNS.sub("", word)
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
