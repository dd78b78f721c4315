"""Tokens, and the issuer's keys behind them."""

import json
import time
from pathlib import Path
from typing import Any, cast

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from chassis.auth import tokens
from chassis.auth.tokens import Verifier
from chassis.errors import Unauthenticated, Unavailable

CLAIMS = {
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
def verifier(own: Issuer) -> Verifier:
    return Verifier(own.path.as_uri())


async def refusal(verifier: Verifier, header: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await verifier.verify(header)
    return caught.value.reason


async def test_a_token_names_its_principal(own: Issuer, verifier: Verifier) -> None:
    principal = await verifier.verify(own.header())
    assert (principal.subject, principal.department) == ("agent:alice", "billing")
    assert principal.may("cases.cases.read")
    assert not principal.may("cases.cases.write")


async def test_scopes_stand_in_for_permissions(own: Issuer, verifier: Verifier) -> None:
    principal = await verifier.verify(own.header(permissions=None, scope="cases.* loyalty.transfers.read"))
    assert principal.permissions == {"cases.*", "loyalty.transfers.read"}


@pytest.mark.parametrize("missing", ["sub", "aud", "exp", "iat"])
async def test_a_token_without_a_required_claim_is_refused(
    own: Issuer, verifier: Verifier, missing: str
) -> None:
    assert await refusal(verifier, own.header(**{missing: cast(Any, None)})) == "TOKEN_INVALID"


async def test_a_token_for_somebody_else_is_refused(own: Issuer, verifier: Verifier) -> None:
    assert await refusal(verifier, own.header(aud="payroll")) == "TOKEN_INVALID"


async def test_clocks_may_differ_by_half_a_minute(own: Issuer, verifier: Verifier) -> None:
    await verifier.verify(own.header(lifetime_s=-25))
    assert await refusal(verifier, own.header(lifetime_s=-35)) == "TOKEN_EXPIRED"
    await verifier.verify(own.header(iat=int(time.time() + 25)))
    assert await refusal(verifier, own.header(iat=int(time.time() + 35))) == "TOKEN_INVALID"


@pytest.mark.parametrize("permissions", [{"a": 1}, [1], 7])
async def test_malformed_permissions_are_refused(own: Issuer, verifier: Verifier, permissions: Any) -> None:
    assert await refusal(verifier, own.header(permissions=permissions)) == "TOKEN_INVALID"


async def test_a_public_key_cannot_be_used_as_a_shared_secret(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(RSAAlgorithm(RSAAlgorithm.SHA256).to_jwk(key.public_key())) | {"kid": "one"}
    secret = {
        "kty": "oct",
        "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA",
        "kid": "two",
        "alg": "HS256",
    }
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [public, secret]}))
    body = {"iat": int(time.time()), "exp": int(time.time() + 60)} | CLAIMS
    forged = jwt.encode(
        body, b"secret-secret-secret-secret-secret", algorithm="HS256", headers={"kid": "two"}
    )
    assert await refusal(Verifier(path.as_uri()), f"Bearer {forged}") == "TOKEN_INVALID"
    forged = jwt.encode(body, b"x" * 64, algorithm="HS256", headers={"kid": "one"})
    assert await refusal(Verifier(path.as_uri()), f"Bearer {forged}") == "TOKEN_INVALID"
    unsigned = jwt.encode(body, "", algorithm="none", headers={"kid": "one"})
    assert await refusal(Verifier(path.as_uri()), f"Bearer {unsigned}") == "TOKEN_INVALID"


async def test_a_new_key_is_found_when_a_token_names_it(
    own: Issuer, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(own.header())
    own.add("two")
    assert await refusal(verifier, own.header("two")) == "TOKEN_INVALID"  # asked a moment ago
    monkeypatch.setattr(tokens, "REFETCH_AFTER_S", 0)
    assert (await verifier.verify(own.header("two"))).subject == "agent:alice"


async def test_a_withdrawn_key_is_forgotten(
    own: Issuer, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.add("two")
    header = own.header("one", sub="agent:bob")
    await verifier.verify(own.header("one"))
    del own.keys["one"]
    own.publish()
    monkeypatch.setattr(tokens, "REFETCH_AFTER_S", 0)
    monkeypatch.setattr(tokens, "KEYS_MAX_AGE_S", 0)
    assert await refusal(verifier, header) == "TOKEN_INVALID"


async def test_an_issuer_that_cannot_be_read_is_not_the_callers_fault(
    own: Issuer, verifier: Verifier
) -> None:
    header = own.header()
    own.path.unlink()
    with pytest.raises(Unavailable) as caught:
        await verifier.verify(header)
    assert caught.value.reason == "ISSUER_UNAVAILABLE"
    own.publish()
    with pytest.raises(Unavailable):  # asked a moment ago: calls do not queue up for an issuer that is down
        await verifier.verify(header)


async def test_keys_outlive_an_issuer_that_is_down(
    own: Issuer, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(own.header())
    own.path.unlink()
    monkeypatch.setattr(tokens, "REFETCH_AFTER_S", 0)
    monkeypatch.setattr(tokens, "KEYS_MAX_AGE_S", 0)
    assert (await verifier.verify(own.header(sub="agent:bob"))).subject == "agent:bob"


async def test_a_verified_token_is_known_until_it_expires(
    own: Issuer, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = own.header(lifetime_s=60)
    assert verifier.known(header) is None
    principal = await verifier.verify(header)
    assert verifier.known(header) is principal
    monkeypatch.setattr(time, "time", lambda: 10.0**10)
    assert verifier.known(header) is None


def test_only_https_and_files_hold_keys() -> None:
    with pytest.raises(ValueError, match="https:// or file://"):
        Verifier("http://issuer.example/jwks.json")
