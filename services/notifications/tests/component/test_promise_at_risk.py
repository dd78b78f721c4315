"""From a promise at risk to a customer who knows the new date, once."""

from datetime import timedelta
from typing import Any

from chassis.api.messages import moment
from rapport.cases.v1.cases_events_pb2 import PromiseKept
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport_testing.wait import eventually


async def test_the_customer_is_told_the_new_date_the_reason_and_whom_to_turn_to(desk: Any) -> None:
    event = desk.at_risk()
    event_id = await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    [mail] = desk.mail.accepted
    assert desk.mail.recipients == ["canary.maria@example.com"]
    assert mail["To"] == "Canary Maria Anders <canary.maria@example.com>"
    assert mail["From"] == "Acme <care@acme.example>"
    assert mail["Reply-To"] == "sam@acme.example"
    assert mail["Subject"] == "10248: a new date, Monday, 9 March 2026"
    body = mail.get_body(("plain",)).get_content()
    for part in (
        "I am sorry",
        "Thursday, 5 March 2026",
        "Monday, 9 March 2026",
        "The transport is taking longer",
        "Sam Reed",
    ):
        assert part in body
    assert "+49 30 1234 or sam@acme.example" in body
    assert "<strong>Monday, 9 March 2026</strong>" in mail.get_body(("html",)).get_content()
    assert mail["Message-ID"] == f"<{notice.name.removeprefix('notices/')}@acme.example>"
    assert (notice.channel, notice.template, notice.text_version) == (CHANNEL_EMAIL, "templates/delay", 1)
    assert len(notice.content_hash) == 64
    assert await desk.outcomes(notice) == [("ACCEPTED", "250")]

    [requested] = await desk.told("NoticeRequested")
    [sent] = await desk.told("NoticeSent")
    assert requested.causation_id == event_id
    assert sent.causation_id == requested.id
    assert sent.data.promise == event.promise
    assert sent.data.case == event.case
    assert moment(sent.data.send_time) == desk.clock.now()
    told = sent.data.told_promise
    assert (told.promise, told.promise_version, told.customer) == (event.promise, 2, desk.customer)
    assert moment(told.new_due_time) == moment(event.forecast_time)
    assert moment(told.tell_time) == desk.clock.now()
    assert (told.reason_code, sent.data.channel) == ("carrier-delay", CHANNEL_EMAIL)


async def test_a_redelivered_event_sends_no_second_mail(desk: Any) -> None:
    event = desk.at_risk()
    event_id = await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    await desk.hear(event, event_id=event_id)
    other = desk.at_risk()
    await desk.hear(other)  # handled after the repeat
    await desk.notice_in("SENT", other.promise)
    assert len(await desk.notices_of(event.promise)) == 1
    assert len(desk.mail.received) == 2


async def test_what_the_clock_put_at_risk_has_no_date_to_tell(desk: Any) -> None:
    soon = desk.at_risk(forecast_days=None, reason_code="due-soon")
    later = desk.at_risk()
    await desk.hear(soon)
    await desk.hear(later)
    await desk.notice_in("SENT", later.promise)
    assert await desk.notices_of(soon.promise) == []


async def test_a_newer_date_replaces_the_one_not_yet_sent(desk: Any) -> None:
    await desk.mail.stop()
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("REQUESTED", event.promise)
    await eventually(lambda: _failed_attempts(desk, event.promise, 1))
    newer = desk.at_risk(event.promise, forecast_days=9)
    newer_id = await desk.hear(newer, version=3)
    await eventually(lambda: _told(desk, "NoticeRequested", 2))
    await desk.mail.start()
    desk.clock.advance(timedelta(minutes=10))
    notice = await desk.notice_in("SENT", event.promise)
    assert len(await desk.notices_of(event.promise)) == 1
    [mail] = desk.mail.accepted
    assert "Wednesday, 11 March 2026" in mail["Subject"]
    assert notice.variables["new_date"] == (desk.clock.now() + timedelta(days=9, minutes=-10)).isoformat()
    [sent] = await desk.told("NoticeSent")
    assert moment(sent.data.told_promise.new_due_time) == moment(newer.forecast_time)
    assert sent.data.told_promise.promise_version == 3
    requested = await desk.told("NoticeRequested")
    assert requested[-1].causation_id == newer_id
    assert sent.causation_id == requested[-1].id


async def test_after_it_was_sent_the_same_promise_is_told_of_no_more(desk: Any) -> None:
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    await desk.hear(desk.at_risk(event.promise, forecast_days=9), version=3)
    other = desk.at_risk()
    await desk.hear(other)
    await desk.notice_in("SENT", other.promise)
    assert len(await desk.notices_of(event.promise)) == 1
    assert len(desk.mail.accepted) == 2


async def test_a_promise_that_was_kept_after_all_is_not_apologised_for(desk: Any) -> None:
    await desk.mail.stop()
    event = desk.at_risk()
    await desk.hear(event)
    await eventually(lambda: _failed_attempts(desk, event.promise, 1))
    await desk.hear(desk.about(PromiseKept, event.promise), version=3)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert notice.reason_code == "promise-ended"
    await desk.mail.start()
    desk.clock.advance(timedelta(hours=1))
    other = desk.at_risk()
    await desk.hear(other)
    await desk.notice_in("SENT", other.promise)
    assert len(desk.mail.accepted) == 1


async def test_a_date_that_has_passed_is_told_to_nobody(desk: Any) -> None:
    event = desk.at_risk(forecast_days=-1)
    await desk.hear(event)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert (notice.reason_code, notice.attempt_count) == ("expired", 0)
    [suppressed] = await desk.told("NoticeSuppressed")
    assert suppressed.data.reason_code == "expired"


async def _failed_attempts(desk: Any, promise: str, count: int) -> bool:
    notices = await desk.notices_of(promise)
    outcomes = await desk.outcomes(notices[0]) if notices else []
    return len(outcomes) == count and outcomes[-1][0] == "TEMPORARY_FAILURE"


async def _told(desk: Any, fact: str, count: int) -> bool:
    return len(await desk.told(fact)) == count
