"""What mail systems write about mail of ours: it came back (RFC 3464), or its reader complained (RFC 5965).

Only what says so in the fields that are there for programs counts. An answer that somebody is away, however
much it looks like mail that came back, says nothing of the kind.
"""

import re
from email.message import EmailMessage, Message
from email.parser import HeaderParser
from email.utils import parseaddr
from typing import Any

REPORT = "multipart/report"
_BLOCKS_MAX = 50
# There is no such mailbox, host or name, or it takes nothing any more. A full mailbox, a filter, a relay that
# gave up say nothing of the address.
_NO_SUCH_ADDRESS = re.compile(r"5\.1\.(?:[1236]|10)|5\.2\.1")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ACTIONS = {"delayed": "DELAYED", "delivered": "DELIVERED", "failed": "TEMPORARY_FAILURE"}
_WORST = ("DELAYED", "DELIVERED", "TEMPORARY_FAILURE", "PERMANENT_FAILURE")
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
_KEY_MAX = 320


def receipt_in(message: EmailMessage) -> dict[str, Any] | None:
    """What it reports, as `Receipt` has it; None for any other mail, and where it does not say of which."""
    if message.get_content_type() != REPORT:
        return None
    parts = [part for part in message.iter_parts() if isinstance(part, Message)]
    key = next(filter(None, (_of_ours(part, "message-id") for part in parts[1:])), "")
    to = next(filter(None, (parseaddr(_of_ours(part, "to"))[1] for part in parts[1:])), "")
    told = next(filter(None, (_told(part, to) for part in parts)), None)
    return {**told, "provider_key": key} if key and told else None


def _told(part: Message, to: str) -> dict[str, Any] | None:
    match part.get_content_type():
        case "message/delivery-status":
            return _delivery(part, to)
        case "message/feedback-report":
            return _complaint(part)
        case _:
            return None


def _delivery(part: Message, to: str) -> dict[str, Any] | None:
    """The worst that is said of whom our message was to; where that is not said, of whoever it went on to."""
    told = [each for block in _blocks(part)[1:] if (each := _of_recipient(block))]
    theirs = [each for each in told if each["recipient"].casefold() == to.casefold()]
    return max(theirs or told, key=lambda each: _WORST.index(each["delivery"]), default=None)


def _of_recipient(block: Message) -> dict[str, Any] | None:
    delivery = _ACTIONS.get(_field(block, "action").lower(), "")
    status = _STATUS.match(_field(block, "status"))
    code = status[0] if status else ""
    if delivery == "TEMPORARY_FAILURE" and _NO_SUCH_ADDRESS.fullmatch(code):
        delivery = "PERMANENT_FAILURE"
    recipient = _field(block, "original-recipient") or _field(block, "final-recipient")
    return {"delivery": delivery, "code": code, "recipient": _address(recipient)} if delivery else None


def _complaint(part: Message) -> dict[str, Any] | None:
    for block in _blocks(part)[:1]:
        if _field(block, "feedback-type").lower() in _COMPLAINTS:
            recipient = _address(_field(block, "original-rcpt-to"))
            return {"delivery": "DELIVERED", "complaint": True, "recipient": recipient}
    return None


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return (
        [each for each in payload[:_BLOCKS_MAX] if isinstance(each, Message)]
        if isinstance(payload, list)
        else []
    )


def _of_ours(part: Message, name: str) -> str:
    """A field of the mail that came back, or of its headers."""
    if part.get_content_type() == "message/rfc822":
        return next((_field(each, name) for each in _blocks(part)), "")
    if part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
        text = part.get_payload()
        return _field(HeaderParser().parsestr(text), name) if isinstance(text, str) else ""
    return ""


def _field(block: Message, name: str) -> str:
    return " ".join(str(block.get(name, "")).split())[:_KEY_MAX]


def _address(typed: str) -> str:
    """Of `rfc822;anna@example.com` the address."""
    return typed.rpartition(";")[2].strip().strip("<>")
