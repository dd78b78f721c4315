import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP

import pytest
from aiosmtpd import smtp

from rapport_testing.engines.ports import free_port
from rapport_tools.local.mail import Handler, Mailbox

MESSAGE_ID = "<notice-1@rapport.example>"


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path)


@pytest.fixture
async def port(mailbox: Mailbox) -> AsyncIterator[int]:
    chosen, handler = free_port(), Handler(mailbox)
    server = await asyncio.get_running_loop().create_server(lambda: smtp.SMTP(handler), "127.0.0.1", chosen)
    async with server:
        yield chosen


def message(message_id: str = MESSAGE_ID, subject: str = "Your delivery") -> EmailMessage:
    made = EmailMessage()
    made["Message-ID"], made["From"], made["To"] = message_id, "rapport@example.com", "ada@example.com"
    made["Subject"] = subject
    made.set_content("It comes on Friday, grüße.")
    return made


async def send(port: int, *messages: EmailMessage) -> None:
    def deliver() -> None:
        with SMTP("127.0.0.1", port, timeout=5) as client:
            for each in messages:
                client.send_message(each)

    await asyncio.to_thread(deliver)


async def test_a_message_is_kept_as_it_was_sent(port: int, mailbox: Mailbox) -> None:
    await send(port, message())
    (mail,) = mailbox.list()
    assert (mail.message_id, mail.recipients, mail.subject) == (
        MESSAGE_ID,
        ["ada@example.com"],
        "Your delivery",
    )
    body = mailbox.message(mail.id).get_body()
    assert body is not None
    assert body.get_content().strip() == "It comes on Friday, grüße."


async def test_a_repeat_is_accepted_and_counted_and_not_kept_twice(port: int, mailbox: Mailbox) -> None:
    await send(port, message(), message(), message())
    (mail,) = mailbox.list()
    assert (mail.repeats, mail.subject) == (2, "Your delivery")


async def test_other_words_under_the_same_message_id_do_not_pass_for_a_repeat(
    port: int, mailbox: Mailbox
) -> None:
    await send(port, message(), message(subject="Your delivery, again"))
    assert [(mail.message_id, mail.repeats) for mail in mailbox.list()] == [(MESSAGE_ID, 0)] * 2


async def test_different_messages_are_kept_each(port: int, mailbox: Mailbox) -> None:
    await send(port, message("<1@rapport.example>"), message("<2@rapport.example>"))
    assert [mail.repeats for mail in mailbox.list()] == [0, 0]


async def test_a_restarted_server_still_knows_what_it_kept(port: int, mailbox: Mailbox) -> None:
    await send(port, message())
    (kept,) = mailbox.list()
    content = (mailbox.folder / f"{kept.id}.eml").read_bytes()
    assert Mailbox(mailbox.folder).keep(content, "", []).repeats == 1
