"""What was accepted is not denied by what becomes of another channel, which is tried while nobody reports."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.grpc.status import reason
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL as EMAIL
from rapport.common.v1.channel_pb2 import CHANNEL_SMS as SMS
from rapport.customer.v1 import consent_service_pb2
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually

HOUR = Duration(seconds=3600)
CALLED = "NoticeCallRequested"


@pytest.fixture(autouse=True)
async def allowed(desk: Any) -> dict[int, str]:
    """Why the customer is not reached on a channel; "" where they are."""
    channels = {SMS: "", EMAIL: ""}
    answer = desk.peers.customers.answer

    def reached_by(request: Any) -> consent_service_pb2.CheckContactResponse:
        for channel in request.channels:
            if not channels[channel]:
                told = consent_service_pb2.CheckContactResponse()
                told.CopyFrom(answer)
                told.channel = channel
                told.address = {EMAIL: "maria@example.com", SMS: "+4930901820"}[channel]
                return told
        return consent_service_pb2.CheckContactResponse(reason_code=channels[request.channels[0]])

    desk.peers.customers.reached_by = reached_by
    text = TemplateText(subject="News", body="Hello {{ customer_name }}, {{ contact_name }}")
    await desk.create_template("short", text)
    return channels


async def texted(desk: Any, **fields: Any) -> Notice:
    """A notice of service whose text message a gateway accepted, and which mail follows after an hour."""
    about = {
        "customer": desk.customer,
        "kind": "news",
        "template": "templates/short",
        "case": f"cases/{desk.customer[10:]}",
        "delivery": DeliveryStrategy(channels=[SMS, EMAIL], fallback_after=HOUR),
    }
    sent: Notice = await desk.sent((await desk.send(Notice(**about | fields))).name)
    assert sent.channel == SMS
    return sent


async def stays_sent(desk: Any, before: Notice, step: str, why: str) -> Notice:
    """It is SENT as it was, once it is told that another channel was asked about; nobody is to call."""

    async def decided() -> bool:
        steps = (await desk.explain(before.name)).decisions
        return (step, why) in [(each.step, each.reason_code) for each in steps]

    await eventually(decided)
    notice: Notice = await desk.sent(before.name)
    assert (notice.channel, notice.send_time) == (SMS, before.send_time)
    explained = await desk.explain(notice.name)
    assert explained.summary.startswith("Sent by sms on ")
    for fact in ("NoticeSuppressed", "NoticeFailed", "NoticeUnknown", CALLED):
        assert await desk.told(fact) == []
    return notice


@pytest.mark.parametrize("why", ["consent-denied", "suppressed", "no-address"])
async def test_who_is_not_reached_on_the_other_channel_was_sent_it(
    desk: Any, allowed: dict[int, str], why: str
) -> None:
    allowed[EMAIL] = why
    notice = await texted(desk)
    desk.clock.advance(timedelta(hours=2))
    await stays_sent(desk, notice, "fallback", "not-delivered")
    assert len(await desk.told("NoticeSent")) == len(await desk.told("NoticeRequested")) == 1


async def test_of_what_arrived_after_nothing_else_could_be_tried_it_is_said_so(
    desk: Any, allowed: dict[int, str]
) -> None:
    allowed[EMAIL] = "no-address"
    notice = await texted(desk)
    desk.clock.advance(timedelta(hours=2))
    await stays_sent(desk, notice, "fallback", "not-delivered")
    [text] = await desk.attempts(notice)
    assert desk.state(await desk.report(text.provider_key, "DELIVERED")) == "DELIVERED"


async def test_of_what_came_back_after_nothing_else_could_be_tried_a_person_tells(
    desk: Any, allowed: dict[int, str]
) -> None:
    allowed[EMAIL] = "no-address"
    notice = await texted(desk)
    desk.clock.advance(timedelta(hours=2))
    await stays_sent(desk, notice, "fallback", "not-delivered")
    [text] = await desk.attempts(notice)
    await desk.report(text.provider_key, "TEMPORARY_FAILURE")
    failed = await desk.reached(notice.name, "FAILED")
    assert failed.reason_code == "bounced"
    assert len(await desk.told(CALLED)) == 1


async def test_a_mail_server_that_refuses_the_recipient_denies_no_text(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = ["550 5.1.1 no such user"]
    notice = await texted(desk)
    desk.clock.advance(timedelta(hours=2))
    await refused(desk, notice)
    notice = await stays_sent(desk, notice, "fallback", "not-delivered")
    text, _ = await desk.attempts(notice)
    failed = await desk.report(text.provider_key, "TEMPORARY_FAILURE")
    assert (desk.state(failed), failed.reason_code) == ("FAILED", "bounced")
    assert len(desk.gateway.asked) == 1


async def refused(desk: Any, notice: Notice) -> None:
    """Wait until the mail was refused."""

    async def ended() -> bool:
        return [each for each, _ in await desk.outcomes(notice)] == ["ACCEPTED", "PERMANENT_FAILURE"]

    await eventually(ended)


async def test_a_mail_server_that_is_down_until_it_is_of_no_more_use_denies_no_text(desk: Any) -> None:
    desk.mail.refusals["MAIL"] = ["421 4.3.2 down"] * 1000
    notice = await texted(desk)
    desk.clock.advance(timedelta(hours=2))

    async def tried() -> bool:
        return len(await desk.outcomes(notice)) > 1

    await eventually(tried)
    desk.clock.advance(timedelta(days=30))
    await stays_sent(desk, notice, "fallback", "not-delivered")
    assert len(await desk.told("NoticeSent")) == 2


async def test_what_waits_for_another_channel_is_not_taken_back_for_it_was_sent(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = ["450 4.2.0 greylisted"]
    notice = await texted(desk)
    desk.clock.advance(timedelta(hours=2))
    await desk.reached(notice.name, "REQUESTED")
    assert (await desk.explain(notice.name)).summary.startswith("Sent by sms on ")
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.notices.CancelNotice(notice_service_pb2.CancelNoticeRequest(name=notice.name))
    assert reason(refusal.value) == "NOTICE_UNDER_WAY"
    desk.clock.advance(timedelta(hours=1))
    assert (await desk.sent(notice.name)).channel == EMAIL


async def test_a_lost_answer_of_the_mail_denies_no_text(desk: Any) -> None:
    desk.mail.replies = [desk.mail.DROP]
    notice = await texted(desk)
    desk.clock.advance(timedelta(hours=2))

    async def lost() -> bool:
        return [each for each, _ in await desk.outcomes(notice)] == ["ACCEPTED", "UNKNOWN"]

    await eventually(lost)
    await stays_sent(desk, notice, "fallback", "not-delivered")
    text, mail = await desk.attempts(notice)
    failed = await desk.report(text.provider_key, "TEMPORARY_FAILURE")
    assert (desk.state(failed), failed.reason_code) == ("UNKNOWN", "outcome-unknown")
    assert desk.state(await desk.report(mail.provider_key, "DELIVERED")) == "DELIVERED"


async def test_what_its_provider_reports_before_its_answer_is_known_goes_on_in_silence_too(desk: Any) -> None:
    desk.gateway.answers = [desk.gateway.DROP]
    both = DeliveryStrategy(channels=[SMS, EMAIL], fallback_after=HOUR)
    about = {"customer": desk.customer, "kind": "news", "template": "templates/short"}
    notice = await desk.send(Notice(**about, delivery=both))

    async def lost() -> bool:
        return [each for each, _ in await desk.outcomes(notice)] == ["UNKNOWN"]

    await eventually(lost)
    [text] = await desk.attempts(notice)
    assert desk.state(await desk.report(text.provider_key, "DELAYED")) == "SENT"
    desk.clock.advance(timedelta(hours=2))

    async def mailed() -> bool:
        found = await desk.get(notice.name)
        return bool(desk.state(found) == "SENT" and found.channel == EMAIL)

    assert await eventually(mailed)
    assert (len(desk.mail.received), len(desk.gateway.asked)) == (1, 1)


BACK = "TEMPORARY_FAILURE"


@pytest.mark.parametrize("of_mail", ["DELIVERED", BACK])
@pytest.mark.parametrize("of_text", ["DELIVERED", BACK, "DELAYED"])
async def test_what_became_of_two_messages_is_the_same_in_every_order(
    desk: Any, of_text: str, of_mail: str
) -> None:
    """That one of them arrived counts, whichever came back; what nobody reports of was sent."""
    arrived, back = "DELIVERED" in (of_text, of_mail), of_text == of_mail == BACK
    expected = "DELIVERED" if arrived else "FAILED" if back else "SENT"
    for order in permutations([0, 1]):
        notice = await texted(desk)
        desk.clock.advance(timedelta(hours=2))

        async def mailed(name: str = notice.name) -> bool:
            found = await desk.get(name)
            return bool(desk.state(found) == "SENT" and found.channel == EMAIL)

        await eventually(mailed)
        attempts = await desk.attempts(notice)
        for which in (*order, *order):
            last = await desk.report(attempts[which].provider_key, (of_text, of_mail)[which])
        assert desk.state(last) == expected
    assert len(await desk.told(CALLED)) == (2 if back else 0)
