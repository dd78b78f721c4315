"""Months and weekdays as they are called in the languages of files."""

import functools

from rapport_imports.names import without_case

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sv", "da", "tr")


def month(name: str) -> int:
    """The number of a month that is spelt, in full or as usual for short; 0 for none."""
    return _months().get(_plain(name), 0)


def is_weekday(name: str) -> bool:
    return _plain(name) in _weekdays()


@functools.cache
def _months() -> dict[str, int]:
    """By what they are called; what is two months in two languages is none."""
    from babel import Locale

    found: dict[str, int] = {}
    for language in LANGUAGES:
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, called in Locale(language).months[form][width].items():
                    if found.setdefault(_plain(called), number) != number:
                        found[_plain(called)] = 0
    english = Locale("en").months["format"]
    return (
        found
        | {called[:3].lower(): number for number, called in english["wide"].items()}
        | {"sept": 9, "mrz": 3}
    )


@functools.cache
def _weekdays() -> frozenset[str]:
    from babel import Locale

    widths = (Locale(language).days["format"] for language in LANGUAGES)
    return frozenset(
        _plain(called)
        for days in widths
        for width in ("wide", "abbreviated")
        for called in days[width].values()
    )


def _plain(name: str) -> str:
    return "".join(filter(str.isalpha, without_case(name)))
