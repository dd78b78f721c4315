"""Calls between services over TLS: each shows a certificate, and newer ones cost no call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.auth.tokens import Verifier
from chassis.grpc.client import Channels
from chassis.grpc.server import Server
from chassis.tls import CERTIFICATE, KEY, Certificates
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from rapport_testing.certificates import Authority, write
from rapport_testing.engines.ports import free_port
from rapport_testing.tokens import ISSUER, TestIssuer, nobody_asks

REQUEST = ledger_service_pb2.BatchGetAccountsRequest()
Open = Callable[[str, Path | None], Any]


class Ledger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Answers, and tells a test when a call has come."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def BatchGetAccounts(self, request: Any, context: Any) -> Any:
        self.came.set()
        await self.go.wait()
        return ledger_service_pb2.BatchGetAccountsResponse()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def folder(authority: Authority, tmp_path: Path) -> Path:
    """Where the server's certificates are."""
    return authority.issue(tmp_path / "server", "loyalty")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()  # type: ignore[abstract]


@pytest.fixture
async def address(
    ledger: Ledger, issuer: TestIssuer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    server = Server(
        "loyalty",
        [ledger],
        Verifier(issuer.jwks_url, ISSUER),
        nobody_asks,
        certificates=Certificates(folder),
    )
    port = await server.start("127.0.0.1", free_port())
    yield f"127.0.0.1:{port}"
    monkeypatch.setattr("chassis.grpc.server.QUIET_S", 0.001)  # nobody calls any more
    await server.stop(0)


@pytest.fixture
async def to(issuer: TestIssuer, tmp_path: Path) -> AsyncIterator[Open]:
    """`to(address, folder)`: the ledger there, called with the certificates of a folder, or without TLS."""
    token = tmp_path / "token"
    token.write_text(issuer.token("service:cases"))
    opened: list[Channels] = []

    def stub(address: str, folder: Path | None) -> Any:
        channels = Channels({"loyalty": address}, token, Certificates(folder) if folder else None)
        opened.append(channels)
        return ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty"))

    yield stub
    for channels in opened:
        await channels.close()


async def unreachable(called: Awaitable[Any]) -> bool:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await called
    return caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_a_service_answers_who_shows_a_certificate_of_its_authority(
    address: str, to: Open, authority: Authority, tmp_path: Path
) -> None:
    await to(address, authority.issue(tmp_path / "cases", "cases")).BatchGetAccounts(REQUEST)


async def test_a_certificate_of_another_authority_is_none(
    address: str, to: Open, authority: Authority, tmp_path: Path, ledger: Ledger
) -> None:
    """Neither is the server believed by who trusts another, nor is who comes with another's."""
    strange = Authority("tests").issue(tmp_path / "strange", "cases")
    assert await unreachable(to(address, strange).BatchGetAccounts(REQUEST, timeout=1))
    write(strange / "ca.crt", authority.certificate)
    assert await unreachable(to(address, strange).BatchGetAccounts(REQUEST, timeout=1))
    assert not ledger.came.is_set()


async def test_who_shows_no_certificate_is_not_answered(
    address: str, to: Open, authority: Authority, ledger: Ledger
) -> None:
    assert await unreachable(to(address, None).BatchGetAccounts(REQUEST, timeout=1))
    without = grpc.ssl_channel_credentials(authority.certificate)
    async with grpc.aio.secure_channel(address, without) as channel:
        stub: Any = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        assert await unreachable(stub.BatchGetAccounts(REQUEST, timeout=1))
    assert not ledger.came.is_set()


async def test_a_server_of_another_name_is_not_told_the_token(
    address: str, to: Open, authority: Authority, folder: Path, tmp_path: Path, ledger: Ledger
) -> None:
    authority.issue(folder, "gifts", ("gifts",))
    own = authority.issue(tmp_path / "cases", "cases")
    assert await unreachable(to(address, own).BatchGetAccounts(REQUEST, timeout=1))
    assert not ledger.came.is_set()


async def test_new_certificates_of_a_new_authority_cost_no_call(
    address: str, to: Open, authority: Authority, folder: Path, tmp_path: Path
) -> None:
    """As it is done for real: both are trusted first, then each gets one of the new, then the old is gone."""
    own = authority.issue(tmp_path / "cases", "cases")
    stub, other = to(address, own), Authority("other")
    over, made = asyncio.Event(), 0

    async def call() -> None:
        nonlocal made
        while not over.is_set():
            await stub.BatchGetAccounts(REQUEST)
            made += 1

    async def many() -> None:
        enough = made + 20
        while made < enough:
            await stub.BatchGetAccounts(REQUEST)

    async with asyncio.TaskGroup() as running:
        for _ in range(4):
            running.create_task(call())
        await many()
        for each in (folder, own):
            write(each / "ca.crt", authority.certificate + other.certificate)
            await many()
        for each in (folder, own):
            other.issue(each)
            write(each / "ca.crt", authority.certificate + other.certificate)
            await many()
        for each in (folder, own):
            write(each / "ca.crt", other.certificate)
            await many()
        over.set()
    late = authority.issue(tmp_path / "late", "cases")
    assert await unreachable(to(address, late).BatchGetAccounts(REQUEST, timeout=1))


async def test_a_call_on_its_way_ends_where_it_began(
    address: str, to: Open, authority: Authority, ledger: Ledger, tmp_path: Path
) -> None:
    own = authority.issue(tmp_path / "cases", "cases")
    stub = to(address, own)
    ledger.go.clear()
    async with asyncio.TaskGroup() as running:
        slow = running.create_task(stub.BatchGetAccounts(REQUEST))
        await ledger.came.wait()
        authority.issue(own, "cases")
        quick = running.create_task(stub.BatchGetAccounts(REQUEST))
        ledger.go.set()
    assert slow.result() == quick.result()


async def test_the_next_call_shows_the_newest_certificate(
    address: str, to: Open, authority: Authority, tmp_path: Path
) -> None:
    own = authority.issue(tmp_path / "cases", "cases")
    stub = to(address, own)
    await stub.BatchGetAccounts(REQUEST)
    Authority("other").issue(own, "cases")
    assert await unreachable(stub.BatchGetAccounts(REQUEST, timeout=1))


def test_a_certificate_without_its_key_is_not_taken(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue(tmp_path / "own")
    certificates = Certificates(own)
    before, later = certificates.newest(), authority.issue(tmp_path / "later")
    write(own / CERTIFICATE, (later / CERTIFICATE).read_bytes())
    assert certificates.newest() is before
    write(own / KEY, (later / KEY).read_bytes())
    assert certificates.newest().key == (later / KEY).read_bytes()


def test_a_folder_that_lacks_a_file_is_refused_by_name(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue(tmp_path / "own")
    (own / KEY).unlink()
    with pytest.raises(ValueError, match=r"own must hold ca\.crt, tls\.crt and tls\.key.*tls\.key"):
        Certificates(own)
