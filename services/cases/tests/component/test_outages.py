"""The database or the broker goes away while the service runs, and comes back."""

import asyncio
from collections.abc import Iterator
from typing import Any

import grpc
import nats
import pytest

from rapport_testing.infrastructure import Infrastructure
from rapport_testing.running import reason
from rapport_testing.wait import eventually


@pytest.fixture(scope="module")
def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Infrastructure]:
    """A pair of servers of these tests' own, to be stopped and started."""
    servers = Infrastructure(tmp_path_factory.mktemp("own"))
    servers.start()
    yield servers
    servers.stop()


async def test_without_its_database_a_call_says_so_and_can_be_repeated_later(
    desk: Any, infrastructure: Infrastructure
) -> None:
    before = await desk.open()
    await asyncio.to_thread(infrastructure.postgres.stop)
    try:
        for _ in range(3):
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await desk.open()
            assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
            assert reason(refusal.value) == "DATABASE_UNAVAILABLE"
    finally:
        infrastructure.postgres.start()

    async def answers() -> bool:
        try:
            return bool((await desk.open()).name != before.name)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False

    await eventually(answers, 30)


async def test_without_the_broker_work_goes_on_and_is_told_later(
    desk: Any, infrastructure: Infrastructure
) -> None:
    await asyncio.to_thread(infrastructure.nats.stop)
    try:
        opened = [(await desk.open()).name for _ in range(3)]
    finally:
        infrastructure.nats.start()

    async def told() -> bool:
        connection: Any = await nats.connect(infrastructure.nats_url)
        try:
            info = await connection.jetstream().stream_info("CASES", subjects_filter="events.cases.case.>")
        finally:
            await connection.close()
        return bool((info.state.subjects or {}).get("events.cases.case.opened.v1") == len(opened))

    await eventually(told, 30)
