"""Languages that people read, as BCP 47 names them, and which of those that there are is the nearest."""

from collections.abc import Mapping
from typing import TypeVar

from babel import Locale, UnknownLocaleError

T = TypeVar("T")

UNKNOWN = "und"  # of whom nobody knows what they read: theirs is the default


def language_code_of(tag: str) -> str:
    """A BCP 47 tag as it is written, `en-GB`; empty for a language that dates cannot be written in."""
    try:
        return str(Locale.parse(tag, sep="-")).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        return ""


def nearest(tag: str) -> list[str]:
    """In which languages to look for a text, for who reads one: as RFC 4647 looks up, in lower-case.

    What a tag leaves unsaid counts, unless that is another language: zh-TW is zh-Hant-TW before it is zh.
    """
    given, whole = tag.lower().split("-"), language_code_of(tag).lower().split("-")
    tags = (whole, given) if set(given) <= set(whole) else (given, whole)
    wanted = ("-".join(parts[:n]) for parts in tags for n in range(len(parts), 0, -1))
    return list(dict.fromkeys(filter(None, wanted)))


def text_in(tag: str, texts: Mapping[str, T], default: T) -> T:
    """Of what there is by its language what who reads one reads, the nearest; else the default."""
    held = {language.lower(): text for language, text in texts.items()}
    return next((held[each] for each in nearest(tag) if each in held), default)
