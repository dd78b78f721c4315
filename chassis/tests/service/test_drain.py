"""SIGTERM: unready first, no new work, what is under way is finished, exit code 0."""

import asyncio
import contextlib
import json
import signal

import grpc
import pytest

from chassis.lifecycle import cancelled
from rapport.loyalty.v1.ledger_service_pb2 import BatchGetAccountsRequest
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport_testing.wait import eventually

ACCOUNTS = BatchGetAccountsRequest(parent="programs/main", names=["programs/main/accounts/points"])


async def test_a_drain_finishes_what_is_under_way_and_takes_nothing_new(run, issuer, tmp_path):
    process = await run()
    await process.until_ready()
    address, identity = f"127.0.0.1:{process.grpc_port}", (("authorization", f"Bearer {issuer.token()}"),)
    async with grpc.aio.insecure_channel(address) as channel:
        under_way = asyncio.ensure_future(
            LedgerServiceStub(channel).BatchGetAccounts(ACCOUNTS, timeout=20, metadata=identity)
        )
        await eventually((tmp_path / "called").exists)
        process.process.send_signal(signal.SIGTERM)

        def unready() -> bool:
            return process.get("/health/ready")[0] == 503

        await eventually(unready)
        assert json.loads(process.get("/health/ready")[1])["problems"] == ["draining"]
        assert process.get("/health/live")[0] == 200

        async def refused() -> bool:
            async with grpc.aio.insecure_channel(address) as other:
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await LedgerServiceStub(other).ListTransfers(ACCOUNTS, timeout=1)
                return error.value.code() is grpc.StatusCode.UNAVAILABLE

        await eventually(refused)
        assert not under_way.done()
        assert process.process.poll() is None
        (tmp_path / "answer").touch()
        await under_way
    assert await process.exit_code() == 0
    assert len(process.events("stopped")) == 1
    assert "Traceback" not in process.said()


async def test_a_service_that_waits_for_its_database_stops_when_asked(run):
    process = await run(RAPPORT_DATABASE_URL="postgresql://127.0.0.1:9/app")

    def waiting() -> bool:
        return process.get("/health/ready")[0] == 503

    await eventually(waiting, 30)
    process.process.send_signal(signal.SIGTERM)
    assert await process.exit_code() == 0
    assert "Traceback" not in process.said()


async def test_a_part_that_swallows_a_cancellation_is_asked_again() -> None:
    began = asyncio.Event()

    async def stubborn() -> None:
        began.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await began.wait()
    await cancelled([task])
    assert task.cancelled()
