"""What a mail server's refusal is about: the recipient, us, or the moment.

Only what says so is about the recipient, for only that ends a notice. A server that does not know us, does
not want our sender, or has counted enough of our mail today, says 5xx just the same, and means that we have
to mend something. By the enhanced codes of RFC 3463 where there is one; else by the code and a word of the
text, which goes no further.
"""

import re

from chassis.work import Later, NotDone, Ours, Refused

_PERMANENT = 500
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
# Bad mailbox, system, syntax; moved, not unique, no mail there; disabled, full, size, list; no route, no
# host; an address that the system behind cannot take.
_RECIPIENT = re.compile(r"5\.1\.(?:[1-69]|10)|5\.2\.[0-4]|5\.4\.[14]|5\.6\.7")
_UNDEFINED = re.compile(r"5\.[0-5]\.0|5\.5\.0")  # says no more than the code
_OF_A_MAILBOX = {550, 551, 552}
_ABOUT_US = re.compile(
    r"relay|rcpthosts|sender|authenticat|log ?in|credential|limit|too many|\brate\b|spam|black|block"
    r"|reputation|spf|dkim|dmarc|policy|not owned|send as|client host|banned",
    re.IGNORECASE,
)


def refusal(code: int, text: str, *, of_recipient: bool) -> NotDone:
    """The meaning of an answer of 400 or more.

    Args:
        code: the answer's code.
        text: its text; may be personal and is not kept.
        of_recipient: whether the recipient was named by then, and so may be meant.
    """
    enhanced = found.group() if (found := _ENHANCED.search(text)) else ""
    shown = f"{code} {enhanced}".strip()
    if code < _PERMANENT:
        return Later(shown)
    if of_recipient and _is_about_recipient(code, enhanced, text):
        return Refused(shown)
    return Ours(shown)


def _is_about_recipient(code: int, enhanced: str, text: str) -> bool:
    if enhanced and not _UNDEFINED.fullmatch(enhanced):
        return bool(_RECIPIENT.fullmatch(enhanced))
    return code in _OF_A_MAILBOX and not _ABOUT_US.search(text)
