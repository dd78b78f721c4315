"""What customers agree to, in the language of whoever reads it."""

from collections.abc import Sequence

from desk.ui.words import last
from rapport.customer.v1.wording_pb2 import Wording


def by_purpose(wordings: Sequence[Wording], tag: str) -> dict[str, Wording]:
    """Of each purpose that has any, by its name, the wording in a language or the nearest."""
    of: dict[str, list[Wording]] = {}
    for each in wordings:
        of.setdefault(each.name.partition("/wordings/")[0], []).append(each)
    return {purpose: in_language(those, tag) for purpose, those in of.items()}


def in_language(wordings: Sequence[Wording], tag: str) -> Wording:
    """The wording in a language, or in what is left of that without its region; else the first of them."""
    by_language = {last(each.name): each for each in wordings}
    for code in (tag.lower(), tag.lower().partition("-")[0]):
        if code in by_language:
            return by_language[code]
    return wordings[0]


def version_of(wording: Wording) -> str:
    """The name of the version that is shown, for who notes what was agreed to."""
    return f"{wording.name}/versions/{wording.version}"
