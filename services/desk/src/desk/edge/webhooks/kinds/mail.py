"""`email`: a message as it was sent (RFC 5322, MIME), by HTTP or SMTP.

Of a message its text is kept, and what its attachments are called. Attachments are not ours to keep: they
may be large, harmful, and of whoever is written about.
"""

import email
import email.policy
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from itertools import islice
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from desk.edge.webhooks.contact import Contact, Delivery, NotUnderstood, Receipt, line, words
from desk.edge.webhooks.kind import KIB, MIB, Glance, Kind, Line, Payload, read
from desk.edge.webhooks.returned import receipt_in

MEDIA_TYPE = "message/rfc822"
BODY_MAX_BYTES = 10 * MIB
TEXT_MAX = 20_000  # characters: more than a timeline holds
UNREAD_MAX_BYTES = 64 * KIB  # of what could not be read, for a person to look at
NAMES_MAX = 50
PARTS_MAX, NESTED_MAX = 500, 20  # each part costs the parser as much as thousands of lines
LINES_MAX = 100_000  # each costs the parser a hundred bytes more than it has
HEADER_MAX, PARAMETERS_MAX = 2000, 20  # characters and parts of one: longer ones take the parser seconds
_NEWLINE, _PART, _NESTED = b"\n", b"\n--", b"multipart/"
BASE64_MAX_BYTES = 256 * KIB  # of one part: more than TEXT_MAX
_BASE64 = re.compile(rb"(?m)^[A-Za-z0-9+/=\r\n]{64,}")
# What HTMLParser begins to read and, from each place anew, seeks the end of in all that follows.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[[^<>]*>?", re.DOTALL)
_UNCLOSED = re.compile(r"<(?![^<>]{1,4000}>)")
_MACHINE = re.compile(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply)@", re.IGNORECASE)


PROVIDER = "providers/smtp"


class Returned(BaseModel):
    """What it reports of mail of ours."""

    provider_key: str = Field(min_length=1, max_length=320)
    delivery: Delivery
    complaint: bool = False
    code: str = Field("", max_length=100)
    recipient: str = Field("", max_length=320)


class Kept(Payload):
    """What is kept of a message."""

    sender: Line = ""
    subject: Line = ""
    text: str = ""
    date: AwareDatetime | None = None
    attachments: list[Line] = Field(default_factory=list)
    is_automatic: bool = False
    receipt: Returned | None = None


def keep(body: bytes) -> bytes:
    """What of a message is kept; the beginning of what is none."""
    if body.count(_PART) > PARTS_MAX or body.lower().count(_NESTED) > NESTED_MAX:
        return body[:UNREAD_MAX_BYTES]
    try:
        message = email.message_from_bytes(_thin(body), policy=_Brief())
        assert isinstance(message, EmailMessage)
        kept = _kept(message)
    except Exception:  # the library has faults of its own for what is far from any standard
        return body[:UNREAD_MAX_BYTES]
    if not kept["sender"]:
        return body[:UNREAD_MAX_BYTES]
    return json.dumps(kept).encode()


def glance(body: bytes, region_code: str) -> Glance:
    """Its Message-ID. NotUnderstood."""
    return Glance(read(Kept, body).id)


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact. NotUnderstood."""
    try:
        told = read(Kept, bodies[0])
    except NotUnderstood:
        raise NotUnderstood("body: must be a message with a sender in `From` (RFC 5322)") from None
    names = ", ".join(line(each) for each in told.attachments)
    said = words(line(told.subject, 1000), told.text, f"Attachments: {names}" if names else "")
    found = told.contact("EMAIL", said, region_code, ("EMAIL", told.sender, ""))
    return replace(found, occur_time=told.date, is_automatic=told.is_automatic)


def receipt(bodies: Sequence[bytes]) -> Receipt | None:
    """What a mail system reports of mail of ours. NotUnderstood."""
    told = read(Kept, bodies[0])
    return Receipt(PROVIDER, **told.receipt.model_dump(), time=told.date) if told.receipt else None


def _thin(body: bytes) -> bytes:
    """A message without most of what its attachments hold, whose parsing would take ten times its size."""
    body = _BASE64.sub(_cut, body)
    if body.count(_NEWLINE) > LINES_MAX:
        return _NEWLINE.join(body.split(_NEWLINE, LINES_MAX)[:LINES_MAX])
    return body


def _cut(base64: re.Match[bytes]) -> bytes:
    whole = base64[0]
    return whole if len(whole) <= BASE64_MAX_BYTES else whole[:BASE64_MAX_BYTES] + b"\r\n"


def _kept(message: EmailMessage) -> dict[str, Any]:
    senders = getattr(message["from"], "addresses", ())
    address, name = (senders[0].addr_spec, senders[0].display_name) if senders else ("", "")
    date = _date(message)
    return {
        "id": _header(message, "message-id"),
        "sender": _sound(address),
        "name": _sound(name),
        "subject": _header(message, "subject"),
        "text": _sound(_text(message))[:TEXT_MAX],
        "date": date and date.isoformat(),
        "attachments": [
            _sound(part.get_filename() or part.get_content_type())
            for part in islice(message.iter_attachments(), NAMES_MAX)
        ],
        "is_automatic": _is_automatic(message, address),
        "receipt": receipt_in(message),
    }


def _header(message: EmailMessage, name: str) -> str:
    return _sound(str(message.get(name, "")))[:1000]


def _sound(text: str) -> str:
    """Without the surrogates that stand for bytes of no known character set."""
    return text.encode(errors="replace").decode()


def _date(message: EmailMessage) -> datetime | None:
    try:
        date = parsedate_to_datetime(str(message.get("date", "")))
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)  # `-0000`: it does not say where


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        content = part.get_content()
    except (LookupError, ValueError):  # a character set that nobody knows
        raw = part.get_payload(decode=True)
        content = raw.decode("latin-1") if isinstance(raw, bytes) else ""
    return _of_html(content) if part.get_content_subtype() == "html" else content


def _is_automatic(message: EmailMessage, address: str) -> bool:
    auto = str(message.get("auto-submitted", "no")).split(";")[0].strip().lower()
    bulk = str(message.get("precedence", "")).strip().lower() in ("bulk", "junk", "list")
    return auto != "no" or bulk or bool(_MACHINE.match(address))


class _Brief(email.policy.EmailPolicy):
    """Headers are as long as anybody writes them, and no longer."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, ";".join(value[:HEADER_MAX].split(";")[:PARAMETERS_MAX])


class _Words(HTMLParser):
    """What of HTML is read: text, with a new line where a block begins or ends."""

    BREAKS = re.compile("address|article|blockquote|br|dd|div|dl|dt|h[1-6]|hr|li|ol|p|pre|table|tr|ul")
    SILENT = frozenset(("script", "style", "head", "title", "template"))

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._silent += tag in self.SILENT
        if self.BREAKS.fullmatch(tag):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self.SILENT))
        if self.BREAKS.fullmatch(tag):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(" ".join(data.split()) + (" " if data[-1:].isspace() else ""))


def _of_html(html: str) -> str:
    reader = _Words()
    reader.feed(_UNCLOSED.sub("&lt;", _COMMENT.sub(" ", html[: 50 * TEXT_MAX])))
    reader.close()
    return "\n".join(each.strip() for each in "".join(reader.parts).split("\n"))


# Whoever writes mail is not known by that: most who are unknown sell something.
DECLARED = (Kind("email", contact, MEDIA_TYPE, BODY_MAX_BYTES, glance, keep, receipt=receipt, creates=False),)
