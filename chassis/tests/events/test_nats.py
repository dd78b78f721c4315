"""Who a URL says that we are, and a broker that stands still."""

import asyncio
import signal
from pathlib import Path
from urllib.parse import quote

import nats.errors
import pytest

from chassis.events.declarations import Declaration
from chassis.events.nats import connect
from rapport_testing.engines.nats import Nats
from rapport_testing.wait import eventually

PASSWORD = "p@ss:w/rd%20,?#&=\u00e9"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nats:
    monkeypatch.setattr(Nats, "password", lambda self, user: PASSWORD)
    return Nats(tmp_path, declarations=[Declaration("cases")])


@pytest.mark.parametrize("servers", ["{}", "{},{}", "{},nats://127.0.0.1:9"])
async def test_what_is_special_in_a_password_is_percent_encoded(server: Nats, servers: str) -> None:
    with server:
        url = f"nats://cases:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}"
        connection = await connect(servers.format(url, url), "cases")
        assert await connection.problem() == ""
        await connection.close()


async def test_an_encoded_password_is_not_taken_as_it_is(server: Nats) -> None:
    with server, pytest.raises(nats.errors.AuthorizationError):
        await connect(f"nats://cases:{quote(quote(PASSWORD, safe=''))}@127.0.0.1:{server.port}", "cases")


async def test_a_connection_is_read_again_as_soon_as_the_broker_answers_late(tmp_path: Path) -> None:
    async def answers() -> bool:
        return await connection.problem() == ""

    async def is_silent() -> bool:  # a process stands still a moment after it was told to
        return await connection.problem() == "the broker does not answer"

    with Nats(tmp_path) as server:
        connection = await connect(server.url, "cases")
        assert server.process
        server.process.send_signal(signal.SIGSTOP)
        try:
            await eventually(is_silent)
        finally:
            server.process.send_signal(signal.SIGCONT)
        await eventually(answers)
        assert connection.client.stats["reconnects"] == 0
        await connection.close()


async def test_who_is_refused_while_connecting_again_goes_on_trying(server: Nats) -> None:
    passwords = [PASSWORD, "changed a moment too early", PASSWORD]

    def url() -> str:
        return f"nats://cases:{quote(passwords[0], safe='')}@127.0.0.1:{server.port}"

    async def answers() -> bool:
        return await connection.problem() == ""

    with server:
        connection = await connect(url, "cases")
        del passwords[0]
        await asyncio.to_thread(server.stop)
        server.start()

        async def was_refused() -> bool:
            return "Authorization Violation" in str(connection.client.last_error)

        await eventually(was_refused, 30)
        del passwords[0]
        await eventually(answers, 30)
        await connection.close()


async def test_a_connection_is_closed_also_while_the_broker_is_away(tmp_path: Path) -> None:
    with Nats(tmp_path) as server:
        connection = await connect(server.url, "cases")
        await asyncio.to_thread(server.stop)

        async def is_away() -> bool:
            return connection.is_reconnecting()

        await eventually(is_away)
        await connection.client.publish("kept.for.later", b"and never sent")
        await connection.close()
        assert connection.client.is_closed
