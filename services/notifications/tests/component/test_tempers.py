"""Whatever a mail server does at any step: what it may have is not said to be undone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from chassis.api.addresses import Address
from chassis.work import Later, NotDone, Ours
from notifications.channels import smtp
from notifications.channels.message import Mail, Mailbox
from notifications.channels.smtp import SmtpProvider
from notifications.usecases.words import Words

STEPS = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE", "QUIT"]
DROP, SILENCE = b"DROP", b"SILENCE"
GO_ON = "goes on when there is nothing to go on with"
TEMPERS = {
    "drops": DROP,
    "says nothing": SILENCE,
    "says half and drops": b"25" + DROP,
    "is busy": b"450 4.2.1 later\r\n",
    "closes": b"421 4.3.2 bye\r\n" + DROP,
    "refuses": b"550 5.7.1 never\r\n",
    "has had enough": b"550 5.4.5 Daily user sending limit exceeded\r\n",
    "is full": b"452 4.3.1 Insufficient system storage\r\n",
    "speaks something else": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "speaks binary": b"\x00\xff\x16\x03\x01\r\n",
    GO_ON: b"354 go on\r\n",
    "says what nobody defined": b"999 ?\r\n",
    "never ends a line": b"2" * 70_000,
    "never ends": b"250-more\r\n" * 20_000,
    "answers twice": b"450 4.2.1 later\r\n450 4.2.1 later\r\n",
}
MOODS = [(step, temper) for step in STEPS for temper in TEMPERS if (step, temper) != ("DATA", GO_ON)]
RIGHT = {"CONNECT": b"220 test\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}
MAIL = Mail(
    "<1@acme.example>",
    Mailbox("", Address("care@acme.example", False)),
    Mailbox("", Address("maria@example.com", False)),
    None,
    Words("Late", "It will be late.\n.\nSorry."),
    "en",
    datetime(2026, 3, 2, tzinfo=UTC),
)


class Moody:
    """A mail server that answers as told at one step, and rightly at all others.

    Attributes:
        taken: how many messages it has, as far as it said no refusal.
    """

    def __init__(self, step: str, answer: bytes) -> None:
        self.step, self.answer, self.taken = step, answer, 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            going = await self._say("CONNECT", writer)
            while going and (line := await reader.readline()):
                verb = line[:4].decode("latin-1").upper()
                going = await self._say(verb, writer)
                if verb == "DATA" and self.step != "DATA":
                    await reader.readuntil(b"\r\n.\r\n")
                    self.taken += not (self.step == "MESSAGE" and self.answer[:1] in b"45")
                    going = await self._say("MESSAGE", writer)
        writer.close()

    async def _say(self, step: str, writer: asyncio.StreamWriter) -> bool:
        """Answer; whether the conversation goes on."""
        told = self.answer if step == self.step else RIGHT.get(step, b"250 ok\r\n")
        writer.write(told.replace(DROP, b"").replace(SILENCE, b""))
        await writer.drain()
        return not told.endswith(DROP)


@contextlib.asynccontextmanager
async def moody(
    step: str, answer: bytes, security: str = "none"
) -> AsyncIterator[tuple[Moody, SmtpProvider]]:
    server = Moody(step, answer)
    async with await asyncio.start_server(server.converse, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield server, SmtpProvider("127.0.0.1", port, security, "", lambda: "")


async def outcome(provider: SmtpProvider) -> tuple[str | BaseException, bool]:
    """What a sender comes to know, and whether it was past the point of no return."""
    committed = []

    async def ready(_: str) -> None: ...

    try:
        async with asyncio.timeout(3):
            return await provider.send(MAIL, ready, lambda: committed.append(1)), bool(committed)
    except Exception as error:
        return error, bool(committed)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "STEP_S", 1.0)
    monkeypatch.setattr(smtp, "QUIT_S", 0.2)


@pytest.mark.parametrize(("step", "temper"), MOODS)
async def test_what_a_server_may_have_is_not_said_to_be_undone(step: str, temper: str) -> None:
    async with moody(step, TEMPERS[temper]) as (server, provider):
        told, committed = await outcome(provider)
        if isinstance(told, NotDone):
            assert server.taken == 0
        elif isinstance(told, str):
            assert server.taken == 1
        else:  # nobody knows
            assert committed
        if step not in ("MESSAGE", "QUIT"):
            assert isinstance(told, NotDone)
            assert not committed
        if step == "QUIT":
            assert told == "250"


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("temper", TEMPERS)
async def test_no_encryption_is_no_mail(security: str, temper: str) -> None:
    async with moody("CONNECT" if security == "tls" else "STAR", TEMPERS[temper], security) as (
        server,
        provider,
    ):
        told, committed = await outcome(provider)
        assert isinstance(told, Later | Ours)
        assert (server.taken, committed) == (0, False)
