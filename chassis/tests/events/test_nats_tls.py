"""The broker over TLS, and who we are there, both as they are now."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.events.declarations import Declaration
from chassis.events.nats import BROKER_ERRORS, Connection, connect
from chassis.events.provision import provision, verify
from rapport_testing.certificates import Authority
from rapport_testing.engines.nats import Nats
from rapport_testing.wait import eventually

CASES = Declaration("cases")


class Secure(Nats):
    """Answers nobody without a certificate. Its passwords end as a test says."""

    end = ""

    def password(self, user: str) -> str:
        return super().password(user) + self.end

    def secure_url(self, user: str = "cases") -> str:
        return self.url_for(user).replace("nats://", "tls://")

    def _config(self) -> dict[str, Any]:
        folder = self.folder / "tls"
        files = {
            "cert_file": f"{folder}/tls.crt",
            "key_file": f"{folder}/tls.key",
            "ca_file": f"{folder}/ca.crt",
        }
        return super()._config() | {"tls": files | {"verify": True}}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Secure:
    authority.issue(tmp_path / "nats" / "tls", "nats")
    return Secure(tmp_path / "nats", declarations=[CASES])


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path | None], Awaitable[bool]]:
    """Whether the broker, which took us a moment ago, does not: the client tries until its time is over."""
    monkeypatch.setattr("chassis.events.nats.CONNECT_TIMEOUT_S", 1)

    async def tried(url: str, tls_dir: Path | None) -> bool:
        try:
            connection = await connect(url, "cases", tls_dir=tls_dir)
        except BROKER_ERRORS:
            return True
        await connection.close()
        return False

    return tried


async def test_streams_are_made_and_found_over_tls_by_who_has_a_certificate(
    server: Secure, authority: Authority, tmp_path: Path
) -> None:
    own = authority.issue(tmp_path / "cases", "cases")
    with server:
        await provision(server.secure_url("admin"), CASES, tls_dir=own)
        connection = await connect(server.secure_url(), "cases", tls_dir=own)
        await verify(connection, CASES)
        await connection.close()


async def test_another_authority_and_no_certificate_are_refused(
    server: Secure, authority: Authority, tmp_path: Path, refused: Any
) -> None:
    own = authority.issue(tmp_path / "cases", "cases")
    strange = Authority("other").issue(tmp_path / "strange", "cases")
    with server:
        assert await refused(server.secure_url(), strange)
        assert await refused(server.secure_url(), None)
        for file in ("tls.crt", "tls.key"):
            (own / file).unlink()
        assert await refused(server.secure_url(), own)


async def test_a_broker_that_says_it_has_no_tls_is_told_nothing(tmp_path: Path, refused: Any) -> None:
    with Nats(tmp_path / "plain", declarations=[CASES]) as plain:
        assert await refused(plain.url_for("cases").replace("nats://", "tls://"), None)


async def test_after_a_break_the_newest_password_and_certificate_are_used(
    server: Secure, authority: Authority, tmp_path: Path
) -> None:
    own = authority.issue(tmp_path / "cases", "cases")
    closed: list[bool] = []
    with server:
        connection: Connection = await connect(
            server.secure_url, "cases", tls_dir=own, closed=lambda: closed.append(True)
        )
        server.stop()
    other = Authority("other")
    other.issue(server.folder / "tls", "nats")
    other.issue(own, "cases")
    server.end = "-new"
    with server:

        async def answers() -> bool:
            return await connection.problem() == ""

        await eventually(answers, 30)
        await connection.close()
    assert closed == []
