"""The local token issuer: what an OpenID Connect provider is in production, as two files.

The signing key lies in `keys/signing.pem` (0600), the public key in `keys/jwks.json`, which services read
by a `file://` URL exactly as they read a provider's `https://` one.
"""

import json
import os
import re
import time
from collections.abc import Iterable

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from chassis.names import CODE
from rapport_testing.engines.process import WrongUse
from rapport_tools.local.home import Home, write_private
from rapport_tools.local.roles import ROLES

AUDIENCE = "rapport"
ISSUER = "rapport-local"
DEMO = "agent:demo"
LIFETIME_S = 3600
SERVICE_LIFETIME_S = 3600
RENEW_SERVICES_EVERY_S = 900


class Issuer:
    """Signs tokens for people and services of one stack. The key is made when first needed."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._key_file = home.keys / "signing.pem"
        self.jwks_file = home.keys / "jwks.json"
        if not self._key_file.exists() or not self.jwks_file.exists():
            self._generate()
        key = load_pem_private_key(self._key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self._key_id = str(json.loads(self.jwks_file.read_text())["keys"][0]["kid"])

    @property
    def jwks_url(self) -> str:
        """Where services read the public key."""
        return self.jwks_file.as_uri()

    def token(
        self, subject: str, permissions: Iterable[str], department: str = "", lifetime_s: int = LIFETIME_S
    ) -> str:
        """A signed token for `agent:alice`, `service:cases`, ... with exactly these permissions."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + lifetime_s,
            "department": department,
            "permissions": sorted(permissions),
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def token_as(self, who: str, department: str = "", lifetime_s: int = LIFETIME_S) -> str:
        """A token for `agent:NAME`, who may what the role of `ROLE:NAME` may; `DEMO` everything. WrongUse."""
        role, _, name = who.partition(":")
        if role not in ROLES or not re.fullmatch(CODE, name):
            raise WrongUse(
                f"{who!r} is not ROLE:NAME. Roles are {', '.join(ROLES)}; an example is agent:alice."
            )
        return self.token(f"agent:{name}", {"*"} if who == DEMO else ROLES[role], department, lifetime_s)

    def write_service_token(self, service: str, permissions: Iterable[str]) -> None:
        """Write or renew `tokens/<service>`, the identity of a service at other services."""
        token = self.token(f"service:{service}", permissions, service, SERVICE_LIFETIME_S)
        write_private(self._home.tokens / service, token)

    def _generate(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        public = ECAlgorithm(ECAlgorithm.SHA256).to_jwk(key.public_key(), as_dict=True)
        key_set = {"keys": [public | {"kid": os.urandom(8).hex(), "use": "sig", "alg": "ES256"}]}
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(self._key_file, pem.decode())
        write_private(self.jwks_file, json.dumps(key_set))
