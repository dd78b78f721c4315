"""Text that came from elsewhere as a person may be shown it, and numbers with their noun."""

import re

from chassis.api.text import NOT_ONE_LINE

OBEYED = re.compile(rf"(?![\n\t]){NOT_ONE_LINE.pattern}")
# What stands for what a terminal would obey.
_PICTURES = {chr(code): chr(0x2400 + code) for code in range(32)} | {"\x7f": "\N{SYMBOL FOR DELETE}"}
_PICTURES |= dict.fromkeys("\u2028\u2029", "\N{SYMBOL FOR NEWLINE}")


def shown(text: str) -> str:
    """The text, of several lines perhaps, with a picture for all that a terminal obeys or reorders."""
    return OBEYED.sub(_picture, text)


def line(text: str) -> str:
    """The text as one line, as `shown`; a newline in it has a picture too, or it would forge a line."""
    return NOT_ONE_LINE.sub(_picture, text)


def counted(number: int, what: str) -> str:
    """`1 event`, `2 events`, `1,000 events`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _picture(found: re.Match[str]) -> str:
    return _PICTURES.get(found[0], "\N{SYMBOL FOR SUBSTITUTE FORM TWO}")
