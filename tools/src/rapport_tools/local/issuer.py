"""The local token issuer: what an OpenID Connect provider is in production, as two files.

The signing key lies in `keys/signing.pem` (0600), the public key in `keys/jwks.json`, which services read
by a `file://` URL exactly as they read a provider's `https://` one. The `iss` of its tokens is the URL at
which `rapport_tools.local.provider` signs people in.
"""

import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

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
from rapport_testing.engines.ports import LOOPBACK, port_base
from rapport_testing.engines.process import WrongUse, write_private
from rapport_tools.local.home import Home
from rapport_tools.local.roles import ROLES

AUDIENCE = "rapport"
CLIENT = "desk"  # what the desk is called where people sign in
CLIENT_SECRET = "desk-client"  # noqa: S105 - what the home's secret is called that goes with it
PORT_OFFSET = 1070  # of where people sign in, from the base of the stack's ports
DEMO = "agent:demo"
LIFETIME_S = 3600
SERVICE_LIFETIME_S = 3600
RENEW_SERVICES_EVERY_S = 900


def default_url(environ: Mapping[str, str]) -> str:
    """The issuer's name, unless a stack had to take another port."""
    return f"http://{LOOPBACK}:{port_base(environ) + PORT_OFFSET}"


class Issuer:
    """Signs tokens for people and services of one stack, as `url` or as at its last start.

    The key is made when first needed.
    """

    def __init__(self, home: Home, url: str = "") -> None:
        self._home = home
        last = {} if url else home.read_env()
        self.url = url or last.get("RAPPORT_ISSUER") or default_url({**last, **os.environ})
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
        return self.jwks_file.as_uri()

    def token(
        self, subject: str, permissions: Iterable[str], department: str = "", lifetime_s: int = LIFETIME_S
    ) -> str:
        """A signed token for `agent:alice`, `service:cases`, ... with exactly these permissions."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + lifetime_s,
            "department": department,
            "permissions": sorted(permissions),
        }
        return self.sign(claims)

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self._key, algorithm="ES256", headers={"kid": self._key_id})

    def read(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a JWT of ours that is for `audience`. jwt.PyJWTError."""
        return jwt.decode(
            token, self._key.public_key(), algorithms=["ES256"], audience=audience, issuer=self.url
        )

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
