"""Who said yes where that is confirmed is sent what they confirm it with, by the channel that it is about."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.api.messages import timestamp
from chassis.errors import FailedPrecondition
from rapport.common.v1 import channel_pb2, states_pb2
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_events_pb2 import ConsentRequested, ConsentUpdated
from rapport.notifications.v1 import notice_pb2
from rapport_testing.wait import eventually

LINK = "https://care.acme.example/c/canary-token_0815/confirm"
EMAIL, SMS = channel_pb2.CHANNEL_EMAIL, channel_pb2.CHANNEL_SMS
SUPPRESSED = states_pb2.NOTICE_STATE_SUPPRESSED


async def said_yes(desk: Any, about: str = "marketing.email", version: int = 1) -> str:
    """They said yes to what they have to confirm; the consent."""
    purpose, _, channel = about.partition(".")
    event = ConsentRequested(
        consent=f"{desk.customer}/consents/{about}",
        customer=desk.customer,
        purpose=f"purposes/{purpose}",
        channel=channel_pb2.Channel.Value(f"CHANNEL_{channel.upper()}"),
        source="web-form",
        confirm_expire_time=timestamp(desk.in_days(7)),
    )
    await desk.running.deliver(event, resource=event.consent, version=version, source="customer")
    return event.consent


async def asking(desk: Any, state: Any = states_pb2.NOTICE_STATE_SENT) -> notice_pb2.Notice:
    """The notice that asks them, once it is so."""
    return await eventually(lambda: in_state(desk, state))


async def in_state(desk: Any, state: Any) -> notice_pb2.Notice | None:
    async with desk.running.db.connection() as connection:
        listed = await connection.fetch("SELECT id FROM notices")
    for each in listed:
        notice = await desk.get(f"notices/{each['id']}")
        if notice.state == state:
            return notice
    return None


async def test_who_said_yes_gets_one_link_to_confirm_it_and_none_to_their_pages(desk: Any) -> None:
    consent = await said_yes(desk)
    notice = await asking(desk)
    [asked] = desk.peers.customers.issued
    assert (asked.name, asked.identifier) == (consent, f"{desk.customer}/identifiers/1")
    [message] = desk.mail.accepted
    body = message.get_body(("plain",)).get_content()
    assert body.count(LINK) == body.count("/c/") == 1
    assert message["Subject"] == "Please confirm: Canary news"
    assert message["List-Unsubscribe"] is None
    facts, explained = await desk.running.published(), await desk.explain(notice.name)
    assert "canary-token" not in f"{notice}{explained}{await desk.attempts(notice)}{facts}"


@pytest.mark.parametrize(
    ("about", "channels"),
    [("marketing.email", [EMAIL]), ("marketing.sms", [SMS]), ("marketing.voice", [EMAIL, SMS])],
)
async def test_it_is_asked_by_the_channel_that_it_is_about_where_that_proves_something(
    desk: Any, about: str, channels: list[Any]
) -> None:
    desk.peers.customers.reached_by = lambda _: desk.peers.customers.answer  # whatever is asked about
    consent = await said_yes(desk, about)
    await asking(desk)
    assert desk.peers.customers.issued[0].name == consent
    assert desk.peers.customers.asked[-1].channels == channels


async def test_what_comes_back_is_not_asked_again_of_the_same_address(desk: Any) -> None:
    await said_yes(desk)
    notice = await asking(desk)
    [first] = await desk.attempts(notice)
    failed = await desk.report(first.provider_key, "TEMPORARY_FAILURE")
    assert (desk.state(failed), failed.reason_code) == ("FAILED", "bounced")
    assert len(desk.peers.customers.issued) == len(desk.mail.accepted) == 1


async def test_what_is_confirmed_or_taken_back_meanwhile_is_not_asked(desk: Any) -> None:
    refusal = FailedPrecondition("CONSENT_NOT_REQUESTED", "It waits for no confirmation.")
    desk.peers.customers.no_token = refusal
    await said_yes(desk)
    assert (await asking(desk, SUPPRESSED)).reason_code == "cause-gone"
    assert not desk.mail.received


async def test_what_they_say_while_it_waits_withdraws_it(desk: Any) -> None:
    answer = desk.peers.customers.answer
    answer.allowed, answer.reason_code = False, "quiet-hours"
    answer.open_time.CopyFrom(timestamp(desk.in_days(1)))
    consent = await said_yes(desk)
    await asking(desk, states_pb2.NOTICE_STATE_REQUESTED)
    denied = ConsentUpdated(consent=consent, customer=desk.customer, state=Consent.STATE_DENIED)
    await desk.running.deliver(denied, resource=consent, version=2, source="customer")
    assert (await asking(desk, SUPPRESSED)).reason_code == "cause-gone"
    desk.clock.advance(timedelta(days=2))
    assert not desk.peers.customers.issued
