"""A token issuer for tests."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from chassis.context import Call

ISSUER = "test"


class TestIssuer:
    """Signs tokens with a key of its own, and publishes the key as a JWKS file."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public: dict[str, Any] = ECAlgorithm(ECAlgorithm.SHA256).to_jwk(self._key.public_key(), as_dict=True)
        path = folder / "jwks.json"
        path.write_text(json.dumps({"keys": [public | {"kid": "test", "use": "sig", "alg": "ES256"}]}))
        self.jwks_url = path.as_uri()

    def token(
        self,
        subject: str = "agent:alice",
        permissions: Iterable[str] = ("*",),
        department: str = "front-desk",
        lifetime_s: float = 600,
    ) -> str:
        """A signed token; a negative lifetime makes it expired."""
        now = time.time()
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "aud": "rapport",
            "iat": int(now) - 60,
            "exp": int(now + lifetime_s),
            "department": department,
            "permissions": list(permissions),
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": "test"})


def nobody_asks(call: Call, resources: str, refused: str) -> None:
    """Stands in for the audit of readings, where no database is."""
