"""DKIM (RFC 6376): under each message stands which domain vouches for it."""

import base64
import hashlib
import re
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# What a reader sees or a mail program acts on. Signed whether it is there or not: nobody adds it on the way.
SIGNED = (
    b"from",
    b"from",
    b"to",
    b"reply-to",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"content-language",
    b"auto-submitted",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)
_BLANKS = re.compile(rb"[ \t]+")
_FOLDS = re.compile(rb"\r\n(?=[ \t])")
_ENDS = re.compile(rb"[ \t]+(?=\r\n)")
_LINE = 72  # characters of a signature in a line


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the RSA key whose public half DNS has at `{selector}._domainkey.{domain}`.

    ValueError when the key is none.
    """

    domain: str
    selector: str
    key: bytes  # PEM
    _private: RSAPrivateKey = field(init=False, compare=False)

    def __post_init__(self) -> None:
        try:
            private = load_pem_private_key(self.key, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        if not isinstance(private, RSAPrivateKey):
            raise ValueError("the key of our signature must be an RSA key in PEM")
        object.__setattr__(self, "_private", private)

    def __repr__(self) -> str:
        return f"Signer({self.domain}, {self.selector})"

    def sign(self, content: bytes) -> bytes:
        """The message, signed. Its lines end with CRLF.

        What relays do to blanks breaks no signature: header and body are signed `relaxed`.
        """
        head, _, body = content.partition(b"\r\n\r\n")
        own = b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s;\r\n h=%s;\r\n bh=%s;\r\n b=" % (
            self.domain.encode(),
            self.selector.encode(),
            b":\r\n ".join((b":".join(SIGNED[:7]), b":".join(SIGNED[7:]))),
            base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()),
        )
        signed = [*_relaxed_headers(head), _relaxed(b"dkim-signature", own).removesuffix(b"\r\n")]
        value = base64.b64encode(self._private.sign(b"".join(signed), PKCS1v15(), SHA256()))
        lines = [value[start : start + _LINE] for start in range(0, len(value), _LINE)]
        return b"DKIM-Signature: " + own + b"\r\n ".join(lines) + b"\r\n" + content


def _relaxed_headers(head: bytes) -> list[bytes]:
    """The headers that are signed, in that order; each name takes the last of its that is not taken yet."""
    found: dict[bytes, list[bytes]] = {}
    for line in _FOLDS.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        found.setdefault(name.strip().lower(), []).append(value)
    return [_relaxed(name, found[name].pop()) for name in SIGNED if found.get(name)]


def _relaxed(name: bytes, value: bytes) -> bytes:
    """A header as it is signed, RFC 6376, 3.4.2."""
    return name + b":" + _BLANKS.sub(b" ", _FOLDS.sub(b"", value)).strip(b" ") + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    """A body as it is signed, RFC 6376, 3.4.4: of an empty one nothing."""
    kept = _BLANKS.sub(b" ", _ENDS.sub(b"", body)).rstrip(b"\r\n")
    return kept + b"\r\n" if kept else b""
