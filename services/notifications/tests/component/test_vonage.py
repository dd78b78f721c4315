"""Text messages by Vonage: what it is asked, and what each answer, slow, lost or none, means."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr, ValidationError

from chassis.work import NotDone, Ours, Refused
from notifications.channels import sms
from notifications.channels.channel import Away, Unwanted
from notifications.channels.sms import SmsChannel, Text
from notifications.channels.vonage import Vonage
from notifications.settings import Settings
from rapport_testing.clock import ManualClock
from rapport_testing.fixtures import free_port

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
APPLICATION = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
DROP, SILENCE = b"DROP", b"SILENCE"


def wrong(*names: str) -> bytes:
    """The answer that these parameters are."""
    told = json.dumps({"title": "Invalid params", "invalid_parameters": [{"name": each} for each in names]})
    return b"422 Unprocessable Entity\r\n\r\n" + told.encode()


class Messages:
    """Its Messages API, which answers as told, and keeps what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.port = answer, free_port()
        self.asked: list[tuple[dict[str, str], dict[str, str]]] = []

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = {
                name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
            }
            content = await reader.readexactly(int(headers["content-length"]))
            self.asked.append((headers, json.loads(content)))
            if self.answer == SILENCE:
                await reader.read()
            elif self.answer != DROP:
                head, _, body = self.answer.partition(b"\r\n\r\n")
                length = f"\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
                writer.write(b"HTTP/1.1 " + head + length + body)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def vonage(answer: bytes) -> AsyncIterator[tuple[Messages, SmsChannel]]:
    messages = Messages(answer)
    url = f"http://127.0.0.1:{messages.port}/v1/messages"
    taker = Vonage(url, APPLICATION, lambda: PEM, "Acme", ManualClock(NOW))
    async with await asyncio.start_server(messages.converse, "127.0.0.1", messages.port):
        yield messages, SmsChannel(taker, 6, 0)


async def sent(channel: SmsChannel) -> tuple[str | BaseException, bool]:
    """What a sender comes to know, and whether it was past the point of no return."""
    committed: list[int] = []
    content = channel.taker.content("0199b2a4.0", "+4930901820", "Späte Lieferung", "de")

    async def ready(_: str) -> None: ...

    try:
        told = await channel.send(Text("0199b2a4.0", content), ready, lambda: committed.append(1))
    except Exception as error:
        return error, bool(committed)
    return told, bool(committed)


async def test_it_is_asked_as_its_api_wants_to_be_by_our_key() -> None:
    async with vonage(b"202 Accepted") as (messages, channel):
        assert await sent(channel) == ("202", True)
    [(headers, told)] = messages.asked
    assert told == {
        "message_type": "text",
        "channel": "sms",
        "to": "4930901820",
        "from": "Acme",
        "text": "Späte Lieferung",
        "client_ref": "0199b2a4.0",
    }
    token = headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, PUBLIC, ["RS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims["application_id"] == APPLICATION
    assert (claims["iat"], claims["exp"]) == (NOW.timestamp(), NOW.timestamp() + 300)
    assert (channel.provider, channel.idempotent) == ("providers/vonage", False)


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (wrong("to"), Refused),
        (wrong("from"), Unwanted),
        (wrong("to", "from"), Unwanted),
        (b"422 Unprocessable Entity", Unwanted),
        (b"401 Unauthorized", Ours),
        (b"402 Payment Required", Ours),
        (b"403 Forbidden", Ours),
        (b"200 OK", Ours),  # it takes messages by 202
        (b"429 Too Many Requests", Away),
        (b"503 Service Unavailable", Away),
    ],
)
async def test_what_it_did_not_take_is_known_and_why(answer: bytes, what: type[NotDone]) -> None:
    async with vonage(answer) as (_, channel):
        told, _ = await sent(channel)
    assert type(told) is what


async def test_it_is_left_alone_for_as_long_as_it_asks() -> None:
    async with vonage(b"429 Too Many Requests\r\nretry-after: 30") as (_, channel):
        told, _ = await sent(channel)
    assert isinstance(told, Away)
    assert told.leave_alone == timedelta(seconds=30)


@pytest.mark.parametrize("answer", [b"500 Oops", b"502 Bad Gateway", b"504 Timeout", DROP, SILENCE])
async def test_what_it_may_have_taken_is_not_said_to_be_undone(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms, "ANSWER_S", 0.5)
    async with vonage(answer) as (messages, channel):
        told, committed = await sent(channel)
    assert isinstance(told, Exception)
    assert not isinstance(told, NotDone)
    assert committed
    assert len(messages.asked) == 1


async def test_nobody_there_has_taken_nothing() -> None:
    taker = Vonage(f"http://127.0.0.1:{free_port()}/", APPLICATION, lambda: PEM, "Acme", ManualClock(NOW))
    told, _ = await sent(SmsChannel(taker, 6, 0))
    assert isinstance(told, Away)


@pytest.mark.parametrize(
    "changed",
    [{"vonage_key": SecretStr("no key")}, {"sms_sender": ""}, {"sms_gateway_url": "https://gateway.example"}],
)
def test_settings_that_cannot_send_are_refused_at_the_start(changed: dict[str, object]) -> None:
    right = {
        "smtp_host": "mail.example",
        "vonage_application": APPLICATION,
        "vonage_key": SecretStr(PEM),
        "sms_sender": "Acme",
        "sms_gateway_secret": SecretStr("of-tests-alone-and-not-a-secret"),
    }
    needed = {
        "database_url": "postgresql://x@127.0.0.1/x",
        "nats_url": "nats://127.0.0.1",
        "jwks_url": "https://issuer.acme.example/jwks",
        "issuer": "acme",
    }
    assert Settings.model_validate({**needed, **right}).vonage_application == APPLICATION
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({**needed, **right, **changed})
    assert next(iter(changed)) in str(refused.value)
