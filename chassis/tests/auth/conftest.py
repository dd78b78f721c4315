"""An issuer whose keys a test changes as it likes."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from chassis.auth import keys
from chassis.auth.tokens import Verifier

CLAIMS = {
    "iss": "issuer",
    "sub": "agent:alice",
    "aud": "rapport",
    "department": "billing",
    "permissions": ["cases.cases.read"],
}


class Issuer:
    """Publishes keys in a file and signs with them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: dict[str, Any] = {}
        self.publish()

    def add(self, kid: str) -> None:
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())
        self.publish()

    def publish(self) -> None:
        public = [
            json.loads(ECAlgorithm(ECAlgorithm.SHA256).to_jwk(key.public_key()))
            | {"kid": kid, "alg": "ES256"}
            for kid, key in self.keys.items()
        ]
        self.path.write_text(json.dumps({"keys": public}))

    def header(self, kid: str = "one", *, lifetime_s: float = 60, **claims: Any) -> str:
        now = time.time()
        body = {"iat": int(now), "exp": int(now + lifetime_s)} | CLAIMS | claims
        body = {key: value for key, value in body.items() if value is not None}
        return "Bearer " + jwt.encode(body, self.keys[kid], algorithm="ES256", headers={"kid": kid})


@pytest.fixture
def own(tmp_path: Path) -> Issuer:
    made = Issuer(tmp_path / "jwks.json")
    made.add("one")
    return made


@pytest.fixture
def verifier(own: Issuer, monkeypatch: pytest.MonkeyPatch) -> Verifier:
    """Reads the issuer's keys without the pauses between readings."""
    monkeypatch.setattr(keys, "AGAIN_S", 0)
    monkeypatch.setattr(keys, "RETRY_S", 0)
    return Verifier(own.path.as_uri(), "issuer")
