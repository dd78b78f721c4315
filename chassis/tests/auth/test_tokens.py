"""Tokens, and the issuer's keys behind them."""

import base64
import json
import time
from pathlib import Path
from typing import Any, cast

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from chassis.auth.tokens import Verifier
from chassis.context import Principal
from chassis.errors import Unauthenticated


async def refusal(verifier: Verifier, header: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await verifier.verify(header)
    return caught.value.reason


@pytest.mark.parametrize("verb", ["read", "write"])
def test_every_verb_of_a_service_is_not_to_run_it(verb: str) -> None:
    needed = f"cases.operations.{verb}"
    assert Principal("agent:sre", permissions=frozenset({needed})).may(needed)
    assert Principal("agent:sre", permissions=frozenset({"*"})).may(needed)
    assert not Principal("agent:lead", permissions=frozenset({"cases.*"})).may(needed)


async def test_a_token_names_its_principal(own: Any, verifier: Verifier) -> None:
    principal = await verifier.verify(own.header())
    assert (principal.subject, principal.department) == ("agent:alice", "billing")
    assert principal.may("cases.cases.read")
    assert not principal.may("cases.cases.write")


async def test_an_issuer_whose_subjects_have_another_form_says_who_acts_in_a_claim(
    own: Any, verifier: Verifier
) -> None:
    mapped = own.header(sub="system:serviceaccount:billing:worker", rapport_sub="service:billing")
    assert (await verifier.verify(mapped)).subject == "service:billing"


async def test_scopes_stand_in_for_permissions(own: Any, verifier: Verifier) -> None:
    principal = await verifier.verify(own.header(permissions=None, scope="cases.* loyalty.transfers.read"))
    assert principal.permissions == {"cases.*", "loyalty.transfers.read"}


@pytest.mark.parametrize("missing", ["sub", "aud", "exp", "iat", "iss"])
async def test_a_token_without_a_required_claim_is_refused(
    own: Any, verifier: Verifier, missing: str
) -> None:
    assert await refusal(verifier, own.header(**{missing: cast(Any, None)})) == "TOKEN_INVALID"


async def test_a_token_for_somebody_else_or_of_another_issuer_is_refused(
    own: Any, verifier: Verifier
) -> None:
    assert await refusal(verifier, own.header(aud="payroll")) == "TOKEN_INVALID"
    assert await refusal(verifier, own.header(iss="https://other.example")) == "TOKEN_INVALID"


async def test_a_token_lives_for_a_day_at_most(own: Any, verifier: Verifier) -> None:
    await verifier.verify(own.header(lifetime_s=24 * 3600))
    for lifetime_s in (24 * 3600 + 2, 10 * 365 * 24 * 3600, 10.0**15):
        assert await refusal(verifier, own.header(lifetime_s=lifetime_s)) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": ""},
        {"sub": "agent:a\0"},
        {"sub": "agent:a\ud800"},
        {"sub": "agent:a\r\nNats-Msg-Id: 1"},
        {"sub": "agent:\u202eecila"},
        {"sub": "agent:\u3164"},
        {"sub": " "},
        {"sub": "agent:alice "},
        {"sub": "\u00a0agent:alice"},
        {"sub": "\u0301"},
        {"sub": f"agent:{'a' * 64}"},
        {"sub": "alice"},
        {"sub": "Agent:alice"},
        {"sub": "agent:a/b"},
        {"sub": "agent:alice@example.com"},
        {"sub": "auth0|5f7c"},
        {"sub": "system:serviceaccount:billing:worker"},
        {"sub": "clock"},
        {"rapport_sub": "alice@example.com"},
        {"rapport_sub": ""},
        {"sub": 7},
        {"department": "billing\0"},
        {"department": "\udfff"},
        {"department": "Billing department"},
        {"department": "departments/billing"},
        {"department": ["billing"]},
        {"exp": float("inf")},
        {"iat": float("nan")},
    ],
    ids=ascii,
)
async def test_names_that_no_row_can_hold_are_refused(
    own: Any, verifier: Verifier, claims: dict[str, Any]
) -> None:
    assert await refusal(verifier, own.header(**claims)) == "TOKEN_INVALID"


async def test_brackets_within_brackets_are_no_token(verifier: Verifier) -> None:
    header = base64.urlsafe_b64encode(b"[" * 9000).decode().rstrip("=")
    assert await refusal(verifier, f"Bearer {header}.e30.e30") == "TOKEN_INVALID"


async def test_clocks_may_differ_by_half_a_minute(own: Any, verifier: Verifier) -> None:
    await verifier.verify(own.header(lifetime_s=-25))
    assert await refusal(verifier, own.header(lifetime_s=-35)) == "TOKEN_EXPIRED"
    await verifier.verify(own.header(iat=int(time.time() + 25)))
    assert await refusal(verifier, own.header(iat=int(time.time() + 35))) == "TOKEN_INVALID"


@pytest.mark.parametrize("permissions", [{"a": 1}, [1], 7])
async def test_malformed_permissions_are_refused(own: Any, verifier: Verifier, permissions: Any) -> None:
    assert await refusal(verifier, own.header(permissions=permissions)) == "TOKEN_INVALID"


async def test_a_public_key_cannot_be_used_as_a_shared_secret(own: Any, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(RSAAlgorithm(RSAAlgorithm.SHA256).to_jwk(key.public_key())) | {"kid": "one"}
    secret = {
        "kty": "oct",
        "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA",
        "kid": "two",
        "alg": "HS256",
    }
    path = tmp_path / "more.json"
    path.write_text(json.dumps({"keys": [public, secret]}))
    body = jwt.decode(own.header()[7:], options={"verify_signature": False})
    forged = jwt.encode(
        body, b"secret-secret-secret-secret-secret", algorithm="HS256", headers={"kid": "two"}
    )
    assert await refusal(Verifier(path.as_uri(), "issuer"), f"Bearer {forged}") == "TOKEN_INVALID"
    forged = jwt.encode(body, b"x" * 64, algorithm="HS256", headers={"kid": "one"})
    assert await refusal(Verifier(path.as_uri(), "issuer"), f"Bearer {forged}") == "TOKEN_INVALID"
    unsigned = jwt.encode(body, "", algorithm="none", headers={"kid": "one"})
    assert await refusal(Verifier(path.as_uri(), "issuer"), f"Bearer {unsigned}") == "TOKEN_INVALID"


async def test_a_verified_token_is_known_until_it_expires(
    own: Any, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = own.header(lifetime_s=60)
    assert verifier.known(header) is None
    principal = await verifier.verify(header)
    assert verifier.known(header) is principal
    monkeypatch.setattr(time, "time", lambda: 10.0**10)
    assert verifier.known(header) is None


def test_only_https_and_files_hold_keys() -> None:
    with pytest.raises(ValueError, match="https:// or file://"):
        Verifier("http://issuer.example/jwks.json", "issuer")
