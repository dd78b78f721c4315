"""The inbox that a customer reads in an app: each message once, read once, and gone when it is old."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.context import Call, acting, service_itself
from notifications.channels import inbox as channel
from notifications.names import CUSTOMER
from notifications.usecases.inbox import EXPIRY_TIMER, READ_TIMER
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import consent_service_pb2
from rapport.notifications.v1 import inbox_service_pb2 as pb
from rapport.notifications.v1 import notice_pb2, template_pb2
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.inbox_service_pb2_grpc import InboxServiceStub
from rapport_testing.wait import eventually
from services.notifications.tests.component.merging import another_name

APP, EMAIL, SMS = channel_pb2.CHANNEL_APP, channel_pb2.CHANNEL_EMAIL, channel_pb2.CHANNEL_SMS
HOUR = Duration(seconds=3600)
SUBJECT = "Your card 💳 ערב"
BODY = "Hello {{ customer_name }}, {{ contact_name }}{% if pages_link %} {{ pages_link }}{% endif %}"


@pytest.fixture
async def inbox(desk: Any) -> Any:
    return desk.running.stub(InboxServiceStub)


@pytest.fixture(autouse=True)
async def reached(desk: Any) -> None:
    """The customer is reached in the app, for which they need no address, and by mail."""
    customers = desk.peers.customers
    customers.answer.address, customers.identifies = "", False
    customers.answer.channel = APP
    await desk.create_template("short", template_pb2.TemplateText(subject=SUBJECT, body=BODY))


def strategy(*channels: Any, **fields: Any) -> DeliveryStrategy:
    return DeliveryStrategy(channels=channels, **fields)


async def send(desk: Any, **fields: Any) -> notice_pb2.Notice:
    about = {
        "customer": desk.customer,
        "kind": "news",
        "template": "templates/short",
        "delivery": strategy(APP),
    }
    sent: notice_pb2.Notice = await desk.send(notice_pb2.Notice(**about | fields))
    return sent


async def listed(desk: Any, inbox: Any, **fields: Any) -> pb.ListInboxMessagesResponse:
    request = pb.ListInboxMessagesRequest(**{"parent": desk.customer} | fields)
    found: pb.ListInboxMessagesResponse = await inbox.ListInboxMessages(request)
    return found


async def read(desk: Any, inbox: Any, *names: str, whose: str = "") -> int:
    """Mark messages as read; how many are unread then."""
    request = pb.MarkInboxMessagesReadRequest(parent=whose or desk.customer, names=names)
    return int((await inbox.MarkInboxMessagesRead(request)).unread_count)


async def test_a_notice_is_put_into_the_inbox_as_it_would_be_mailed(desk: Any, inbox: Any) -> None:
    notice = await desk.sent((await send(desk)).name)
    assert notice.channel == APP
    page = await listed(desk, inbox)
    [message] = page.inbox_messages
    assert (message.notice, message.subject, message.language_code) == (notice.name, SUBJECT, "en")
    # Whose address it is nobody says, for there is none: no link to their pages is kept with it.
    assert message.body == "Hello Canary Maria Anders, Sam Reed"
    assert (page.unread_count, message.HasField("read_time")) == (1, False)
    assert message.expire_time.ToDatetime() - message.create_time.ToDatetime() == timedelta(days=90)
    assert await inbox.GetInboxMessage(pb.GetInboxMessageRequest(name=message.name)) == message
    [attempt] = await desk.attempts(notice)
    assert attempt.provider == "providers/inbox"
    assert attempt.provider_key == f"inbox.{notice.name.removeprefix('notices/')}.0"
    assert desk.mail.received == []
    assert "Canary" not in str(await desk.running.published())


async def test_who_prefers_it_is_asked_about_it_too_and_nobody_else_is_sent_there(
    desk: Any, inbox: Any
) -> None:
    notice = await desk.sent((await send(desk, delivery=strategy())).name)
    assert APP in desk.peers.customers.asked[0].channels
    assert (notice.channel, (await listed(desk, inbox)).unread_count) == (APP, 1)
    desk.peers.customers.answer.channel, desk.peers.customers.answer.address = EMAIL, "maria@example.com"
    desk.mail.refusals["RCPT"] = ["550 5.1.1 no such user"]
    await desk.reached((await send(desk, delivery=strategy())).name, "FAILED")
    assert (await listed(desk, inbox)).unread_count == 1


async def test_an_answer_that_is_lost_puts_it_there_once(
    desk: Any, inbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, lost = channel.put, []

    async def losing(*args: Any) -> None:
        await put(*args)
        if len(lost) < 3:
            lost.append(args)
            raise RuntimeError("lost")

    monkeypatch.setattr(channel, "put", losing)
    notice = await send(desk)

    async def unknown(times: int) -> bool:
        return [outcome for outcome, _ in await desk.outcomes(notice)].count("UNKNOWN") == times

    for times in (1, 2, 3):
        await eventually(lambda n=times: unknown(n))
        desk.clock.advance(timedelta(minutes=20))
    await desk.sent(notice.name)
    assert [each for each, _ in await desk.outcomes(notice)] == ["UNKNOWN"] * 3 + ["ACCEPTED"]
    assert (await listed(desk, inbox)).unread_count == 1


async def test_twenty_who_put_it_there_at_once_put_it_there_once(desk: Any, inbox: Any) -> None:
    messages: list[Any] = []
    app = desk.running.app
    kept = channel.InboxChannel(app.db, channel.Inboxes(app.broadcast), timedelta(days=1))
    for _ in range(20):
        now = desk.clock.now()
        own = {"id": uuid4(), "customer_id": CUSTOMER.ids(desk.customer)[0], "notice": f"notices/{uuid4()}"}
        words = {"subject": "a", "body": "b", "html": "", "language_code": "en"}
        times = {"create_time": now, "expire_time": now + timedelta(days=1)}
        messages.append(channel.InboxMessage(key="one.0", **own, **words, **times))

    async def ready(fingerprint: str) -> None: ...

    with acting(Call("test", service_itself("notifications"))):
        await asyncio.gather(*(kept.send(each, ready, lambda: None) for each in messages))
    assert (await listed(desk, inbox)).unread_count == 1


async def test_what_is_read_is_delivered_and_reading_it_again_changes_nothing(desk: Any, inbox: Any) -> None:
    notices = [await desk.sent((await send(desk)).name) for _ in range(3)]
    newest, middle, oldest = (await listed(desk, inbox)).inbox_messages
    assert [each.notice for each in (oldest, middle, newest)] == [each.name for each in notices]
    assert await read(desk, inbox, oldest.name, newest.name) == 1
    await desk.reached(oldest.notice, "DELIVERED")
    delivered = await desk.reached(newest.notice, "DELIVERED")
    [left] = (await listed(desk, inbox, filter="NOT read_time:*")).inbox_messages
    assert left == middle
    desk.clock.advance(timedelta(hours=1))
    assert await read(desk, inbox, newest.name) == 1
    [known] = (await listed(desk, inbox, page_size=1)).inbox_messages
    assert known.read_time == delivered.deliver_time
    [event] = [each for each in await desk.told("NoticeDelivered") if each.data.notice == newest.notice]
    assert event.data.channel == APP


async def test_what_is_no_message_of_theirs_is_not_found_and_then_none_is_noted(
    desk: Any, inbox: Any
) -> None:
    await desk.sent((await send(desk)).name)
    [message] = (await listed(desk, inbox)).inbox_messages
    stranger = f"customers/{uuid4()}"
    for whose, names in (
        (desk.customer, [message.name, f"{desk.customer}/inboxMessages/{uuid4()}"]),
        (desk.customer, [message.name, message.name.replace(desk.customer, stranger)]),
        (stranger, [message.name]),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await read(desk, inbox, *names, whose=whose)
        assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    assert (await listed(desk, inbox)).unread_count == 1
    assert (await listed(desk, inbox, parent=stranger)) == pb.ListInboxMessagesResponse()
    other = message.name.replace(desk.customer, stranger)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await inbox.GetInboxMessage(pb.GetInboxMessageRequest(name=other))
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND


async def test_what_is_read_while_it_is_put_there_is_delivered_once_that_is_known(
    desk: Any, inbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = channel.put

    async def read_at_once(*args: Any) -> None:
        await put(*args)
        [message] = (await listed(desk, inbox)).inbox_messages
        assert await read(desk, inbox, message.name) == 0
        await desk.running.fire(READ_TIMER)  # which finds that it is being handed over

    monkeypatch.setattr(channel, "put", read_at_once)
    notice = await desk.sent((await send(desk)).name)
    desk.clock.advance(timedelta(seconds=5))
    await desk.reached(notice.name, "DELIVERED")


async def test_what_is_not_read_in_time_goes_on_by_mail_and_what_is_read_does_not(
    desk: Any, inbox: Any
) -> None:
    customers = desk.peers.customers

    def reached_by(request: Any) -> Any:
        customers.answer.channel = request.channels[0]
        customers.answer.address = "" if request.channels[0] == APP else "maria@example.com"
        return customers.answer

    customers.reached_by = reached_by
    first = {"delivery": strategy(APP, EMAIL, fallback_after=HOUR)}
    kept, unread = [await desk.sent((await send(desk, **first)).name) for _ in range(2)]
    [message] = [each for each in (await listed(desk, inbox)).inbox_messages if each.notice == kept.name]
    await read(desk, inbox, message.name)
    await desk.reached(kept.name, "DELIVERED")
    desk.clock.advance(timedelta(hours=1, minutes=1))

    async def mailed() -> bool:
        return bool((await desk.get(unread.name)).channel == EMAIL)

    assert await eventually(mailed)
    await desk.sent(unread.name)
    assert len(desk.mail.received) == 1
    assert (await desk.get(kept.name)).channel == APP


async def test_what_is_read_after_it_went_on_is_the_inboxs_and_nothing_more_is_sent(
    desk: Any, inbox: Any
) -> None:
    customers = desk.peers.customers

    def reached_by(request: Any) -> Any:
        first = customers.answer.channel = request.channels[0]
        customers.answer.address = {APP: "", SMS: "+4930901820", EMAIL: "maria@example.com"}[first]
        return customers.answer

    customers.reached_by = reached_by
    three = strategy(APP, SMS, EMAIL, fallback_after=HOUR)
    notice = await desk.sent((await send(desk, delivery=three)).name)
    desk.clock.advance(timedelta(minutes=61))

    async def texted() -> bool:
        found = await desk.get(notice.name)
        return bool(found.channel == SMS and desk.state(found) == "SENT")

    assert await eventually(texted)
    [message] = (await listed(desk, inbox)).inbox_messages
    await read(desk, inbox, message.name)
    assert (await desk.reached(notice.name, "DELIVERED")).channel == APP
    put, text = await desk.attempts(notice)
    assert (put.delivery, text.delivery) == (
        DeliveryAttempt.DELIVERY_DELIVERED,
        DeliveryAttempt.DELIVERY_UNSPECIFIED,
    )
    # The gateway may leave out who it is: its keys are none of the inbox.
    assert desk.state(await desk.report(text.provider_key, "PERMANENT_FAILURE")) == "DELIVERED"
    put, text = await desk.attempts(notice)
    assert (put.delivery, text.delivery) == (
        DeliveryAttempt.DELIVERY_DELIVERED,
        DeliveryAttempt.DELIVERY_PERMANENT_FAILURE,
    )
    assert desk.mail.received == []


def nowhere_but_in_the_app(desk: Any) -> None:
    """As the customer service answers of who has no address and prefers nothing."""
    customers = desk.peers.customers

    def reached_by(request: Any) -> Any:
        if request.app_for_everybody:
            return customers.answer
        return consent_service_pb2.CheckContactResponse(reason_code="no-address")

    customers.reached_by = reached_by


@pytest.mark.parametrize("channels", [[EMAIL, APP], [APP, EMAIL], [APP]])
async def test_a_delay_that_could_be_told_in_the_inbox_alone_is_told_by_a_person(
    desk: Any, inbox: Any, channels: list[Any]
) -> None:
    await desk.update_policy("promise-at-risk", delivery=strategy(*channels))
    nowhere_but_in_the_app(desk)
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SUPPRESSED", event.promise)
    assert await desk.told("NoticeSent") == []
    assert len(await desk.told("NoticeCallRequested")) == 1
    assert (await listed(desk, inbox)).unread_count == 0


async def test_a_delay_that_the_mail_server_refuses_is_told_by_a_person(desk: Any, inbox: Any) -> None:
    await desk.update_policy("promise-at-risk", delivery=strategy(EMAIL, APP))
    customers = desk.peers.customers

    def reached_by(request: Any) -> Any:
        customers.answer.channel = request.channels[0]
        customers.answer.address = {APP: "", EMAIL: "maria@example.com"}[request.channels[0]]
        return customers.answer

    customers.reached_by = reached_by
    desk.mail.refusals["RCPT"] = ["550 5.1.1 no such user"]
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("FAILED", event.promise)
    assert len(await desk.told("NoticeCallRequested")) == 1
    assert (await listed(desk, inbox)).unread_count == 0


async def test_a_delay_is_told_in_the_inbox_of_who_prefers_it(desk: Any, inbox: Any) -> None:
    await desk.update_policy("promise-at-risk", delivery=strategy(APP, EMAIL))
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    assert (notice.channel, (await listed(desk, inbox)).unread_count) == (APP, 1)


async def test_the_inbox_is_no_last_resort_of_who_has_no_address(desk: Any, inbox: Any) -> None:
    nowhere_but_in_the_app(desk)
    notice = await desk.reached((await send(desk, delivery=strategy(EMAIL, APP))).name, "SUPPRESSED")
    assert (notice.reason_code, (await listed(desk, inbox)).unread_count) == ("no-address", 0)


async def test_merged_customers_have_one_inbox_under_any_of_their_names(desk: Any, inbox: Any) -> None:
    await desk.sent((await send(desk)).name)
    other = await another_name(desk)
    await desk.sent((await send(desk, customer=other)).name)
    pages = [await listed(desk, inbox, parent=each) for each in (desk.customer, other)]
    assert pages[0] == pages[1]
    assert pages[0].unread_count == 2
    newest, oldest = pages[0].inbox_messages
    assert newest.name.startswith(other)
    named = oldest.name.replace(desk.customer, other)
    assert await inbox.GetInboxMessage(pb.GetInboxMessageRequest(name=named)) == oldest
    assert await read(desk, inbox, newest.name, named) == 0


async def test_who_watches_gets_what_is_unread_then_what_comes_and_how_much_is_left(
    desk: Any, inbox: Any
) -> None:
    first = await desk.sent((await send(desk)).name)
    second = await desk.sent((await send(desk)).name)
    other = await another_name(desk)
    stream = inbox.WatchInbox(pb.WatchInboxRequest(parent=other))
    told = [await stream.read() for _ in range(2)]
    assert [each.inbox_message.notice for each in told] == [first.name, second.name]
    assert [each.unread_count for each in told] == [2, 2]
    third = await desk.sent((await send(desk)).name)
    come = await stream.read()
    assert (come.inbox_message.notice, come.unread_count) == (third.name, 3)
    await read(desk, inbox, *(each.inbox_message.name for each in told))
    left = await stream.read()
    assert (left.unread_count, left.HasField("inbox_message")) == (1, False)
    stream.cancel()


async def test_a_watch_of_an_empty_inbox_says_so_and_ends_at_its_age(desk: Any, inbox: Any) -> None:
    request = pb.WatchInboxRequest(parent=desk.customer, max_age=Duration(nanos=1))
    told = [each async for each in inbox.WatchInbox(request)]
    assert [(each.unread_count, each.HasField("inbox_message")) for each in told] == [(0, False)]


@pytest.mark.parametrize("channels", [[APP], []])
async def test_it_waits_for_no_mail_server(desk: Any, inbox: Any, channels: list[Any]) -> None:
    db = desk.running.app.db
    async with db.connection() as connection:
        await connection.execute(
            "UPDATE providers SET state = 'UNAVAILABLE', retry_time = $1 WHERE id <> 'inbox'",
            desk.in_days(1),
        )
    await desk.sent((await send(desk, delivery=strategy(*channels))).name)
    assert (await listed(desk, inbox)).unread_count == 1


async def test_what_is_old_is_deleted_and_its_notice_says_what_became_of_it(desk: Any, inbox: Any) -> None:
    notice = await desk.sent((await send(desk)).name)
    [message] = (await listed(desk, inbox)).inbox_messages
    await read(desk, inbox, message.name)
    await desk.reached(notice.name, "DELIVERED")
    desk.clock.advance(timedelta(days=89))
    await desk.running.fire(EXPIRY_TIMER)
    assert [each.name for each in (await listed(desk, inbox)).inbox_messages] == [message.name]
    desk.clock.advance(timedelta(days=1, hours=6))

    async def empty() -> bool:
        return (await listed(desk, inbox)) == pb.ListInboxMessagesResponse()

    assert await eventually(empty)
    assert desk.state(await desk.get(notice.name)) == "DELIVERED"


async def test_the_client_of_the_page_on_inboxes_shows_each_message_once_and_says_what_was_read(
    desk: Any, inbox: Any
) -> None:
    page = (Path(__file__).parents[4] / "docs" / "an-inbox-in-an-app.md").read_text()
    client: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], client)
    shown: list[Any] = []
    badges: list[int] = []
    notices = [await desk.sent((await send(desk)).name)]
    following = asyncio.create_task(client["follow"](inbox, desk.customer, shown.append, badges.append))
    await eventually(lambda: len(shown) == 1)
    notices.append(await desk.sent((await send(desk)).name))
    await eventually(lambda: len(shown) == 2)
    assert [each.notice for each in shown] == [each.name for each in notices]
    request_id = str(uuid4())
    for _ in range(2):
        assert await client["opened"](inbox, desk.customer, shown, request_id) == 0
    await eventually(lambda: badges[-1] == 0)
    following.cancel()
