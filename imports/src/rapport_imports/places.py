"""Countries and languages, by code or by their names in the languages of files."""

import functools
import re
from collections.abc import Iterator

import pycountry

# Names of countries in everyday use that ISO 3166 does not list.
_COUNTRIES = {
    "UK": "GB",
    "ENGLAND": "GB",
    "SCOTLAND": "GB",
    "WALES": "GB",
    "U.S.A.": "US",
    "RUSSIA": "RU",
    "SOUTH KOREA": "KR",
}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_LANGUAGES_OF_FILES = ("en", "de", "fr", "es", "it", "pt", "nl")


@functools.lru_cache(maxsize=1024)
def country(name: str) -> str:
    """The code of a country by code, or by name in a language of `_LANGUAGES_OF_FILES`; else empty."""
    if alias := _COUNTRIES.get(name.upper()):
        return alias
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return next((code for code in _named("territories", name) if len(code) == 2), "")


@functools.lru_cache(maxsize=1024)
def language(name: str) -> str:
    """The code of a language by code, or by name in one of `_LANGUAGES_OF_FILES`; else empty."""
    code, *rest = re.split(r"[-_]", name.partition(".")[0].partition("@")[0])
    if len(code) in (2, 3) and code.isalpha():
        rest = [part.title() if len(part) == 4 else part.upper() for part in rest]
        code = "-".join([code.lower(), *rest])
        return code if _LANGUAGE.fullmatch(code) else ""
    return next((code for code in _named("languages", name) if _LANGUAGE.fullmatch(code)), "")


def _named(what: str, name: str) -> Iterator[str]:
    from babel import Locale

    for spoken in _LANGUAGES_OF_FILES:
        for code, known in getattr(Locale(spoken), what).items():
            if known.casefold() == name.casefold():
                yield str(code).replace("_", "-")
