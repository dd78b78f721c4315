"""The servers that the environment names: one that cannot be used is told by its variable."""

import asyncio

import pytest

from rapport_testing.engines.process import WrongUse
from rapport_testing.infrastructure import Infrastructure
from rapport_tools.local import external
from rapport_tools.local.external import BROKER, DATABASE, reach


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "CONNECT_TIMEOUT_S", 0.5)


async def refused(name: str, url: str) -> str:
    with pytest.raises(WrongUse) as told:
        await reach({name: url})
    return str(told.value)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        (DATABASE, "postgresql://u:secret@127.0.0.1:notaport/x"),
        (DATABASE, "postgresql://u:secret@127.0.0.1:99999/x"),
        (DATABASE, "mysql://u:secret@127.0.0.1/x"),
        (DATABASE, "secret"),
        (DATABASE, "postgresql://u:x@secret/y@127.0.0.1/x"),
        (DATABASE, "postgresql://u:9#secret@127.0.0.1/x"),
        (DATABASE, "postgresql://u:secret@[::1/x"),
        (DATABASE, "postgresql://u:secret@127.0.0.1:1/x"),
        (DATABASE, "postgresql://u:secret@nowhere.invalid/x"),
        (DATABASE, "postgresql://u:secret@127.0.0.1:1/x?sslmode=secret"),
        (BROKER, "secret"),
        (BROKER, "nats://"),
        (BROKER, "http://u:secret@127.0.0.1:4222"),
        (BROKER, "nats://u:secret@127.0.0.1:notaport"),
        (BROKER, "nats://u:secret@127.0.0.1:4222,nats://127.0.0.1:x"),
        (BROKER, "nats://u:secret@127.0.0.1:1"),
        (BROKER, "nats://u:secret@nowhere.invalid"),
    ],
)
async def test_a_server_that_cannot_be_used_is_told_by_its_variable_and_without_a_password(
    name: str, url: str
) -> None:
    told = await refused(name, url)
    assert told.startswith(f"{name}: ")
    assert f"must be {external._FORMS[name]}" in told
    assert "secret" not in told


@pytest.mark.parametrize(("name", "scheme"), [(DATABASE, "postgresql"), (BROKER, "nats")])
async def test_a_server_that_says_nothing_is_given_up(name: str, scheme: str) -> None:
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    told = await refused(name, f"{scheme}://u:secret@127.0.0.1:{port}")
    silent.close()
    assert told.startswith(f"{name}: 127.0.0.1:{port} cannot be used (no answer within 5 s)")


async def test_a_broker_that_knows_the_user_by_another_password_is_told_in_one_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.12.0","auth_required":true,"max_payload":1}\r\n')
        await reader.readline()
        writer.write(b"-ERR 'Authorization Violation'\r\n")
        await writer.drain()
        writer.close()

    strict = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = strict.sockets[0].getsockname()[1]
    told = await refused(BROKER, f"nats://u:secret@127.0.0.1:{port}")
    strict.close()
    assert told.startswith(f"{BROKER}: 127.0.0.1:{port} cannot be used (")
    assert capfd.readouterr() == ("", "")


async def test_where_both_are_wrong_nobody_is_asked() -> None:
    with pytest.raises(WrongUse, match=f"{BROKER}: must be"):
        await reach({DATABASE: "postgresql://127.0.0.1:1/x", BROKER: "secret"})


async def test_servers_that_answer_are_used(infrastructure: Infrastructure) -> None:
    await reach({DATABASE: infrastructure.postgres_url, BROKER: infrastructure.nats_url})
    await reach({})
