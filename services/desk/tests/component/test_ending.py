"""An operator signs somebody out everywhere, and the audit has who did it."""

from typing import Any

import pytest

from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

ALICE = {"agent": "agents/alice"}


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """A desk alone."""
    return await open_desk()


async def test_every_session_of_a_person_ends_and_nobody_elses(desk: Any, infrastructure: Any) -> None:
    browsers = [await desk.signed_in() for _ in range(2)]
    bob = await desk.signed_in("agent:bob")
    nils = desk.client(token=desk.token("agent:nils", ["desk.operations.write"], "platform", 600).access)
    answer = await nils.post("/sessions:end", json=ALICE)
    assert (answer.status_code, answer.json()) == (200, {"ended": 2})
    assert answer.headers["cache-control"] == "no-store"

    async def led() -> list[bool]:
        answers = [await each.get("/call") for each in (*browsers, bob)]
        return ["/sign-in" in each.headers["location"] for each in answers]

    async def are_out() -> bool:
        return await led() == [True, True, False]

    await eventually(are_out)
    assert (await nils.post("/sessions:end", json=ALICE)).json() == {"ended": 0}

    async def audited() -> list[Any]:
        async with infrastructure.superuser(desk.running.db._url) as on:
            return await on.fetch("SELECT * FROM audit WHERE what = 'desk.SignOutEverywhere'")

    first = (await eventually(audited))[0]
    assert (first["actor"], first["resources"]) == ("agent:nils", "agents/alice")


@pytest.mark.parametrize(
    ("how", "body", "status", "reason"),
    [
        ({}, ALICE, 403, "PERMISSION_DENIED"),
        ({"authorization": ""}, ALICE, 401, "TOKEN_MISSING"),
        ({"authorization": "Bearer none"}, ALICE, 401, "TOKEN_INVALID"),
    ],
)
async def test_who_may_not_is_refused(desk: Any, how: Any, body: Any, status: int, reason: str) -> None:
    await desk.session()
    asker = desk.client("desk.operations.read", "desk.*")
    answer = await asker.post("/sessions:end", json=body, headers=how)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert await desk.gate.sessions.end_all("agent:alice") == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"agent": 5}', b'{"agent": "alice"}', b'{"agent": "x/y"}']
)
async def test_what_names_nobody_is_refused(desk: Any, body: bytes) -> None:
    asker, told = desk.client(), {"content-type": "application/json"}
    answer = await asker.post("/sessions:end", content=body, headers=told)
    assert (answer.status_code, answer.json()["reason"]) == (400, "INVALID_NAME")
    assert (await asker.post("/sessions:end", content=b" " * 2000, headers=told)).status_code == 413
    assert (await asker.get("/sessions:end")).status_code == 405
