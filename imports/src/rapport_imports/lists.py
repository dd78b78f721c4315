"""Several e-mail addresses or phone numbers in one cell, as people and address books write them."""

import re

_LINES = re.compile(r"[;\n]|:::")
# Between whole values alone: `0171 / 1234567` is one number, and `Berg, Anna <a@x.example>` one address.
_BETWEEN = re.compile(r"\s*[,/|&]\s*|\s+(?:and|or|und|oder|et|ou|y|o|e|en|of)\s+")
_IN_ANGLES = re.compile(r"<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>")
_DIGITS = 6  # of a number that stands alone


def several(text: str) -> list[str]:
    """The values between semicolons and line ends."""
    return [part.strip() for part in _LINES.split(text) if part.strip()]


def emails(text: str) -> list[str]:
    """The addresses of a cell, without the names beside them."""
    if found := _IN_ANGLES.findall(text):
        return found if len(found) == text.count("@") else several(text)
    parts = [part.removeprefix("mailto:") for each in several(text) for part in _BETWEEN.split(each) if part]
    if all(part.count("@") == 1 for part in parts):
        return parts
    if "," in text and "@" not in _BETWEEN.split(text)[0]:
        return several(text)
    words = text.split()
    return words if len(words) > 1 and all(word.count("@") == 1 for word in words) else parts


def phones(text: str) -> list[str]:
    """The numbers of a cell."""
    found: list[str] = []
    for each in several(text):
        parts = list(filter(None, _BETWEEN.split(each)))
        is_list = len(parts) > 1 and all(sum(map(str.isdigit, part)) >= _DIGITS for part in parts)
        found += parts if is_list else [each]
    return found
