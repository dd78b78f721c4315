"""From what is written to what is compared: no case, accents, signs or spaces, in any script."""

import re
import unicodedata
from functools import lru_cache

# One letter for what is written with two where there is no key for it: Mueller, Müller and Muller are one.
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "a", "œ": "o", "\u0131": "i", "þ": "th"}
)
_UMLAUT = re.compile(r"(?<![aeiouq])([aou])e")
_WORDS = re.compile(r"[^\W_]+")
_TITLES = "mr mrs ms miss dr prof herr frau hr fr mevr dhr mme mlle sr sra"
_PARTICLES = "van von de den der da di du la le ten ter zu zur vom del della dos bin al el"
_STREETS = {
    word: short
    for short, words in {
        "st": "street str strasse strase straat strada",
        "rd": "road",
        "av": "avenue ave avenida",
        "pl": "place platz plein plaza",
        "cct": "circuit",
        "cres": "crescent cr",
        "dr": "drive",
        "ct": "court",
        "ln": "lane laan",
        "w": "weg way",
        "sq": "square",
        "bd": "boulevard blvd",
    }.items()
    for word in words.split()
}
_STREET_ENDING = re.compile(r"(?<=\w\w)(?:strasse|strase|straat|str)$")
_HOUSE_FIRST = re.compile(r"\s*(\d+\s?[a-z]?(?:\s?[-/]\s?\d+\s?[a-z]?)?)[\s,]+(\D.*)", re.IGNORECASE)
_HOUSE_LAST = re.compile(r"(.*\D\.?)[\s,]+(\d+\s?[a-z]?(?:\s?[-/]\s?\d+\s?[a-z]?)?)\s*", re.IGNORECASE)
_NO_DATES = frozenset(
    {
        "00000000",
        "00010101",
        "11111111",
        "17530101",
        "18991230",
        "18991231",
        "19000101",
        "19000102",
        "19010101",
    }
    | {"19700101", "99991231"}
)
_NATIONAL_DIGITS = 9


@lru_cache(maxsize=1 << 16)
def plain(text: str) -> str:
    """Words of letters and digits, lower case, without accents, a space between."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _UMLAUT.sub(r"\1", " ".join(_WORDS.findall(letters)))


def compact(text: str) -> str:
    """As `plain`, without spaces: a space is where people slip most."""
    return plain(text).replace(" ", "")


def street(text: str) -> str:
    """A line of an address with one word for a kind of street: `Hauptstr.` is `Hauptstraße`."""
    words = (_STREETS.get(word, word) for word in plain(text).split())
    return "".join(_STREET_ENDING.sub("st", word) for word in words)


def date(text: str) -> str:
    """The digits of a date, year first; also of what is none, for a slip is near what was meant."""
    found = text.strip()
    if match := re.match(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", found):
        digits = f"{match[1]}{match[2]:0>2}{match[3]:0>2}"
    elif match := re.match(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?!\d)", found):
        digits = f"{match[3]}{match[2]:0>2}{match[1]:0>2}"
    else:
        digits = re.sub(r"\D", "", found)
    return "" if digits in _NO_DATES else digits


def email(text: str) -> str:
    """An address of e-mail as it is compared: nobody tells apart two by case."""
    return unicodedata.normalize("NFKC", text).strip().casefold().removeprefix("mailto:")


def phone(text: str) -> str:
    """The last digits of a number: with the code of the country or without, it is one."""
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text))[-_NATIONAL_DIGITS:]


def split_name(text: str) -> tuple[str, str]:
    """Given and family name of a full name: `Ada van Dyk`, `Dyk, Ada`."""
    if "," in text:
        family, _, given = text.partition(",")
        return given.strip(), family.strip()
    words = [word for word in text.split() if plain(word) not in _TITLES.split()]
    at = len(words) - 1
    while at > 1 and plain(words[at - 1]) in _PARTICLES.split():
        at -= 1
    return " ".join(words[:at]), " ".join(words[at:])


def split_street(text: str) -> tuple[str, str]:
    """Street and number of a first line: `Hauptstr. 12a`, `12 Main Street`."""
    if match := _HOUSE_FIRST.fullmatch(text):
        return match[2], match[1]
    if match := _HOUSE_LAST.fullmatch(text):
        return match[1], match[2]
    return text, ""
