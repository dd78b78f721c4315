"""What can be seen of a text: a name that shows as an empty line is none, and a handle shows all of it."""

import re
import unicodedata

# Letters, marks and symbols that show nothing of their own: fillers, blanks, selectors of a variant.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
# Where emoji and ideographs are still added: those that this Python does not know yet can be seen as well.
_COMING = re.compile("[\U0001f000-\U0001fffd\U00020000-\U0002fffd\U00030000-\U0003fffd]")


def shows_something(text: str) -> bool:
    """Whether there is anything to see: a letter, digit, sign or symbol; not marks or private use alone."""
    if " " < text[:1] < "\x7f":  # as nearly all of them
        return True
    return any(_shows(each) and unicodedata.category(each)[0] != "M" for each in text)


def hides_something(text: str) -> bool:
    """Whether it holds what cannot be seen: format characters, fillers, private use, what is not assigned."""
    return not all(_shows(each) or unicodedata.category(each) == "Zs" for each in text)


def _shows(each: str) -> bool:
    shows = unicodedata.category(each)[0] in "LMNPS" or _COMING.match(each)
    return bool(shows) and not _BLANK.match(each)
