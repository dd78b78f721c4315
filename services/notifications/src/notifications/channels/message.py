"""An e-mail as the bytes that are handed over: plain text, or HTML beside it, its headers to the letter.

The library's own header objects decode encoded words in what they are given, so that a name could add
headers, and fold what is not ASCII wrongly. Here a value is ASCII as it stands, or encoded as a whole.
"""

import binascii
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from email.charset import Charset
from email.header import Header
from email.utils import format_datetime

from chassis.api.addresses import ATEXT, Address
from notifications.usecases.words import Words, one_line

_PHRASE = re.compile(rf"{ATEXT}+(?: {ATEXT}+)*")
_LINES = re.compile(r"[^\x00-\x1f\x7f]+(?:\r\n [^\x00-\x1f\x7f]+)*")
_PLAIN_MAX = 60  # what is longer is encoded, and so folded where it must be
_WORD_MAX = 900  # a line may have 998
_UTF8 = Charset("utf-8")


@dataclass(frozen=True, repr=False, slots=True)
class Mailbox:
    """An address with a name, which may be empty."""

    name: str
    address: Address


@dataclass(frozen=True, repr=False, slots=True)
class Mail:
    """One message. Personal: used once, never kept, never shown. `reply_to` may be absent.

    `unsubscribe_url` takes a POST by which the customer wants no more of its kind; empty for what they need.
    """

    message_id: str
    sender: Mailbox
    to: Mailbox
    reply_to: Address | None
    words: Words
    language_code: str
    time: datetime
    unsubscribe_url: str = ""

    @property
    def fingerprint(self) -> str:
        """Of what it says, SHA-256 in hex: the same for a repeat, whose link and signature may be others."""
        return hashlib.sha256(compose(replace(self, unsubscribe_url=""))).hexdigest()


def compose(mail: Mail) -> bytes:
    """The message. ValueError when a header cannot be written."""
    content, body = _content(mail)
    headers: dict[str, str | None] = {
        "From": _mailbox(mail.sender),
        "To": _mailbox(mail.to),
        "Reply-To": mail.reply_to.spec if mail.reply_to else None,
        "Subject": _text("Subject", mail.words.subject),
        "Date": format_datetime(mail.time),
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        # One click, RFC 8058.
        "List-Unsubscribe": f"<{mail.unsubscribe_url}>" if mail.unsubscribe_url else None,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" if mail.unsubscribe_url else None,
        "Content-Language": mail.language_code,
        "MIME-Version": "1.0",
        **content,
    }
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
    for line in lines:
        if not _LINES.fullmatch(line[:-2]):
            raise ValueError("a header holds what would begin another")
    return "".join(lines).encode() + b"\r\n" + body


def _content(mail: Mail) -> tuple[dict[str, str], bytes]:
    """The headers that say what the body is, and the body: one part, or two of which one is shown.

    What parts are parted by is the same each time that the message is made, and stands in no part: `=_` is
    nothing that quoted-printable writes.
    """
    plain = _part("plain", mail.words.body)
    if not mail.words.html:
        return plain
    parting = f"=_{hashlib.sha256(mail.message_id.encode()).hexdigest()[:32]}"
    body = b""
    for headers, content in (plain, _part("html", mail.words.html)):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body += f"--{parting}\r\n{lines}\r\n".encode() + content + b"\r\n"
    return (
        {"Content-Type": f'multipart/alternative; boundary="{parting}"'},
        body + f"--{parting}--\r\n".encode(),
    )


def _part(kind: str, text: str) -> tuple[dict[str, str], bytes]:
    headers = {
        "Content-Type": f'text/{kind}; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
    }
    lines = text.replace("\r\n", "\n").rstrip("\n").replace("\n", "\r\n") + "\r\n"
    return headers, binascii.b2a_qp(lines.encode(), istext=True)


def _mailbox(mailbox: Mailbox) -> str:
    name, spec = one_line(mailbox.name), mailbox.address.spec
    if not name:
        return spec
    if len(name) <= _PLAIN_MAX and _PHRASE.fullmatch(name) and "=?" not in name:
        return f"{name} <{spec}>"
    # As one word, however long: between two, parsers that are in use keep a blank that is not in the name.
    word = _UTF8.header_encode(name)
    while len(word) > _WORD_MAX:
        name = name[:-1]
        word = _UTF8.header_encode(name)
    return f"{word}\r\n <{spec}>"


def _text(header: str, text: str) -> str:
    text = one_line(text)
    plain = len(text) <= _PLAIN_MAX and text.isascii() and "=?" not in text
    return text if plain else Header(text, "utf-8", header_name=header).encode(linesep="\r\n")
