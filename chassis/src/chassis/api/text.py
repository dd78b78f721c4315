"""What no text holds, in any field of any request: control characters, and in a line what breaks or turns it.

Control characters are no text: PostgreSQL stores no NUL, terminals obey ESC, mail headers end at a line's
end. Neither are noncharacters, nor tags, which say what only programs read; in a flag, such as that of
England, they are text. A text is one line unless its field has the option `multiline`: a name of two lines
forges a second entry in a list of names, and one that overrides its direction reads as another name. Joiners,
marks, and scripts that run from right to left are names as people have them. So are characters of private
use: older systems have the rare ideographs of Chinese names as such. Lone surrogates never get this far: they
are not UTF-8, so gRPC's decoder refuses the message. What can be seen of a text: `chassis.visible`.
"""

import re

# C0 but newline and tab, DEL, C1 and surrogates: none is text; PostgreSQL stores neither NUL nor surrogates.
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
# Noncharacters, and tags that are in no flag. Not all that is unassigned: emoji of tomorrow are text today.
_NONE = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane | 0xFFFE)}-{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_NONE += "\U000e0000-\U000e001f\U000e0080-\U000e00ff"
_FLAG, _TAG, _END = "\U0001f3f4", "\U000e0020-\U000e007e", "\U000e007f"
_HIDDEN = rf"(?<![{_FLAG}{_TAG}])[{_TAG}{_END}]|[{_TAG}](?![{_TAG}{_END}])|{_FLAG}[{_TAG}]{{8,}}"
NOT_TEXT = re.compile(f"(?:[{_CONTROL}{_NONE}]|{_HIDDEN})")
# What embeds, overrides or isolates a direction: programs put it around what is copied from them.
_TURNS = "\u202a-\u202e\u2066-\u2069"
TURNS = re.compile(f"[{_TURNS}]")
NOT_ONE_LINE = re.compile(f"(?:[{_CONTROL}{_NONE}\t\n\u2028\u2029{_TURNS}]|{_HIDDEN})")
_ALLOWED = {
    NOT_TEXT: "must be text of any script, with newlines and tabs but no other control characters,"
    " noncharacters or tags outside of flags",
    NOT_ONE_LINE: "must be one line of any script: no newlines, tabs or other control characters,"
    " noncharacters or tags outside of flags, and none that turn the direction of text"
    " (U+202A to U+202E, U+2066 to U+2069)",
}


def no_line(value: str) -> tuple[str, str] | None:
    """INVALID_TEXT and what is allowed, for a text that is not one line; None for one that is."""
    if value.isprintable() or not NOT_ONE_LINE.search(value):
        return None
    return "INVALID_TEXT", _ALLOWED[NOT_ONE_LINE]


def no_text(value: str) -> tuple[str, str] | None:
    """INVALID_TEXT and what is allowed, for a text of several lines that is none; None for one that is."""
    return ("INVALID_TEXT", _ALLOWED[NOT_TEXT]) if NOT_TEXT.search(value) else None
