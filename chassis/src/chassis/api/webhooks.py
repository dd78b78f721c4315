"""What a webhook is signed with, by who sends it and by who takes it: Standard Webhooks."""

import base64
import hmac

SECRET_MIN_BYTES = 24
_PREFIX = "whsec_"


def require_key(secret: str) -> str:
    """The secret. ValueError for one that nothing can be signed with, or that is too short."""
    if len(_bytes(secret)) < SECRET_MIN_BYTES:
        raise ValueError(f"must be of at least {SECRET_MIN_BYTES} bytes")
    return secret


def signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """What stands after `v1,` in `webhook-signature`: HMAC-SHA256 in base64, of what the headers say."""
    content = f"{id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(_bytes(secret), content, "sha256")).decode()


def _bytes(secret: str) -> bytes:
    """The key that a secret is: `whsec_` with base64, or text."""
    if secret.startswith(_PREFIX):
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    return secret.encode()
