"""What a service says of whom it calls before anybody relies on it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.auth.tokens import Verifier
from chassis.grpc.client import Channels
from chassis.grpc.server import Server
from chassis.operations.reach import unreached
from rapport.operations.v1 import operations_service_pb2_grpc
from rapport_testing.engines.ports import free_port
from rapport_testing.tokens import ISSUER, TestIssuer, nobody_asks


class Operations(operations_service_pb2_grpc.OperationsServiceServicer):
    """Never asked: whoever asks here lacks the permission."""

    async def GetBacklog(self, request: Any, context: Any) -> Any:
        raise AssertionError


@pytest.fixture
async def server(issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The service loyalty, with its address as `server.at`."""
    found: Any = Server(
        "loyalty",
        [Operations()],  # type: ignore[abstract]
        Verifier(issuer.jwks_url, ISSUER),
        nobody_asks,
    )
    found.at = f"127.0.0.1:{await found.start('127.0.0.1', free_port())}"
    found.set_ready(True)
    yield found
    monkeypatch.setattr("chassis.grpc.server.QUIET_S", 0.001)  # nobody calls any more
    await found.stop(0)


async def asked(peers: dict[str, str], token: str = "", **probes: Any) -> list[str]:
    file = Path(token) if token else None
    channels = Channels(peers, file)
    try:
        return await unreached(channels, probes, known=bool(file), within_s=0)
    finally:
        await channels.close()


async def test_whoever_answers_and_knows_us_is_reached(
    server: Any, issuer: TestIssuer, tmp_path: Path
) -> None:
    """Though nothing is allowed to us there."""
    (tmp_path / "token").write_text(issuer.token("service:cases", permissions=[]))
    assert await asked({"loyalty": server.at}, str(tmp_path / "token")) == []
    assert await asked({"loyalty": server.at}) == []


async def test_a_token_that_nobody_believes_is_told(server: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("none")
    [said] = await asked({"loyalty": server.at}, str(tmp_path / "token"))
    assert said.startswith("loyalty: UNAUTHENTICATED: ")


async def test_who_is_not_ready_is_not_reached(server: Any) -> None:
    server.set_ready(False)
    assert await asked({"loyalty": server.at}) == ["loyalty: NotServing: answers, and is not ready"]


async def test_each_that_is_away_is_told_and_so_is_what_is_no_service(server: Any) -> None:
    async def no_mail() -> None:
        raise OSError("connection refused")

    peers = {"loyalty": server.at, "cases": f"127.0.0.1:{free_port()}"}
    cases, mail = await asked(peers, mail=no_mail)
    assert cases.startswith("cases: UNAVAILABLE: ")
    assert mail == "mail: OSError: connection refused"
