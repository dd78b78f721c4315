"""Messages that follow each other go by one connection, as long as the server keeps it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from chassis.api.addresses import Address
from notifications.channels.channel import Away
from notifications.channels.message import Mail, Mailbox
from notifications.channels.smtp import MESSAGES_MOST, SmtpProvider
from notifications.usecases.words import Words
from services.notifications.tests.component.mailserver import MailServer

CARE = Mailbox("Acme", Address("care@acme.example", False))
MARIA = Mailbox("Maria", Address("maria@example.com", False))
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MAIL = Mail("<1@acme.example>", CARE, MARIA, None, Words("Hello", "Hello"), "en", AT)


class Greeted(MailServer):
    """A mail server that knows its connections."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: list[SMTP] = []

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, name: str, responses: Any) -> Any:
        self.connections.append(server)
        session.host_name = name
        return responses


@pytest.fixture
async def server() -> Any:
    server = Greeted()
    await server.start()
    yield server
    for each in server.connections:
        if each.transport is not None:
            each.transport.abort()
    await server.stop()


async def send(provider: SmtpProvider, times: int = 1) -> None:
    async def ready(fingerprint: str) -> None:
        pass

    for number in range(times):
        await provider.send(replace(MAIL, message_id=f"<{number}@acme.example>"), ready, lambda: None)


def provider_of(server: MailServer) -> SmtpProvider:
    return SmtpProvider("127.0.0.1", server.port, "none", "", lambda: "")


async def test_messages_one_after_another_share_a_connection_but_not_for_ever(server: Greeted) -> None:
    await send(provider_of(server), MESSAGES_MOST)
    assert len(server.connections) == 1
    assert len(server.accepted) == MESSAGES_MOST
    again = provider_of(server)
    await send(again, MESSAGES_MOST + 1)
    assert len(server.connections) == 3


async def test_a_connection_that_the_server_has_closed_is_made_anew(server: Greeted) -> None:
    provider = provider_of(server)
    await asyncio.gather(send(provider), send(provider))
    for each in server.connections:
        assert each.transport is not None
        each.transport.abort()
    await send(provider)
    server.refusals["MAIL"] = ["421 enough of you"]
    await send(provider)
    assert [len(server.connections), len(server.accepted)] == [4, 4]


async def test_what_a_server_says_of_us_counts_on_a_kept_connection_too(server: Greeted) -> None:
    provider = provider_of(server)
    await send(provider)
    server.refusals["MAIL"] = ["451 4.3.2 not now"]
    with pytest.raises(Away):
        await send(provider)
    await send(provider)
    assert [len(server.connections), len(server.accepted)] == [2, 2]
