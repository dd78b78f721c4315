"""DKIM (RFC 6376): under each message stands which domain vouches for it."""

from dataclasses import dataclass

import dkim

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
_CANONICAL = (b"relaxed", b"relaxed")  # what relays do to blanks breaks no signature
_ALGORITHM = b"rsa-sha256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the RSA key whose public half DNS has at `{selector}._domainkey.{domain}`."""

    domain: str
    selector: str
    key: bytes  # PEM

    def __repr__(self) -> str:
        return f"Signer({self.domain}, {self.selector})"

    def sign(self, content: bytes) -> bytes:
        """The message, signed. ValueError when the key is none."""
        try:
            signature = dkim.sign(
                content,
                self.selector.encode(),
                self.domain.encode(),
                self.key,
                canonicalize=_CANONICAL,
                signature_algorithm=_ALGORITHM,
                include_headers=list(SIGNED),
            )
        except (dkim.DKIMException, ValueError, IndexError):
            raise ValueError("the key of our signature must be an RSA key in PEM") from None
        return bytes(signature) + content
