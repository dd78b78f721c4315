"""The issuer's keys: rotated, withdrawn, without ids, out of reach, and asked for by a flood of strangers."""

import asyncio
import json
import threading
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from chassis.auth import keys
from chassis.auth.tokens import Verifier
from chassis.errors import Unauthenticated, Unavailable
from rapport_testing.wait import eventually


async def refusal(verifier: Verifier, header: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await verifier.verify(header)
    return caught.value.reason


class Slow:
    """Stands between a verifier and its issuer: counts the readings, and holds them until told."""

    def __init__(self, verifier: Verifier) -> None:
        self.readings = 0
        self.go = threading.Event()
        document = verifier.keys._document

        def read() -> bytes:
            self.readings += 1
            self.go.wait(10)
            return document()

        verifier.keys._document = read  # type: ignore[method-assign]


async def test_the_first_token_of_a_new_key_is_good(own: Any, verifier: Verifier) -> None:
    await verifier.verify(own.header())
    own.add("two")
    assert (await verifier.verify(own.header("two"))).subject == "agent:alice"


async def test_a_token_of_an_invented_key_does_not_shut_out_those_of_a_new_one(
    own: Any, verifier: Verifier
) -> None:
    await verifier.verify(own.header())
    own.keys["invented"] = ec.generate_private_key(ec.SECP256R1())
    assert await refusal(verifier, own.header("invented")) == "TOKEN_INVALID"
    del own.keys["invented"]
    own.add("two")
    assert (await verifier.verify(own.header("two"))).subject == "agent:alice"


async def test_a_flood_of_invented_keys_reads_once_and_the_rest_come_again(
    own: Any, verifier: Verifier
) -> None:
    await verifier.verify(own.header())
    issuer = Slow(verifier)
    own.keys["invented"] = ec.generate_private_key(ec.SECP256R1())
    floods = [
        asyncio.create_task(verifier.verify(own.header("invented", sub=f"agent:{n}")))
        for n in range(keys.WAITING_MAX + 100)
    ]
    await asyncio.sleep(0)
    issuer.go.set()
    outcomes = [type(outcome) for outcome in await asyncio.gather(*floods, return_exceptions=True)]
    assert outcomes.count(Unauthenticated) == keys.WAITING_MAX
    assert outcomes.count(Unavailable) == 100
    assert issuer.readings <= 2
    assert (await verifier.verify(own.header())).subject == "agent:alice"


async def test_who_asks_while_the_first_keys_are_read_waits_for_those(own: Any, verifier: Verifier) -> None:
    slow = Slow(verifier)
    timer = asyncio.create_task(verifier.keys.run())
    await eventually(lambda: slow.readings == 1)
    asking = asyncio.create_task(verifier.verify(own.header()))
    await eventually(lambda: verifier.keys._waiting == 2)
    slow.go.set()
    assert (await asking).subject == "agent:alice"
    assert slow.readings == 1
    timer.cancel()


async def test_the_same_bad_token_again_asks_nobody(own: Any, verifier: Verifier) -> None:
    issuer = Slow(verifier)
    issuer.go.set()
    own.keys["invented"] = ec.generate_private_key(ec.SECP256R1())
    header = own.header("invented")
    for _ in range(5):
        assert await refusal(verifier, header) == "TOKEN_INVALID"
    assert issuer.readings == 1


async def test_a_withdrawn_key_works_no_longer_once_that_is_noticed(own: Any, verifier: Verifier) -> None:
    own.add("two")
    seen, unseen = own.header("one"), own.header("one", sub="agent:bob")
    await verifier.verify(seen)
    signer = own.keys.pop("one")
    own.publish()
    own.keys["one"] = signer
    await verifier.keys.newer()
    assert verifier.known(seen) is None
    for header in (seen, unseen):
        assert await refusal(verifier, header) == "TOKEN_INVALID"


async def test_a_key_that_stays_keeps_its_tokens_when_others_come(own: Any, verifier: Verifier) -> None:
    header = own.header()
    await verifier.verify(header)
    own.add("two")
    await verifier.keys.newer()
    assert (await verifier.verify(header)).subject == "agent:alice"


async def test_an_issuer_that_withdraws_every_key_has_none(own: Any, verifier: Verifier) -> None:
    header = own.header()
    await verifier.verify(header)
    own.path.write_text('{"keys": []}')
    await verifier.keys.newer()
    assert await refusal(verifier, header) == "TOKEN_INVALID"


async def test_the_keys_are_read_on_a_timer(
    own: Any, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "REFRESH_S", 0.01)
    header = own.header()
    await verifier.verify(header)
    running = asyncio.create_task(verifier.keys.run())
    own.path.write_text('{"keys": []}')
    await eventually(lambda: verifier.known(header) is None)
    running.cancel()


async def test_a_caller_that_goes_away_takes_nobodys_keys_with_it(own: Any, verifier: Verifier) -> None:
    issuer = Slow(verifier)
    first = asyncio.create_task(verifier.verify(own.header()))
    others = [asyncio.create_task(verifier.verify(own.header(sub=f"agent:{n}"))) for n in range(3)]
    await eventually(lambda: issuer.readings)
    first.cancel()
    issuer.go.set()
    assert [principal.subject for principal in await asyncio.gather(*others)] == [
        "agent:0",
        "agent:1",
        "agent:2",
    ]
    assert issuer.readings == 1


async def test_an_issuer_that_cannot_be_read_is_not_the_callers_fault(
    own: Any, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RETRY_S", 60.0)
    issuer = Slow(verifier)
    issuer.go.set()
    own.path.unlink()
    for _ in range(3):  # the first finds out; calls do not queue up for an issuer that is down
        with pytest.raises(Unavailable) as caught:
            await verifier.verify(own.header())
        assert (caught.value.reason, caught.value.retry_after_s) == ("ISSUER_UNAVAILABLE", 60.0)
    assert issuer.readings == 1
    own.publish()
    monkeypatch.setattr(keys, "RETRY_S", 0)
    assert (await verifier.verify(own.header())).subject == "agent:alice"


@pytest.mark.parametrize("document", ["", "[]", "{}", '{"keys": 7}', "[" * 100_000, " " * 2**20 + "{}"])
async def test_keys_outlive_an_issuer_that_answers_nonsense(
    own: Any, verifier: Verifier, document: str
) -> None:
    await verifier.verify(own.header())
    own.path.write_text(document)
    with pytest.raises(Unavailable):
        await verifier.keys.newer()
    assert (await verifier.verify(own.header(sub="agent:bob"))).subject == "agent:bob"


def publish(own: Any, *published: dict[str, Any]) -> None:
    own.path.write_text(
        json.dumps({"keys": [{"kty": "new kind"}, 7, {"kty": "EC", "use": "enc"}, *published]})
    )


@pytest.mark.parametrize("kid", [None, "of the issuer's own"])
async def test_keys_without_ids_are_tried(own: Any, verifier: Verifier, kid: str | None) -> None:
    published = json.loads(own.path.read_text())["keys"][0]
    del published["kid"], published["alg"]
    publish(own, published)
    header = {} if kid is None else {"kid": kid}
    body = jwt.decode(own.header()[7:], options={"verify_signature": False})
    token = jwt.encode(body, own.keys["one"], "ES256", headers=header)
    assert (await verifier.verify(f"Bearer {token}")).subject == "agent:alice"
    forged = jwt.encode(body, ec.generate_private_key(ec.SECP256R1()), "ES256", headers=header)
    assert await refusal(verifier, f"Bearer {forged}") == "TOKEN_INVALID"


async def test_a_token_that_names_no_key_is_not_of_one_that_has_a_name(own: Any, verifier: Verifier) -> None:
    body = jwt.decode(own.header()[7:], options={"verify_signature": False})
    token = jwt.encode(body, own.keys["one"], "ES256")
    assert await refusal(verifier, f"Bearer {token}") == "TOKEN_INVALID"


@pytest.mark.parametrize("algorithm", ["RS256", "PS384"])
async def test_a_key_that_names_no_algorithm_serves_all_of_its_type(
    own: Any, verifier: Verifier, algorithm: str
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    published = json.loads(RSAAlgorithm(RSAAlgorithm.SHA256).to_jwk(key.public_key()))
    publish(own, published | {"kid": "rsa"})
    body = jwt.decode(own.header()[7:], options={"verify_signature": False})
    token = jwt.encode(body, key, algorithm, headers={"kid": "rsa"})
    assert (await verifier.verify(f"Bearer {token}")).subject == "agent:alice"


async def test_a_forged_token_costs_no_reading(own: Any, verifier: Verifier) -> None:
    await verifier.verify(own.header())
    issuer = Slow(verifier)
    body = jwt.decode(own.header()[7:], options={"verify_signature": False})
    stranger = ec.generate_private_key(ec.SECP256R1())
    for forged in (
        jwt.encode(body, stranger, "ES256", headers={"kid": "one"}),
        jwt.encode(body, "", "none", headers={"kid": "invented"}),
        jwt.encode(body, "secret" * 8, "HS256", headers={"kid": "invented"}),
    ):
        assert await refusal(verifier, f"Bearer {forged}") == "TOKEN_INVALID"
    assert issuer.readings == 0
