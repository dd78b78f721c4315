"""E-mail addresses as they are written on the wire: one meaning of "an address" for input and for mail."""

import re
import unicodedata
from dataclasses import dataclass

import idna

from chassis.visible import hides_something

ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_ATOM = re.compile(rf"{ATEXT}+(?:\.{ATEXT}+)*")
_DOMAIN = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_LOCAL = re.compile(r"[^\s\x00-\x20\x7f-\xa0\ud800-\udfff]+")
_ENCODED_WORD = re.compile(r"=\?.*\?=")  # an address that means something else to whoever decodes it
_LOCAL_MAX, _ADDRESS_MAX = 64, 254


@dataclass(frozen=True, repr=False, slots=True)
class Address:
    """An address: the domain in ASCII, the local part quoted where it must be. Personal.

    One that `needs_utf8` can be taken by servers with SMTPUTF8 alone.
    """

    spec: str
    needs_utf8: bool

    @property
    def domain(self) -> str:
        return self.spec.rpartition("@")[2]


def address_of(text: str) -> Address | None:
    """The address that a text is; None when it is none. At most 254 bytes, 64 of them before the @."""
    local, _, domain = unicodedata.normalize("NFC", text).rpartition("@")
    ascii_domain = _ascii_domain(domain)
    if not _LOCAL.fullmatch(local) or _ENCODED_WORD.search(text) or not ascii_domain or hides_something(text):
        return None
    if len(local.encode()) > _LOCAL_MAX:
        return None
    if local.isascii() and not _DOT_ATOM.fullmatch(local):  # such as the dots of some mobile providers
        escaped = re.sub(r'(["\\])', r"\\\1", local)
        local = f'"{escaped}"'
    spec = f"{local}@{ascii_domain}"
    return Address(spec, not local.isascii()) if len(spec.encode()) <= _ADDRESS_MAX else None


def _ascii_domain(domain: str) -> str:
    """As in the DNS; empty when it is no name. IDNA 2008, so that `straße` and `strasse` are two."""
    if domain.isascii():
        return domain if _DOMAIN.fullmatch(domain) else ""
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
