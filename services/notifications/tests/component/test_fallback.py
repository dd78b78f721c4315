"""From channel to channel: never two at once, each asked for anew, and once whatever comes late."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.duration_pb2 import Duration

from notifications.domain.provider import FAILURES_MAX
from notifications.jobs.sending import Sending
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import consent_service_pb2
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.notifications.v1 import notice_pb2, template_pb2
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.provider_pb2 import Provider
from rapport.notifications.v1.provider_service_pb2 import GetProviderRequest
from rapport.notifications.v1.provider_service_pb2_grpc import ProviderServiceStub
from rapport_testing.wait import eventually

EMAIL, SMS, APP = channel_pb2.CHANNEL_EMAIL, channel_pb2.CHANNEL_SMS, channel_pb2.CHANNEL_APP
ADDRESSES = {EMAIL: "maria@example.com", SMS: "+4930901820"}
NOBODY = "550 5.1.1 no such user"
HOUR = Duration(seconds=3600)


@pytest.fixture(autouse=True)
async def allowed(desk: Any) -> dict[int, str]:
    """The channels on which the customer is reached, in the order that they prefer, each with why not."""
    channels = {EMAIL: "", SMS: ""}
    answer = desk.peers.customers.answer

    def reached_by(request: Any) -> consent_service_pb2.CheckContactResponse:
        why = "consent-denied"
        for channel in channels:
            if channel in request.channels and not (why := channels[channel]):
                told = consent_service_pb2.CheckContactResponse()
                told.CopyFrom(answer)
                told.channel, told.address = channel, ADDRESSES[channel]
                return told
        return consent_service_pb2.CheckContactResponse(reason_code=why)

    desk.peers.customers.reached_by = reached_by
    text = template_pb2.TemplateText(subject="News", body="Hello {{ customer_name }}, {{ contact_name }}")
    await desk.create_template("short", text)
    return channels


def by_channels(channels: list[int], fallback_after: Duration | None = None) -> DeliveryStrategy:
    return DeliveryStrategy(channels=channels, fallback_after=fallback_after)


async def send(desk: Any, **fields: Any) -> notice_pb2.Notice:
    """A notice of service, about a case."""
    case = f"cases/{desk.customer[10:]}"
    about = {"customer": desk.customer, "kind": "news", "template": "templates/short", "case": case}
    sent: notice_pb2.Notice = await desk.send(notice_pb2.Notice(**about | fields))
    return sent


async def by(desk: Any, notice: notice_pb2.Notice) -> list[tuple[int, int]]:
    """The channel and the outcome of each attempt."""
    return [(each.channel, each.outcome) for each in await desk.attempts(notice)]


async def test_who_is_refused_on_one_channel_is_told_on_the_next(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = [NOBODY]
    notice = await desk.sent((await send(desk)).name)
    assert notice.channel == SMS
    assert await desk.outcomes(notice) == [("PERMANENT_FAILURE", "550 5.1.1"), ("ACCEPTED", "202")]
    assert [channel for channel, _ in await by(desk, notice)] == [EMAIL, SMS]
    explained = await desk.explain(notice.name)
    [step] = [each for each in explained.decisions if each.step == "fallback"]
    assert (step.reason_code, dict(step.inputs)) == ("refused", {"channel": "email"})
    asked = [list(each.channels) for each in desk.peers.customers.asked]
    assert asked == [[EMAIL, SMS, APP], [SMS]]
    assert await desk.told("NoticeCallRequested") == []


async def test_who_is_refused_on_one_channel_shows_that_its_provider_works(desk: Any) -> None:
    desk.mail.refusals["MAIL"] = ["550 5.7.1 not you"] * (FAILURES_MAX - 1)

    async def refused() -> None:
        notice = await send(desk)

        async def tried() -> bool:
            return bool(await desk.outcomes(notice))

        await eventually(tried)

    for _ in range(FAILURES_MAX - 1):
        await refused()
    desk.mail.refusals["RCPT"] = [NOBODY]
    await desk.sent((await send(desk)).name)
    desk.mail.refusals["MAIL"] = ["550 5.7.1 not you"]
    await refused()
    stub: Any = desk.running.stub(ProviderServiceStub)
    found = await stub.GetProvider(GetProviderRequest(name="providers/smtp"))
    assert found.state == Provider.STATE_AVAILABLE


async def test_the_strategy_of_a_notice_goes_before_what_the_customer_prefers(desk: Any) -> None:
    notice = await desk.sent((await send(desk, delivery=by_channels([SMS, EMAIL]))).name)
    assert (notice.channel, list(notice.delivery.channels)) == (SMS, [SMS, EMAIL])
    assert desk.mail.received == []


async def test_a_channel_that_the_customer_does_not_allow_is_passed_over(
    desk: Any, allowed: dict[int, str]
) -> None:
    allowed[SMS] = "consent-denied"
    notice = await desk.sent((await send(desk, delivery=by_channels([SMS, EMAIL]))).name)
    assert notice.channel == EMAIL
    assert desk.gateway.asked == []


@pytest.mark.parametrize("why", ["consent-denied", "suppressed", "no-address"])
async def test_when_no_channel_is_left_it_has_failed_and_a_person_is_to_call(
    desk: Any, allowed: dict[int, str], why: str
) -> None:
    desk.mail.refusals["RCPT"] = [NOBODY]
    allowed[SMS] = why
    notice = await desk.reached((await send(desk)).name, "FAILED")
    assert notice.reason_code == "refused"
    [call] = await desk.told("NoticeCallRequested")
    assert (call.data.notice, call.data.reason_code) == (notice.name, "refused")


async def test_only_what_its_strategy_names_is_tried(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = [NOBODY]
    await desk.reached((await send(desk, delivery=by_channels([EMAIL]))).name, "FAILED")
    assert desk.gateway.asked == []


async def test_both_refuse(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = [NOBODY]
    desk.gateway.answers = [b"422 Unprocessable"]
    notice = await desk.reached((await send(desk)).name, "FAILED")
    assert [each for each, _ in await desk.outcomes(notice)] == ["PERMANENT_FAILURE"] * 2
    assert len(await desk.told("NoticeCallRequested")) == 1


async def test_what_may_have_arrived_goes_to_no_other_channel(desk: Any) -> None:
    desk.gateway.answers = [b"DROP"]
    notice = await send(desk, delivery=by_channels([SMS, EMAIL]))

    async def lost() -> bool:
        return [each for each, _ in await desk.outcomes(notice)] == ["UNKNOWN"]

    await eventually(lost)
    desk.clock.advance(timedelta(minutes=20))
    assert (await desk.sent(notice.name)).channel == SMS
    assert desk.mail.received == []


@pytest.mark.parametrize("text", [b"422 Unprocessable", b"202 Accepted"])
async def test_what_a_gateway_sends_once_gives_the_mail_after_it_no_repeats(desk: Any, text: bytes) -> None:
    desk.gateway.answers, desk.mail.replies = [text], [desk.mail.DROP]
    notice = await send(desk, delivery=by_channels([SMS, EMAIL], HOUR))
    if text.startswith(b"2"):
        await desk.sent(notice.name)
        desk.clock.advance(timedelta(hours=2))
    await tried(desk, notice, 2)
    # What was accepted is never denied, whatever becomes of what follows it.
    notice = await desk.reached(notice.name, "SENT" if text.startswith(b"2") else "UNKNOWN")
    assert notice.channel == (SMS if text.startswith(b"2") else EMAIL)
    assert len(desk.mail.received) == 1


async def test_the_date_of_a_promise_is_told_on_the_next_channel_when_nobody_was_told_it(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = [NOBODY]
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    assert notice.channel == SMS
    assert len(await desk.told("NoticeSent")) == 1


async def tried(desk: Any, notice: notice_pb2.Notice, count: int) -> None:
    """Wait until so many attempts at it have ended."""

    async def ended() -> bool:
        outcomes = [each for each, _ in await desk.outcomes(notice)]
        return len(outcomes) == count and "PENDING" not in outcomes

    await eventually(ended)


async def bounced(desk: Any, notice: notice_pb2.Notice) -> notice_pb2.Notice:
    """What becomes of it when its first message comes back."""
    first = (await desk.attempts(notice))[0]
    told: notice_pb2.Notice = await desk.report(first.provider_key, "TEMPORARY_FAILURE")
    return told


async def test_what_comes_back_is_sent_by_the_next_channel_once(desk: Any) -> None:
    notice = await desk.sent((await send(desk)).name)
    again = await bounced(desk, notice)
    assert desk.state(again) == "REQUESTED"
    notice = await desk.sent(notice.name)
    assert notice.channel == SMS
    assert desk.state(await bounced(desk, notice)) == "SENT"  # told again, and of what is told otherwise
    assert (len(desk.mail.accepted), len(desk.gateway.sent)) == (1, 1)
    second = (await desk.attempts(notice))[1]
    failed = await desk.report(second.provider_key, "TEMPORARY_FAILURE")
    assert (desk.state(failed), failed.reason_code) == ("FAILED", "bounced")
    assert len(await desk.told("NoticeCallRequested")) == 1


async def test_what_comes_back_before_anybody_is_missed_goes_on_at_once(desk: Any) -> None:
    notice = await desk.sent((await send(desk, delivery=by_channels([EMAIL, SMS], HOUR))).name)
    assert desk.state(await bounced(desk, notice)) == "REQUESTED"
    notice = await desk.sent(notice.name)
    assert notice.channel == SMS
    desk.clock.advance(timedelta(hours=2))
    await desk.sent((await send(desk)).name)
    assert (len(desk.mail.accepted), len(desk.gateway.sent)) == (2, 1)


async def test_what_comes_back_while_its_silence_is_looked_at_goes_on_once(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = await desk.sent((await send(desk, delivery=by_channels([EMAIL, SMS], HOUR))).name)
    look, came_back = Sending._in_silence, []

    async def looked_at(sending: Sending, notice_id: UUID) -> Any:
        came_back.append(await bounced(desk, notice))
        return await look(sending, notice_id)

    monkeypatch.setattr(Sending, "_in_silence", looked_at)
    desk.clock.advance(timedelta(hours=2))
    await eventually(lambda: came_back)
    notice = await desk.sent(notice.name)
    assert notice.channel == SMS
    assert (len(desk.mail.accepted), len(desk.gateway.sent)) == (1, 1)


async def test_what_comes_back_before_its_repeat_goes_on_instead(desk: Any) -> None:
    desk.gateway.answers = [b"DROP"]
    notice = await send(desk, delivery=by_channels([SMS, EMAIL]))

    async def waits_in_doubt() -> bool:
        done = [each for each, _ in await desk.outcomes(notice)] == ["UNKNOWN"]
        return done and desk.state(await desk.get(notice.name)) == "REQUESTED"

    await eventually(waits_in_doubt)
    assert desk.state(await bounced(desk, notice)) == "REQUESTED"
    assert (await desk.sent(notice.name)).channel == EMAIL
    desk.clock.advance(timedelta(hours=1))
    await desk.sent((await send(desk)).name)
    assert len(desk.gateway.asked) == 1


async def test_the_date_of_a_promise_that_came_back_is_a_persons_to_tell(desk: Any) -> None:
    event = desk.at_risk()
    await desk.hear(event)
    failed = await bounced(desk, await desk.notice_in("SENT", event.promise))
    assert (desk.state(failed), failed.reason_code) == ("FAILED", "bounced")
    assert desk.gateway.asked == []
    assert len(await desk.told("NoticeCallRequested")) == 1


async def test_an_address_that_there_is_not_is_suppressed_on_its_own_channel(desk: Any) -> None:
    notice = await desk.sent((await send(desk)).name)
    first = (await desk.attempts(notice))[0]
    await bounced(desk, notice)
    await desk.sent(notice.name)
    await desk.report(first.provider_key, "PERMANENT_FAILURE")
    [asked] = desk.peers.suppressions.asked
    assert asked.suppression.type == Identifier.TYPE_EMAIL


async def test_when_nobody_reports_in_time_the_next_channel_is_taken(desk: Any) -> None:
    notice = await desk.sent((await send(desk, delivery=by_channels([SMS, EMAIL], HOUR))).name)
    desk.clock.advance(timedelta(minutes=59))
    assert desk.mail.received == []
    desk.clock.advance(timedelta(minutes=2))
    await eventually(lambda: desk.mail.accepted)
    notice = await desk.sent(notice.name)
    assert notice.channel == EMAIL
    assert len(desk.gateway.sent) == 1


async def test_what_is_reported_in_time_is_told_once(desk: Any) -> None:
    notice = await desk.sent((await send(desk, delivery=by_channels([SMS, EMAIL], HOUR))).name)
    [first] = await desk.attempts(notice)
    await desk.report(first.provider_key, "DELIVERED")
    desk.clock.advance(timedelta(hours=2))
    other = await send(desk)  # which is looked at after what was due before
    await desk.sent(other.name)
    assert len(desk.mail.accepted) == 1
    assert desk.state(await desk.get(notice.name)) == "DELIVERED"


async def test_a_late_report_stops_what_has_not_left(desk: Any) -> None:
    notice = await desk.sent((await send(desk, delivery=by_channels([SMS, EMAIL], HOUR))).name)
    [first] = await desk.attempts(notice)
    desk.mail.refusals["RCPT"] = ["450 4.2.0 greylisted"]
    desk.clock.advance(timedelta(hours=2))

    async def waits() -> bool:
        return len(await desk.outcomes(notice)) == 2

    await eventually(waits)
    arrived = await desk.report(first.provider_key, "DELIVERED")
    assert desk.state(arrived) == "DELIVERED"
    desk.clock.advance(timedelta(hours=2))
    await desk.sent((await send(desk)).name)
    assert len(desk.mail.accepted) == 1


async def test_channels_are_those_of_notices_each_once(desk: Any) -> None:
    wrong = send(desk, delivery=by_channels([channel_pb2.CHANNEL_FAX, SMS]))
    assert await desk.violations(wrong) == {"notice.delivery.channels[0]": "INVALID_ENUM"}
    policy = desk.update_policy("promise-at-risk", delivery=by_channels([channel_pb2.CHANNEL_UNSPECIFIED]))
    assert await desk.violations(policy) == {"notice_policy.delivery.channels[0]": "INVALID_ENUM"}
    notice = await send(desk, delivery=by_channels([SMS, EMAIL, SMS], HOUR))
    assert notice.delivery == by_channels([SMS, EMAIL], HOUR)


async def test_who_tells_of_promises_says_channels_alone(desk: Any) -> None:
    policy = await desk.update_policy("promise-at-risk", delivery=by_channels([SMS]))
    assert policy.delivery == by_channels([SMS])
    event = desk.at_risk()
    await desk.hear(event)
    assert (await desk.notice_in("SENT", event.promise)).channel == SMS
    silent = desk.update_policy("promise-at-risk", delivery=by_channels([SMS], HOUR))
    assert await desk.violations(silent) == {"notice_policy.delivery.fallback_after": "INVALID_CODE"}
    assert not (await desk.update_policy("promise-at-risk", delivery=None)).HasField("delivery")
