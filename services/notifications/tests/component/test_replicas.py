"""Two replicas, and a process that dies or sleeps at the worst moment: at most one repeat, to the byte."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rapport.common.v1 import channel_pb2
from rapport_testing.clock import ManualClock
from rapport_testing.fixtures import free_port
from rapport_testing.wait import eventually

ANSWER_S = 3
# Whoever has just found the database gives others half a minute to record an answer: here none waits for it.
REPLICA = (
    "import runpy; from chassis.work import runner; "
    "runner.ANSWERING_S = 0.0; runpy.run_module('notifications', run_name='__main__')"
)


class Door:
    """A mail server that lets a test act at the moment it reads `DATA`, or the final dot."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[bytes] = []
        self.at_data: Callable[[], None] = lambda: None
        self.at_dot: Callable[[], None] = lambda: None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: bytes) -> None:
            writer.write(line + b"\r\n")
            await writer.drain()

        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await say(b"220 door")
            while line := await reader.readline():
                if line.strip().upper() == b"DATA":
                    moment, self.at_data = self.at_data, lambda: None
                    moment()
                    await say(b"354 go on")
                    mail = await reader.readuntil(b"\r\n.\r\n")
                    self.mails.append(mail)
                    moment, self.at_dot = self.at_dot, lambda: None
                    moment()
                await say(b"250 ok")
        writer.close()


@pytest.fixture
def clock() -> ManualClock:
    """The present: the replicas are processes of their own, with the system's clock."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door()
    async with await asyncio.start_server(made.serve, "127.0.0.1", made.port):
        yield made


@pytest.fixture
async def replica(desk: Any, door: Door) -> AsyncIterator[Callable[[], Any]]:
    """Starts another process of the service; the one of the test itself sends nothing."""
    await desk.running.lifecycle._work.stop(0)
    own = desk.running.app.settings
    started: list[asyncio.subprocess.Process] = []

    async def start() -> asyncio.subprocess.Process:
        told = {
            "DATABASE_URL": own.database_url,
            "NATS_URL": own.nats_url,
            "JWKS_URL": own.jwks_url,
            "ISSUER": own.issuer,
            "PEERS": json.dumps(own.peers),
            "HOST": "127.0.0.1",
            "GRPC_PORT": free_port(),
            "HTTP_PORT": free_port(),
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": door.port,
            "SMTP_SECURITY": "none",
            "MAIL_FROM": own.mail_from,
            "SMS_GATEWAY_URL": own.sms_gateway_url,
            "SMS_GATEWAY_SECRET": own.sms_gateway_secret.get_secret_value(),
            "SEND_ANSWER_TIMEOUT_S": ANSWER_S,
            "RETRY_FIRST_S": 0.5,
            "LOG_LEVEL": "error",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            REPLICA,
            env=os.environ | {f"RAPPORT_{name}": str(value) for name, value in told.items()},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("moment", "what", "copies", "outcomes"),
    [
        ("at_data", signal.SIGSTOP, 1, {("TEMPORARY_FAILURE", "ACCEPTED")}),
        ("at_data", signal.SIGKILL, 1, {("UNKNOWN", "ACCEPTED")}),
        ("at_dot", signal.SIGSTOP, 2, {("ACCEPTED", "ACCEPTED")}),
        ("at_dot", signal.SIGKILL, 2, {("UNKNOWN", "ACCEPTED")}),
    ],
)
async def test_a_process_that_is_gone_for_longer_than_its_lease_costs_one_repeat_at_most(
    desk: Any, door: Door, replica: Any, moment: str, what: signal.Signals, copies: int, outcomes: Any
) -> None:
    gone = asyncio.Event()
    first = await replica()

    def act() -> None:
        first.send_signal(what)
        gone.set()

    setattr(door, moment, act)
    event = desk.at_risk()
    await desk.hear(event)
    await asyncio.wait_for(gone.wait(), 60)
    await replica()
    notice = await eventually(lambda: sent(desk, event.promise), 60)
    if what == signal.SIGSTOP:
        first.send_signal(signal.SIGCONT)

    async def settled() -> bool:
        return tuple(outcome for outcome, _ in await desk.outcomes(await desk.get(notice.name))) in outcomes

    await eventually(settled, 30)
    assert len(door.mails) == copies
    assert len(set(door.mails)) == 1
    assert len(await desk.told("NoticeSent")) == 1
    assert desk.state(await desk.get(notice.name)) == "SENT"


@pytest.mark.parametrize("what", [signal.SIGSTOP, signal.SIGKILL])
async def test_who_knows_a_message_again_texts_nobody_twice_whatever_becomes_of_a_process(
    desk: Any, replica: Any, what: signal.Signals
) -> None:
    desk.peers.customers.answer.channel = channel_pb2.CHANNEL_SMS
    desk.peers.customers.answer.address = "+4930901820"
    gone = asyncio.Event()
    first = await replica()

    def act() -> None:
        first.send_signal(what)
        gone.set()

    desk.gateway.at_request = act
    event = desk.at_risk()
    await desk.hear(event)
    await asyncio.wait_for(gone.wait(), 60)
    await replica()
    notice = await eventually(lambda: sent(desk, event.promise), 60)
    if what == signal.SIGSTOP:
        first.send_signal(signal.SIGCONT)

    async def settled() -> bool:
        last = [outcome for outcome, _ in await desk.outcomes(notice)]
        return last == (["ACCEPTED"] * 2 if what == signal.SIGSTOP else ["UNKNOWN", "ACCEPTED"])

    await eventually(settled, 30)
    assert len(desk.gateway.asked) == 2
    assert len(desk.gateway.sent) == 1
    assert len({content for _, content in desk.gateway.asked}) == 1
    assert len(await desk.told("NoticeSent")) == 1


async def sent(desk: Any, promise: str) -> Any:
    notices = await desk.notices_of(promise)
    return notices[0] if notices and desk.state(notices[0]) == "SENT" else None
