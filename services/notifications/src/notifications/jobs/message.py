"""An e-mail as the bytes that are handed over: plain text, every header written by us to the letter.

The library's own header objects decode encoded words in what they are given, so that a name could add
headers, and fold what is not ASCII wrongly. Here a value is ASCII as it stands, or encoded as a whole.
"""

import binascii
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

import idna

from notifications.usecases.words import Words, one_line

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_PHRASE = re.compile(rf"{_ATEXT}+(?: {_ATEXT}+)*")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_LOCAL = re.compile(r"[^\s\x00-\x20\x7f-\xa0\ud800-\udfff]+")
_LINES = re.compile(r"[^\x00-\x1f\x7f]+(?:\r\n [^\x00-\x1f\x7f]+)*")
_PLAIN_MAX = 60  # what is longer is encoded, and so folded where it must be
_LOCAL_MAX, _ADDRESS_MAX = 64, 254


@dataclass(frozen=True, repr=False, slots=True)
class Address:
    """An address as it is written on the wire: the domain in ASCII, the local part quoted where it must be.

    Attributes:
        needs_utf8: whether only a server with SMTPUTF8 can take it.

    """

    spec: str
    needs_utf8: bool

    @property
    def domain(self) -> str:
        """The domain."""
        return self.spec.rpartition("@")[2]


@dataclass(frozen=True, repr=False, slots=True)
class Mailbox:
    """An address with a name, which may be empty."""

    name: str
    address: Address


@dataclass(frozen=True, repr=False, slots=True)
class Mail:
    """One message. Personal: used once, never kept, never shown. `reply_to` may be absent."""

    message_id: str
    sender: Mailbox
    to: Mailbox
    reply_to: Address | None
    words: Words
    language_code: str
    time: datetime


def address_of(text: str) -> Address | None:
    """The address that a text is; None when it is none."""
    local, _, domain = unicodedata.normalize("NFC", text).rpartition("@")
    ascii_domain = _ascii_domain(domain)
    if not _LOCAL.fullmatch(local) or not ascii_domain or len(local.encode()) > _LOCAL_MAX:
        return None
    if local.isascii() and not _DOT_ATOM.fullmatch(local):  # such as the dots of some mobile providers
        escaped = re.sub(r'(["\\])', r"\\\1", local)
        local = f'"{escaped}"'
    spec = f"{local}@{ascii_domain}"
    return Address(spec, not local.isascii()) if len(spec.encode()) <= _ADDRESS_MAX else None


def compose(mail: Mail) -> bytes:
    """The message. ValueError when a header cannot be written."""
    text = mail.words.body.replace("\r\n", "\n").rstrip("\n") + "\n"
    headers = {
        "From": _mailbox("From", mail.sender),
        "To": _mailbox("To", mail.to),
        "Reply-To": mail.reply_to.spec if mail.reply_to else "",
        "Subject": _text("Subject", mail.words.subject),
        "Date": format_datetime(mail.time),
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "Content-Language": mail.language_code,
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
    }
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value]
    for line in lines:
        if not _LINES.fullmatch(line[:-2]):
            raise ValueError("a header holds what would begin another")
    body = binascii.b2a_qp(text.replace("\n", "\r\n").encode(), istext=True)
    return "".join(lines).encode() + b"\r\n" + body


def _mailbox(header: str, mailbox: Mailbox) -> str:
    name, spec = one_line(mailbox.name), mailbox.address.spec
    if not name:
        return spec
    if len(name) <= _PLAIN_MAX and _PHRASE.fullmatch(name) and "=?" not in name:
        return f"{name} <{spec}>"
    return f"{_encoded(header, name)}\r\n <{spec}>"


def _text(header: str, text: str) -> str:
    text = one_line(text)
    plain = len(text) <= _PLAIN_MAX and text.isascii() and "=?" not in text
    return text if plain else _encoded(header, text)


def _encoded(header: str, text: str) -> str:
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain if _DOMAIN.fullmatch(domain) else ""
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
