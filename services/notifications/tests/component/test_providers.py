"""Providers that take nothing: they are left alone, what is for them waits, and nothing is lost."""

from datetime import timedelta
from functools import partial
from typing import Any

import grpc
import pytest

from chassis.api.messages import moment
from notifications.domain.provider import FAILURES_MAX, KEPT, PAUSE, SOON
from notifications.jobs.gate import Gate
from rapport.common.v1 import channel_pb2
from rapport.notifications.v1 import notice_pb2, provider_pb2, provider_service_pb2, template_pb2
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.provider_service_pb2_grpc import ProviderServiceStub
from rapport_testing.wait import eventually

AVAILABLE = provider_pb2.Provider.STATE_AVAILABLE
UNAVAILABLE = provider_pb2.Provider.STATE_UNAVAILABLE
DOWN = b"500 Oops"
ONLY_TEXTED = DeliveryStrategy(channels=[channel_pb2.CHANNEL_SMS])
WON = template_pb2.TemplateText(subject="You have won", body="{{ customer_name }}, {{ contact_name }}")


@pytest.fixture(autouse=True)
async def by_sms(desk: Any) -> None:
    """The customer service answers that this customer is to be texted; there is something to say."""
    text_by_sms(desk)
    text = template_pb2.TemplateText(subject="News", body="Hello {{ customer_name }}, {{ contact_name }}")
    await desk.create_template("short", text)


def text_by_sms(desk: Any) -> None:
    desk.peers.customers.answer.channel = channel_pb2.CHANNEL_SMS
    desk.peers.customers.answer.address = "+4930901820"


async def request(desk: Any, **fields: Any) -> notice_pb2.Notice:
    notice = notice_pb2.Notice(
        customer=desk.customer, kind="news", template="templates/short", case=f"cases/{desk.customer[10:]}"
    )
    notice.MergeFrom(notice_pb2.Notice(**fields))
    sent: notice_pb2.Notice = await desk.send(notice)
    return sent


async def provider(desk: Any, name: str = "providers/gateway") -> provider_pb2.Provider:
    stub: Any = desk.running.stub(ProviderServiceStub)
    found: provider_pb2.Provider = await stub.GetProvider(provider_service_pb2.GetProviderRequest(name=name))
    return found


async def is_in(desk: Any, state: int, name: str = "providers/gateway") -> provider_pb2.Provider:
    async def found() -> provider_pb2.Provider | None:
        seen = await provider(desk, name)
        return seen if seen.state == state else None

    reached = await eventually(found)
    assert reached is not None
    return reached


async def broken(desk: Any, *, and_more: int = 0) -> list[notice_pb2.Notice]:
    """Notices by which the gateway of text messages was found to be down; it stays so for `and_more`."""
    desk.gateway.answers = [DOWN] * (FAILURES_MAX + and_more)
    notices = [await request(desk) for _ in range(FAILURES_MAX)]
    await is_in(desk, UNAVAILABLE)
    return notices


async def all_sent(desk: Any, notices: list[notice_pb2.Notice], name: str = "providers/gateway") -> None:
    """One finds that it works again, and the others follow."""
    desk.clock.advance(timedelta(minutes=20))
    await is_in(desk, AVAILABLE, name)
    desk.clock.advance(timedelta(minutes=6))
    for notice in notices:
        await desk.sent(notice.name)


async def deferred(desk: Any, notice: notice_pb2.Notice) -> notice_pb2.Notice:
    async def found() -> notice_pb2.Notice | None:
        seen: notice_pb2.Notice = await desk.get(notice.name)
        return seen if seen.defer_reason_code else None

    waiting = await eventually(found)
    assert waiting is not None
    return waiting


async def test_a_provider_that_fails_is_left_alone_and_what_is_for_it_waits(desk: Any) -> None:
    before = await provider(desk)
    assert (before.state, before.channel) == (AVAILABLE, channel_pb2.CHANNEL_SMS)
    notices = await broken(desk)
    waiting = await deferred(desk, await request(desk))
    assert waiting.defer_reason_code == "provider-unavailable"
    assert len(desk.gateway.asked) == FAILURES_MAX
    away = await provider(desk)
    assert (away.sent_count, away.failed_count, away.waiting_count) == (0, FAILURES_MAX, 1)
    assert away.last_error_code == "500"
    assert away.retry_time == waiting.defer_time
    told = (await desk.explain(waiting.name)).summary
    assert "takes nothing from us" in told
    await all_sent(desk, [*notices, waiting])
    well = await provider(desk)
    assert (well.sent_count, well.waiting_count) == (FAILURES_MAX + 1, 0)
    assert len(desk.gateway.sent) == len(desk.gateway.asked) - FAILURES_MAX == FAILURES_MAX + 1


async def test_what_fails_once_its_provider_is_back_waits_for_that_no_more(desk: Any) -> None:
    """Nothing says of it that it waits for a time that is past."""
    await broken(desk)
    waiting = await deferred(desk, await request(desk))
    desk.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    desk.clock.advance(timedelta(minutes=20))

    async def tried() -> notice_pb2.Notice | None:
        seen: notice_pb2.Notice = await desk.get(waiting.name)
        return seen if seen.attempt_count else None

    failed = await eventually(tried)
    assert (failed.defer_reason_code, failed.HasField("defer_time")) == ("", False)
    assert "attempt 2 failed (customer-unavailable)" in (await desk.explain(waiting.name)).summary
    assert (await provider(desk)).waiting_count == 0


async def test_one_message_tries_whether_it_works_again(desk: Any) -> None:
    notices = await broken(desk, and_more=1)
    first = await provider(desk)
    desk.clock.advance(PAUSE + timedelta(minutes=5))

    async def tried_in_vain() -> bool:
        return (await provider(desk)).retry_time.ToNanoseconds() > first.retry_time.ToNanoseconds()

    await eventually(tried_in_vain)
    again = await is_in(desk, UNAVAILABLE)
    assert again.state_time == first.state_time
    for notice in notices:
        await desk.reached(notice.name, "REQUESTED")
    assert len(desk.gateway.asked) == FAILURES_MAX + 1
    await all_sent(desk, notices)


async def tried(desk: Any, name: str = "providers/gateway") -> provider_pb2.Provider:
    stub: Any = desk.running.stub(ProviderServiceStub)
    found: provider_pb2.Provider = await stub.TryProvider(provider_service_pb2.TryProviderRequest(name=name))
    return found


async def test_one_that_was_mended_is_tried_before_its_time_and_what_waited_follows(desk: Any) -> None:
    await broken(desk)
    waiting = [await deferred(desk, await request(desk)) for _ in range(2)]
    asked = await tried(desk)
    assert asked.retry_time.ToNanoseconds() < waiting[0].defer_time.ToNanoseconds()
    await is_in(desk, AVAILABLE)
    desk.clock.advance(SOON)
    for notice in waiting:
        await desk.sent(notice.name)


async def test_one_that_takes_messages_need_not_be_tried(desk: Any) -> None:
    before = await provider(desk)
    assert await tried(desk) == before
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await tried(desk, "providers/pigeon")
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND


async def test_one_that_is_down_stops_no_other(desk: Any) -> None:
    await broken(desk)
    desk.peers.customers.answer.channel = channel_pb2.CHANNEL_EMAIL
    desk.peers.customers.answer.address = "maria@example.com"
    await desk.sent((await request(desk)).name)
    assert (await provider(desk, "providers/smtp")).state == AVAILABLE


async def test_what_is_refused_for_the_recipients_sake_says_that_it_works(desk: Any) -> None:
    desk.gateway.answers = [b"422 Unprocessable"] * (FAILURES_MAX + 1)
    for _ in range(FAILURES_MAX + 1):
        await desk.reached((await request(desk)).name, "FAILED")
    assert (await provider(desk)).state == AVAILABLE


async def test_mail_that_some_recipients_cannot_take_now_says_nothing_of_the_server(desk: Any) -> None:
    desk.peers.customers.answer.channel = channel_pb2.CHANNEL_EMAIL
    desk.peers.customers.answer.address = "maria@example.com"
    desk.mail.refusals["RCPT"] = ["450 4.2.1 greylisted"] * FAILURES_MAX
    for _ in range(FAILURES_MAX):
        notice = await request(desk)

        async def tried(notice: Any = notice) -> bool:
            return bool(await desk.outcomes(notice))

        await eventually(tried)
    await desk.sent((await request(desk)).name)


@pytest.mark.parametrize(
    "answer", ["550 5.7.1 relaying denied", "452 4.5.3 too many recipients, daily quota"]
)
async def test_a_mail_server_that_does_not_want_us_is_left_alone(desk: Any, answer: str) -> None:
    desk.peers.customers.answer.channel = channel_pb2.CHANNEL_EMAIL
    desk.peers.customers.answer.address = "maria@example.com"
    desk.mail.refusals["RCPT"] = [answer] * FAILURES_MAX
    notices = [await request(desk) for _ in range(FAILURES_MAX)]
    await is_in(desk, UNAVAILABLE, "providers/smtp")
    waiting = await deferred(desk, await request(desk))
    await all_sent(desk, [*notices, waiting], "providers/smtp")
    assert len(desk.mail.accepted) == FAILURES_MAX + 1


def mail(desk: Any) -> None:
    desk.peers.customers.answer.channel = channel_pb2.CHANNEL_EMAIL
    desk.peers.customers.answer.address = "maria@example.com"


async def tried_in_vain(desk: Any, notice: notice_pb2.Notice) -> bool:
    return "TEMPORARY_FAILURE" in [outcome for outcome, _ in await desk.outcomes(notice)]


async def test_what_it_takes_for_spam_of_one_department_stops_no_other(desk: Any) -> None:
    mail(desk)
    await desk.create_template("won", WON)
    desk.mail.unwanted = ["won"]
    for _ in range(FAILURES_MAX + 1):
        notice = await request(desk, template="templates/won")
        await eventually(partial(tried_in_vain, desk, notice))
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "554 5.7.1")]
    seen = await provider(desk, "providers/smtp")
    assert (seen.state, seen.last_error_code) == (AVAILABLE, "554 5.7.1")
    await desk.sent((await request(desk)).name)


async def test_a_server_that_takes_everything_for_spam_is_left_alone_and_tried(desk: Any) -> None:
    mail(desk)
    await desk.create_template("won", WON)
    desk.mail.unwanted = ["won", "News"]
    wanted = [await request(desk, template="templates/won")]
    await eventually(partial(tried_in_vain, desk, wanted[0]))
    wanted += [await request(desk) for _ in range(FAILURES_MAX)]
    await is_in(desk, UNAVAILABLE, "providers/smtp")
    desk.mail.unwanted = []
    await all_sent(desk, wanted, "providers/smtp")


async def test_the_most_urgent_that_waits_tries_whether_it_works_again(desk: Any) -> None:
    await desk.create_template("alarm", WON, urgent=True)
    await broken(desk)
    await deferred(desk, await request(desk))
    waiting = await deferred(desk, await request(desk, template="templates/alarm"))
    desk.clock.advance(moment(waiting.defer_time) - desk.clock.now() + timedelta(seconds=1))
    await is_in(desk, AVAILABLE)
    tried = next(iter(desk.gateway.sent.values()))
    assert "Hello" not in str(tried)  # as the other says, which waited for longer
    await desk.sent(waiting.name)


async def test_one_that_takes_us_again_is_available_though_the_first_message_is_not_wanted(desk: Any) -> None:
    mail(desk)
    desk.mail.refusals["MAIL"] = ["550 5.7.1 not now"] * FAILURES_MAX
    for _ in range(FAILURES_MAX):
        await request(desk)
    await is_in(desk, UNAVAILABLE, "providers/smtp")
    desk.mail.unwanted = ["News"]
    desk.clock.advance(timedelta(minutes=20))
    await is_in(desk, AVAILABLE, "providers/smtp")


async def test_one_that_a_process_with_other_settings_does_not_have_is_kept_for_a_day(desk: Any) -> None:
    app = desk.running.app
    other = Gate(app.db, {}, 1)
    await other.open([])
    assert (await provider(desk)).state == AVAILABLE
    desk.clock.advance(KEPT + timedelta(seconds=1))
    await other.open([])
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await provider(desk)
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    await desk.sent((await request(desk)).name)
    assert (await provider(desk)).state == AVAILABLE


async def test_what_was_of_no_more_use_by_then_is_a_persons_to_tell(desk: Any) -> None:
    await broken(desk)
    until = desk.clock.now() + timedelta(seconds=20)
    waiting = await request(desk, expire_time=until)
    await deferred(desk, waiting)
    desk.clock.advance(timedelta(seconds=25))
    ended = await desk.reached(waiting.name, "SUPPRESSED")
    assert ended.reason_code == "expired"
    told = [each.data.notice for each in await desk.told("NoticeCallRequested")]
    assert told == [waiting.name]


async def test_the_list_has_what_the_installation_has(desk: Any) -> None:
    stub: Any = desk.running.stub(ProviderServiceStub)
    found = await stub.ListProviders(provider_service_pb2.ListProvidersRequest())
    shown = [each.name for each in found.providers]
    assert shown == ["providers/gateway", "providers/inbox", "providers/smtp"]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await provider(desk, "providers/pigeon")
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND


class TestWithARate:
    """A provider that gets one message a minute."""

    @pytest.fixture
    def gateway(self, gateway: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Set before the service starts, which needs the gateway."""
        monkeypatch.setenv("RAPPORT_SMS_PER_MINUTE", "1")
        return gateway

    async def test_what_waits_has_a_place_by_age_and_what_is_urgent_goes_before(self, desk: Any) -> None:
        hello = template_pb2.TemplateText(subject="Mind", body="{{ customer_name }}, {{ contact_name }}")
        await desk.create_template("alarm", hello, urgent=True)
        await desk.sent((await request(desk)).name)
        asked = len(desk.peers.customers.asked)
        times = []
        for _ in range(3):
            notice = await request(desk, delivery=ONLY_TEXTED)
            times.append(moment((await deferred(desk, notice)).defer_time))
        assert [later - times[0] for later in times] == [timedelta(minutes=each) for each in range(3)]
        urgent = await request(desk, template="templates/alarm", delivery=ONLY_TEXTED)
        assert moment((await deferred(desk, urgent)).defer_time) < times[0]
        assert len(desk.peers.customers.asked) == asked  # nobody is asked about what has to wait

    async def test_it_gets_no_more_and_what_waits_has_its_turn(self, desk: Any) -> None:
        first = await request(desk)
        await desk.sent(first.name)
        second = await request(desk)
        assert (await deferred(desk, second)).defer_reason_code == "provider-busy"
        assert len(desk.gateway.asked) == 1
        desk.clock.advance(timedelta(minutes=1))
        await desk.sent(second.name)
