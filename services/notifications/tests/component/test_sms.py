"""Text messages by a gateway: each once, whatever it answers, and for whoever wants them so."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from notifications.jobs.sending import REPEATS_TO_NOBODY
from rapport.common.v1 import channel_pb2
from rapport.notifications.v1 import notice_pb2, template_pb2
from rapport_testing.wait import eventually

NUMBER = "+4930901820"
LONG_ENOUGH = timedelta(minutes=20)


@pytest.fixture(autouse=True)
def by_sms(desk: Any) -> None:
    """The customer service answers that this customer is to be texted."""
    desk.peers.customers.answer.channel = channel_pb2.CHANNEL_SMS
    desk.peers.customers.answer.address = NUMBER


async def texted(
    desk: Any, body: str = "Hello {{ customer_name }}, {{ contact_name }}", template: str = "short"
) -> Any:
    """A notice."""
    text = template_pb2.TemplateText(subject="News", body=body)
    await desk.create_template(template, text)
    wanted = notice_pb2.Notice(customer=desk.customer, kind="news", template=f"templates/{template}")
    return await desk.send(wanted)


async def tried(desk: Any, notice: Any, outcome: tuple[str, str]) -> None:
    async def found() -> bool:
        return outcome in await desk.outcomes(notice)

    await eventually(found)


async def told_times(desk: Any, notice: Any, lost: int) -> None:
    """So many answers were lost, and that is known."""

    async def found() -> bool:
        return [outcome for outcome, _ in await desk.outcomes(notice)].count("UNKNOWN") == lost

    await eventually(found)


async def test_a_customer_is_asked_for_by_every_channel_and_texted_on_theirs(desk: Any) -> None:
    notice = await desk.sent((await texted(desk)).name)
    assert list(desk.peers.customers.asked[0].channels) == [
        channel_pb2.CHANNEL_EMAIL,
        channel_pb2.CHANNEL_SMS,
        channel_pb2.CHANNEL_APP,
    ]
    assert notice.channel == channel_pb2.CHANNEL_SMS
    [(headers, content)] = desk.gateway.asked
    told = json.loads(content)
    assert (told["to"], told["text"]) == (NUMBER, "Hello Canary Maria Anders, Sam Reed")
    assert (told["language"], told["segments"]) == ("en", 1)
    assert told["id"] == headers["webhook-id"]
    [attempt] = await desk.attempts(notice)
    assert (attempt.provider, attempt.provider_key) == ("providers/gateway", told["id"])
    assert desk.mail.received == []
    assert NUMBER not in str(await desk.running.published())


async def test_the_gateway_knows_us_by_our_signature(desk: Any) -> None:
    await desk.sent((await texted(desk)).name)
    [(headers, content)] = desk.gateway.asked
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    own = hmac.digest(b"of-tests-alone-and-not-a-secret", signed, "sha256")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(own).decode()}"
    assert int(headers["webhook-timestamp"]) == int(desk.clock.now().timestamp())


@pytest.mark.parametrize("answer", [b"500 Oops", b"503 Away", b"429 Too Many"])
async def test_a_gateway_that_cannot_now_is_asked_again_and_texts_once(desk: Any, answer: bytes) -> None:
    desk.gateway.answers = [answer]
    notice = await texted(desk)
    await tried(desk, notice, ("TEMPORARY_FAILURE", answer[:3].decode()))
    desk.clock.advance(LONG_ENOUGH)
    await desk.sent(notice.name)
    assert len(desk.gateway.asked) == 2
    assert len({headers["webhook-id"] for headers, _ in desk.gateway.asked}) == 1
    assert len(desk.gateway.sent) == 1


async def test_who_asks_to_be_left_alone_is_left_alone(desk: Any) -> None:
    desk.gateway.answers = [b"429 Too Many\r\nretry-after: 600"]
    first = await texted(desk)
    await tried(desk, first, ("TEMPORARY_FAILURE", "429"))
    desk.clock.advance(timedelta(minutes=6))

    async def left_alone() -> bool:
        return bool((await desk.get(first.name)).defer_reason_code == "provider-unavailable")

    await eventually(left_alone)
    assert len(desk.gateway.asked) == 1
    desk.clock.advance(LONG_ENOUGH)
    await desk.sent(first.name)
    assert len(desk.gateway.asked) == 2


async def test_a_number_that_the_gateway_refuses_has_failed_for_good(desk: Any) -> None:
    desk.gateway.answers = [b"422 Unprocessable"]
    failed = await desk.reached((await texted(desk)).name, "FAILED")
    assert failed.reason_code == "refused"
    assert await desk.outcomes(failed) == [("PERMANENT_FAILURE", "422")]


@pytest.mark.parametrize("answer", [b"401 Unauthorized", b"400 Bad Request", b"301 Moved", b"404 Not Found"])
async def test_what_a_gateway_refuses_about_us_waits_until_we_have_mended_it(
    desk: Any, answer: bytes
) -> None:
    desk.gateway.answers = [answer]
    notice = await texted(desk)
    await tried(desk, notice, ("TEMPORARY_FAILURE", answer[:3].decode()))
    desk.clock.advance(LONG_ENOUGH)
    await desk.sent(notice.name)


@pytest.mark.parametrize("answer", [b"DROP", b"502 Bad Gateway", b"504 Gateway Timeout"])
async def test_what_may_have_been_lost_is_handed_over_again_and_reaches_nobody_twice(
    desk: Any, answer: bytes
) -> None:
    desk.gateway.answers = [answer] * 3
    notice = await texted(desk)
    for lost in range(1, 4):
        await told_times(desk, notice, lost)
        desk.clock.advance(LONG_ENOUGH)
    await desk.sent(notice.name)
    assert [headers["webhook-id"] for headers, _ in desk.gateway.asked] == [*desk.gateway.sent] * 4


async def test_what_a_receipt_tells_of_is_not_handed_over_again(desk: Any) -> None:
    desk.gateway.answers = [b"DROP"]
    notice = await texted(desk)
    await told_times(desk, notice, 1)
    [attempt] = await desk.attempts(notice)
    assert desk.state(await desk.report(attempt.provider_key, "DELIVERED")) == "DELIVERED"
    desk.clock.advance(LONG_ENOUGH)
    await desk.sent((await texted(desk, template="next")).name)
    assert len(desk.gateway.asked) == 2


async def test_who_never_answers_is_not_asked_without_end(desk: Any) -> None:
    desk.gateway.answers = [b"DROP"] * (REPEATS_TO_NOBODY + 2)
    notice = await texted(desk)
    for lost in range(1, REPEATS_TO_NOBODY + 2):
        await told_times(desk, notice, lost)
        desk.clock.advance(LONG_ENOUGH)
    await desk.reached(notice.name, "UNKNOWN")
    assert len(desk.gateway.asked) == REPEATS_TO_NOBODY + 1


async def test_a_text_that_takes_too_many_segments_waits_for_a_shorter_one(desk: Any) -> None:
    notice = await texted(desk, "{{ contact_name }} " + "so much to tell " * 100)
    await tried(desk, notice, ("TEMPORARY_FAILURE", "text-too-long"))
    assert desk.gateway.asked == []
    await desk.update_text("templates/short/texts/en", body="{{ contact_name }} says hello")
    desk.clock.advance(LONG_ENOUGH)
    await desk.sent(notice.name)


@pytest.mark.parametrize("number", ["", "4711", "nobody@example.com"])
async def test_what_is_no_number_is_texted_by_nobody(desk: Any, number: str) -> None:
    desk.peers.customers.answer.address = number
    failed = await desk.reached((await texted(desk)).name, "FAILED")
    assert failed.reason_code == "invalid-address"
    [attempt] = await desk.attempts(failed)
    assert attempt.provider == "providers/gateway"
