"""Mail by SMTP, from a mail server's client to the timeline."""

import asyncio
import json
import re
import smtplib
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from typing import Any

import pytest

from customer.service import service as customer_service
from desk.edge.webhooks.kinds.mail import BODY_MAX_BYTES
from desk.edge.webhooks.receiving import OF_ONE_MAX_BYTES
from desk.edge.webhooks.smtp import Listener
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually


@pytest.fixture
async def desk(open_desk, sources):
    return await open_desk(
        customer_service, webhooks_dir=sources, mail_port=free_port(), mail_source="email", host="127.0.0.1"
    )


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    told = {
        "From": "Erika Sömmer <erika@example.com>",
        "To": "help@example.org",
        "Subject": "Wo ist es?",
        **headers,
    }
    for name, value in told.items():
        message[name] = value
    message.set_content("Grüße,\nErika\n", cte="8bit")
    return message


@pytest.fixture
def connected(desk):
    """Has a mail server's client do something."""

    def run(do: Callable[[smtplib.SMTP], Any]) -> Any:
        with smtplib.SMTP("127.0.0.1", desk.running.app.settings.mail_port, timeout=30) as client:
            return do(client)

    return lambda do: asyncio.to_thread(run, do)


@pytest.fixture
def hand_over(connected):
    """Hands mail over as a mail server does."""

    def send(client: smtplib.SMTP, messages: Iterable[bytes]) -> None:
        for raw in messages:
            told = re.sub(rb"\r?\n", b"\r\n", raw)
            client.sendmail("bounce@example.com", ["help@example.org"], told, ["BODY=8BITMIME"])

    return lambda *messages: connected(lambda client: send(client, messages))


@pytest.fixture
def recorded(desk, alice):
    """Gives what is on timelines, once there are so many entries."""

    async def of(number: int) -> list[dict[str, Any]]:
        async with desk.running.db.connection() as on:
            rows = await on.fetch(
                "SELECT customer FROM received WHERE state = 'RECORDED' ORDER BY receive_time"
            )
        if len(rows) < number:
            return []
        found = []
        for customer in dict.fromkeys(row["customer"] for row in rows):
            answer = await alice.get(f"/v1/{customer}/timelineEntries")
            found += [
                each for each in answer.json()["timelineEntries"] if each.get("channel") == "CHANNEL_EMAIL"
            ]
        return found

    return lambda number: eventually(lambda: of(number))


async def test_mail_is_recorded_once_however_often_it_is_handed_over(desk, hand_over, recorded) -> None:
    raw = mail(**{"Message-ID": "<1@example.com>"}).as_bytes().replace(b"\n", b"\r\n")
    await hand_over(raw)
    await hand_over(b"Received: again\r\n" + raw)
    await hand_over(mail(**{"Message-ID": "<2@example.com>", "Subject": "Und?"}).as_bytes())
    told = {each["summary"] for each in await recorded(2)}
    assert told == {"Wo ist es?\n\nGrüße,\nErika", "Und?\n\nGrüße,\nErika"}
    async with desk.running.db.connection() as on:
        assert await on.fetchval("SELECT count(*) FROM received") == 2


@pytest.mark.parametrize(
    "text",
    ["", ".", ".a\n..b\n.\nEHLO c", "\n\n", "a" * 100_000],
    ids=["none", "dot", "dots", "empty", "long"],
)
async def test_a_message_is_kept_to_the_letter_whatever_its_lines(hand_over, desk, text) -> None:
    head = "From: erika@example.com\nSubject: s\n\n"
    await hand_over(f"{head}{text}\n".encode(), f"{head}next".encode())
    async with desk.running.db.connection() as on:
        kept = await on.fetch("SELECT payload FROM deliveries ORDER BY receive_time")
    said = [json.loads(each["payload"])["text"].replace("\r\n", "\n") for each in kept]
    assert said == [f"{text}\n"[:20_000], "next\n"]


async def test_five_megabytes_of_attachments_are_named_and_not_kept(desk, hand_over, recorded) -> None:
    message = mail()
    message.add_attachment(b"\0" * 3_800_000, maintype="image", subtype="png", filename="Foto ä.png")
    assert len(message.as_bytes()) > 5_000_000
    await hand_over(message.as_bytes())
    (entry,) = await recorded(1)
    assert entry["summary"].endswith("Attachments: Foto ä.png")
    async with desk.running.db.connection() as on:
        assert await on.fetchval("SELECT length(payload) FROM deliveries") < 1000


async def test_what_is_too_large_is_refused_for_good_and_the_next_is_taken(connected, recorded) -> None:
    def send(client: smtplib.SMTP) -> int:
        client.helo()  # and no ehlo, by which it would say beforehand how large it is
        with pytest.raises(smtplib.SMTPDataError) as told:
            client.sendmail("a@example.com", ["b@example.com"], mail().as_bytes() + b"a" * BODY_MAX_BYTES)
        client.sendmail("a@example.com", ["b@example.com"], mail().as_bytes())
        return told.value.smtp_code

    assert await connected(send) == 552
    assert len(await recorded(1)) == 1


async def test_a_message_of_nothing_at_all_ends(connected) -> None:
    def send(client: smtplib.SMTP) -> list[int]:
        client.ehlo()
        client.mail("a@example.com")
        client.rcpt("b@example.com")
        begun, _ = client.docmd("DATA")
        ended, _ = client.docmd(".")
        return [begun, ended]

    assert await connected(send) == [354, 250]


async def test_one_room_holds_what_comes_by_smtp_and_http(desk, hand_over, sender) -> None:
    (listener,) = _listeners(desk)
    message = mail().as_bytes()
    with listener._receiving.room.for_one("email") as take:
        take(OF_ONE_MAX_BYTES)
        with pytest.raises(smtplib.SMTPDataError) as told:
            await hand_over(message)
        assert told.value.smtp_code == 451
        assert (await sender("email").post(message)).status_code == 429
    await hand_over(message)
    await sender("email").send(message)


async def test_mail_is_put_off_while_it_cannot_be_kept(desk, hand_over, infrastructure, recorded) -> None:
    url = desk.running.app.settings.database_url
    async with infrastructure.failover(url):
        with pytest.raises(smtplib.SMTPDataError) as told:
            await hand_over(mail().as_bytes())
        assert told.value.smtp_code == 451
    await hand_over(mail().as_bytes())
    assert len(await recorded(1)) == 1


async def test_mail_of_a_source_that_is_not_there_is_put_off(desk, hand_over, sources) -> None:
    (sources / "email.json").unlink()
    with pytest.raises(smtplib.SMTPDataError) as told:
        await hand_over(mail().as_bytes())
    assert told.value.smtp_code == 451


async def test_nobody_listens_unless_told_to(open_desk, sources, desk) -> None:
    assert len(_listeners(desk)) == 1
    assert not _listeners(await open_desk(webhooks_dir=sources))


def _listeners(desk: Any) -> list[Listener]:
    owners = [getattr(each, "__self__", None) for each in desk.running.app.backgrounds]
    return [each for each in owners if isinstance(each, Listener)]
