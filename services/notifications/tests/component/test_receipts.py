"""What a provider reports after it accepted a message: in any order, late, and again."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.api.messages import timestamp
from chassis.errors import FailedPrecondition, NotFound, Unavailable
from chassis.grpc.status import reason
from rapport.customer.v1.suppression_pb2 import Suppression
from rapport_testing.wait import eventually

ADDRESS = "canary.maria@example.com"
DROP = "250 an answer that is lost"
TOLD = ["DELAYED", "DELIVERED", "TECHNICAL_FAILURE", "TEMPORARY_FAILURE", "PERMANENT_FAILURE"]


async def sent(desk: Any) -> tuple[Any, str]:
    """A notice of a risk that a provider accepted, and its key there."""
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    [attempt] = await desk.attempts(notice)
    return notice, attempt.provider_key


def moment(minutes: int) -> datetime:
    return datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(minutes=minutes)


async def test_that_a_message_arrived_is_told_once(desk: Any) -> None:
    notice, key = await sent(desk)
    at = timestamp(moment(1))
    for _ in range(10):
        delivered = await desk.report(key, "DELIVERED", provider_code="2.0.0", occur_time=at)
    assert desk.state(delivered) == "DELIVERED"
    assert delivered.deliver_time == at
    [attempt] = await desk.attempts(notice)
    assert (attempt.outcome, attempt.delivery) == (2, 1)
    assert (attempt.delivery_code, attempt.delivery_time) == ("2.0.0", at)
    [told] = await desk.told("NoticeDelivered")
    assert (told.data.notice, told.data.deliver_time) == (notice.name, at)
    assert len(await desk.told("NoticeSent")) == 1
    assert "It arrived on" in (await desk.explain(notice.name)).summary


async def test_a_message_that_came_back_is_told_by_a_person(desk: Any) -> None:
    notice, key = await sent(desk)
    for _ in range(3):
        bounced = await desk.report(key, "PERMANENT_FAILURE", provider_code="5.1.1")
    assert (desk.state(bounced), bounced.reason_code) == ("FAILED", "bounced")
    [failed] = await desk.told("NoticeFailed")
    assert failed.data.reason_code == "bounced"
    [nobody] = await desk.told("NoticeCallRequested")
    assert (nobody.data.notice, nobody.data.reason_code) == (notice.name, "bounced")
    explained = await desk.explain(notice.name)
    assert "Not delivered: the provider accepted it and could not deliver it." in explained.summary


async def test_what_the_provider_still_tries_is_noted_and_nothing_more(desk: Any) -> None:
    notice, key = await sent(desk)
    delayed = await desk.report(key, "DELAYED", provider_code="4.2.2")
    assert desk.state(delayed) == "SENT"
    [attempt] = await desk.attempts(notice)
    assert (attempt.delivery, attempt.delivery_code) == (2, "4.2.2")
    assert await desk.told("NoticeCallRequested") == []


@pytest.mark.parametrize("seed", range(4))
async def test_reports_in_any_order_come_to_the_same(desk: Any, seed: int) -> None:
    """All that a careless provider may say of one message, ten times each: a person is to tell them once."""
    notice, key = await sent(desk)
    reports = [(what, i) for i, what in enumerate(TOLD)] * 10
    random.Random(seed).shuffle(reports)
    for what, minutes in reports:
        await desk.report(key, what, occur_time=timestamp(moment(minutes)))
    assert (await desk.get(notice.name)).reason_code == "bounced"
    [attempt] = await desk.attempts(notice)
    assert (attempt.delivery, attempt.delivery_time) == (4, timestamp(moment(4)))
    assert len(await desk.told("NoticeFailed")) == len(await desk.told("NoticeCallRequested")) == 1
    assert len(await desk.told("NoticeSent")) == 1
    assert len(await desk.told("NoticeDelivered")) <= 1


async def unanswered(desk: Any) -> Any:
    """The attempt at a notice of a risk whose answer was lost, and which a repeat is to follow."""
    desk.mail.replies = [DROP, DROP]
    event = desk.at_risk()
    await desk.hear(event)

    async def lost() -> Any:
        notices = await desk.notices_of(event.promise)
        attempts = await desk.attempts(notices[0]) if notices else []
        return attempts[0] if attempts and attempts[0].outcome == 5 else None

    return event, await eventually(lost)


async def test_of_a_lost_answer_a_report_is_as_good(desk: Any) -> None:
    event, attempt = await unanswered(desk)
    delivered = await desk.report(attempt.provider_key, "DELIVERED")
    assert desk.state(delivered) == "DELIVERED"
    desk.clock.advance(timedelta(minutes=10))
    assert len(desk.mail.received) == 1  # it is not repeated
    [told] = await desk.told("NoticeSent")
    assert told.data.told_promise.promise == event.promise


async def test_what_came_back_without_an_answer_is_never_said_to_have_been_sent(desk: Any) -> None:
    _, attempt = await unanswered(desk)
    bounced = await desk.report(attempt.provider_key, "PERMANENT_FAILURE", provider_code="5.1.1")
    assert (desk.state(bounced), bounced.reason_code) == ("FAILED", "bounced")
    [nobody] = await desk.told("NoticeCallRequested")
    assert nobody.data.reason_code == "bounced"
    assert await desk.told("NoticeSent") == []  # by which its promise would move
    desk.clock.advance(timedelta(minutes=10))
    assert len(desk.mail.received) == 1  # it is not repeated


async def test_a_report_that_is_faster_than_the_answer_is_to_be_repeated(desk: Any) -> None:
    desk.mail.gate.clear()
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SENDING", event.promise)
    [attempt] = await desk.attempts(notice)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.report(attempt.provider_key, "PERMANENT_FAILURE")
    assert reason(refusal.value) == "NOTICE_SENDING"
    desk.mail.gate.set()
    await desk.notice_in("SENT", event.promise)
    await desk.report(attempt.provider_key, "PERMANENT_FAILURE")
    assert desk.state(await desk.get(notice.name)) == "FAILED"


async def test_a_key_that_nobody_of_us_made_is_not_found(desk: Any) -> None:
    notice, key = await sent(desk)
    for forged in (f"<{uuid4()}@acme.example>", key.upper(), key.replace("acme", "evil"), "%", "<>"):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await desk.report(forged, "PERMANENT_FAILURE")
        assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
    assert desk.state(await desk.get(notice.name)) == "SENT"


async def test_a_key_is_that_of_the_provider_who_reports(desk: Any) -> None:
    notice, key = await sent(desk)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.report(key, "PERMANENT_FAILURE", provider="providers/vonage")
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
    assert desk.state(await desk.get(notice.name)) == "SENT"
    assert desk.state(await desk.report(key, "DELIVERED", provider="providers/smtp")) == "DELIVERED"


async def test_an_address_that_there_is_not_is_suppressed_once(desk: Any) -> None:
    _, key = await sent(desk)
    for _ in range(3):
        await desk.report(key, "PERMANENT_FAILURE", recipient=ADDRESS.upper())
    [asked] = desk.peers.suppressions.asked
    told = asked.suppression
    assert (told.reason, told.category, told.source) == (Suppression.REASON_HARD_BOUNCE, "", "dsn")
    assert (told.address, told.identifier) == (ADDRESS, f"{desk.customer}/identifiers/1")
    assert ADDRESS not in str(await desk.running.published())


async def test_what_came_back_is_where_it_went_whatever_the_customer_has_and_says_now(desk: Any) -> None:
    _, key = await sent(desk)
    desk.peers.customers.answer.address = "canary.new@example.com"
    desk.peers.customers.answer.allowed = False
    await desk.report(key, "PERMANENT_FAILURE")
    [asked] = desk.peers.suppressions.asked
    went_to = f"{desk.customer}/identifiers/1"
    assert (asked.suppression.identifier, asked.suppression.address) == (went_to, "")


async def test_of_an_address_that_is_the_customers_no_more_nothing_is_left_to_suppress(desk: Any) -> None:
    _, key = await sent(desk)
    desk.peers.profiles.address = ""
    desk.peers.suppressions.failure = NotFound(f"{desk.customer}/identifiers/1")
    bounced = await desk.report(key, "PERMANENT_FAILURE", recipient=ADDRESS)
    assert bounced.reason_code == "bounced"


async def test_where_nobody_said_whose_address_it_was_none_is_suppressed(desk: Any) -> None:
    desk.peers.customers.identifies = False
    _, key = await sent(desk)
    await desk.report(key, "PERMANENT_FAILURE", recipient=ADDRESS)
    assert desk.peers.suppressions.asked == []


async def test_what_is_reported_of_another_address_than_it_went_to_is_not_the_customers(desk: Any) -> None:
    notice, key = await sent(desk)
    for delivery, complaint in (
        ("PERMANENT_FAILURE", False),
        ("PERMANENT_FAILURE", True),
        ("TEMPORARY_FAILURE", False),
        ("DELIVERED", True),
    ):
        told = {"provider_code": "5.1.1", "recipient": "list@example.com", "complaint": complaint}
        assert await desk.report(key, delivery, **told) == notice
    [attempt] = await desk.attempts(notice)
    assert (attempt.delivery, attempt.delivery_code) == (0, "")
    assert desk.peers.suppressions.asked == await desk.told("NoticeCallRequested") == []
    assert desk.peers.customers.said == []
    bounced = await desk.report(key, "PERMANENT_FAILURE", provider_code="5.1.1", recipient=ADDRESS)
    assert bounced.reason_code == "bounced"
    _, key = await sent(desk)  # from where it went it was passed on, so that it was there
    assert desk.state(await desk.report(key, "DELIVERED", recipient="list@example.com")) == "DELIVERED"


async def test_a_report_of_what_is_no_address_suppresses_none_and_is_told_by_a_person(desk: Any) -> None:
    _, key = await sent(desk)
    assert desk.state(await desk.report(key, "PERMANENT_FAILURE", recipient="nobody")) == "FAILED"
    assert desk.peers.suppressions.asked == []


async def test_a_full_mailbox_suppresses_nothing_and_is_told_by_a_person(desk: Any) -> None:
    _, key = await sent(desk)
    bounced = await desk.report(key, "TEMPORARY_FAILURE", provider_code="5.2.2", recipient=ADDRESS)
    assert bounced.reason_code == "bounced"
    assert desk.peers.suppressions.asked == []
    assert len(await desk.told("NoticeCallRequested")) == 1


async def test_who_complains_gets_no_more_of_that_category(desk: Any) -> None:
    """Also after it: the consent that they gave before is withdrawn, from when they complained."""
    notice, key = await sent(desk)
    at = timestamp(desk.clock.now())
    for _ in range(3):
        kept = await desk.report(key, "DELIVERED", complaint=True, occur_time=at)
    assert desk.state(kept) == "DELIVERED"
    [attempt] = await desk.attempts(notice)
    assert attempt.complaint_time == at
    [asked] = desk.peers.suppressions.asked
    told = asked.suppression
    assert (told.reason, told.category) == (Suppression.REASON_COMPLAINT, "service")
    assert told.source == "feedback-loop"
    [said] = desk.peers.customers.said
    assert said.consent.name == f"{desk.customer}/consents/service.email"
    assert (said.consent.state, said.consent.proof) == (2, notice.name)
    assert said.consent.effective_time == at


async def test_who_complains_of_what_came_back_is_heeded_in_either_order(desk: Any) -> None:
    _, key = await sent(desk)
    await desk.report(key, "PERMANENT_FAILURE")
    await desk.report(key, "DELIVERED", complaint=True)
    bounced, complained = (asked.suppression for asked in desk.peers.suppressions.asked)
    assert bounced.reason == Suppression.REASON_HARD_BOUNCE
    assert (complained.reason, complained.category) == (Suppression.REASON_COMPLAINT, "service")
    assert complained.identifier == bounced.identifier == f"{desk.customer}/identifiers/1"


async def test_a_complaint_that_was_heeded_and_not_kept_is_heeded_when_another_report_tells_it(
    desk: Any,
) -> None:
    notice, key = await sent(desk)
    desk.peers.customers.loses_answers = True
    with pytest.raises(grpc.aio.AioRpcError):
        await desk.report(key, "DELIVERED", complaint=True, occur_time=timestamp(moment(1)))
    desk.peers.customers.loses_answers = False
    await desk.report(key, "DELIVERED", complaint=True, occur_time=timestamp(moment(2)))
    [attempt] = await desk.attempts(notice)
    assert attempt.complaint_time == timestamp(moment(2))
    assert desk.peers.customers.said[-1].consent.effective_time == timestamp(moment(2))


async def test_what_cannot_be_heeded_yet_is_not_kept_and_heeded_when_it_comes_again(desk: Any) -> None:
    notice, key = await sent(desk)
    desk.peers.suppressions.failure = Unavailable("STOPPING", "told to")
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.report(key, "PERMANENT_FAILURE", recipient=ADDRESS)
    assert reason(refusal.value) == "DEPENDENCY_UNAVAILABLE"
    assert desk.state(await desk.get(notice.name)) == "SENT"
    desk.peers.suppressions.failure = None
    await desk.report(key, "PERMANENT_FAILURE", recipient=ADDRESS)
    assert desk.state(await desk.get(notice.name)) == "FAILED"
    assert len(desk.peers.suppressions.asked) == 1


async def test_without_a_key_for_addresses_the_rest_is_heeded(desk: Any) -> None:
    """A person tells them, and who complained is believed: nothing waits for a suppression."""
    desk.peers.suppressions.failure = FailedPrecondition("NO_ADDRESS_PEPPER", "told to")
    _, key = await sent(desk)
    complained = await desk.report(key, "DELIVERED", complaint=True)
    assert desk.state(complained) == "DELIVERED"
    [said] = desk.peers.customers.said
    assert said.consent.name == f"{desk.customer}/consents/service.email"
    bounced = await desk.report(key, "PERMANENT_FAILURE", recipient=ADDRESS)
    assert bounced.reason_code == "bounced"
    assert len(await desk.told("NoticeCallRequested")) == 1
