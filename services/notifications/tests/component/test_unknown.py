"""What happens when an answer is lost: at most one repeat, to the byte, and it is said that nobody knows."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.api.messages import timestamp
from chassis.telemetry.metrics import WORK_REPEATS
from rapport.notifications.v1 import notice_pb2, notice_service_pb2, template_pb2
from rapport_testing.wait import eventually

LONG_ENOUGH = timedelta(minutes=10)
DROP = "250 an answer that is lost"


async def attempted(desk: Any, promise: str, *outcomes: str) -> notice_pb2.Notice:
    """The notice about a promise, once its attempts have ended so."""

    async def found() -> Any:
        notices = await desk.notices_of(promise)
        done = [outcome for outcome, _ in await desk.outcomes(notices[0])] if notices else []
        return notices[0] if done == list(outcomes) else None

    notice: notice_pb2.Notice = await eventually(found)
    return notice


async def test_a_lost_answer_is_repeated_once_with_the_same_bytes(desk: Any) -> None:
    before = WORK_REPEATS.labels("notice-send")._value.get()
    desk.mail.replies = [DROP]
    event = desk.at_risk()
    await desk.hear(event)
    await attempted(desk, event.promise, "UNKNOWN")
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("SENT", event.promise)
    assert [outcome for outcome, _ in await desk.outcomes(notice)] == ["UNKNOWN", "ACCEPTED"]
    first, second = desk.mail.raw
    assert first == second
    assert WORK_REPEATS.labels("notice-send")._value.get() == before + 1
    assert len(await desk.told("NoticeSent")) == 1
    assert "is not known" not in (await desk.explain(notice.name)).summary


async def test_two_lost_answers_are_the_end_and_nobody_knows(desk: Any) -> None:
    desk.mail.replies = [DROP, DROP]
    event = desk.at_risk()
    await desk.hear(event)
    await attempted(desk, event.promise, "UNKNOWN")
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("UNKNOWN", event.promise)
    assert notice.reason_code == "outcome-unknown"
    [told] = await desk.told("NoticeUnknown")
    assert (told.data.promise, told.data.reason_code) == (event.promise, "outcome-unknown")
    assert "is not known" in (await desk.explain(notice.name)).summary
    other = desk.at_risk()
    await desk.hear(other)
    await desk.notice_in("SENT", other.promise)
    assert len(desk.mail.received) == 3


async def test_only_what_may_have_arrived_twice_is_counted_as_repeated(desk: Any) -> None:
    desk.mail.replies = [DROP]
    lost = desk.at_risk()
    await desk.hear(lost)
    await attempted(desk, lost.promise, "UNKNOWN")
    desk.mail.refusals["RCPT"] = ["450 4.2.0 greylisted"]
    greylisted = desk.at_risk()
    await desk.hear(greylisted)
    await attempted(desk, greylisted.promise, "TEMPORARY_FAILURE")
    desk.clock.advance(LONG_ENOUGH)
    tried = [await desk.notice_in("SENT", each.promise) for each in (lost, greylisted)]
    assert [notice.attempt_count for notice in tried] == [2, 2]
    answer = await desk.notices.ReportNotices(
        notice_service_pb2.ReportNoticesRequest(
            start_time=timestamp(desk.in_days(-1)),
            end_time=timestamp(desk.in_days(1)),
            group_by=notice_service_pb2.ReportNoticesRequest.GROUP_BY_CHANNEL,
        )
    )
    assert (answer.total.sent_count, answer.total.repeat_count) == (2, 1)


async def test_an_answer_that_takes_hours_is_waited_for_and_costs_no_repeat(desk: Any) -> None:
    desk.mail.gate.clear()
    event = desk.at_risk()
    await desk.hear(event)
    await eventually(lambda: len(desk.mail.received) == 1)
    desk.clock.advance(timedelta(hours=3))
    other = desk.at_risk()
    await desk.hear(other)
    await eventually(lambda: len(desk.mail.received) == 2)  # and others are served meanwhile
    assert desk.state((await desk.notices_of(event.promise))[0]) == "SENDING"
    desk.mail.gate.set()
    await desk.notice_in("SENT", event.promise)
    await desk.notice_in("SENT", other.promise)
    assert len(desk.mail.received) == 2


async def test_a_receipt_is_not_repeated(desk: Any) -> None:
    text = template_pb2.TemplateText(subject="Received", body="{{ contact_name }} has it.")
    await desk.create_template("receipt", text)
    desk.mail.replies = [DROP]
    sent = await desk.send(receipt(desk))
    notice = await desk.reached(sent.name, "UNKNOWN")
    desk.clock.advance(LONG_ENOUGH)
    assert notice.reason_code == "outcome-unknown"
    again = await desk.send(receipt(desk))
    await desk.sent(again.name)
    assert len(desk.mail.received) == 2


async def test_a_repeat_whose_words_have_changed_is_not_made(desk: Any) -> None:
    desk.mail.replies = [DROP]
    event = desk.at_risk()
    await desk.hear(event)
    await attempted(desk, event.promise, "UNKNOWN")
    desk.peers.customers.answer.display_name = "Maria Canary-Anders"
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("UNKNOWN", event.promise)
    assert len(desk.mail.received) == 1
    assert (await desk.outcomes(notice))[-1] == ("PERMANENT_FAILURE", "not-repeatable")
    assert notice.reason_code == "not-repeatable"  # which no provider said


@pytest.mark.parametrize("forbid", ["consent", "expiry"])
async def test_what_may_have_been_told_is_not_said_to_be_suppressed_or_failed(desk: Any, forbid: str) -> None:
    desk.mail.replies = [DROP]
    event = desk.at_risk(forecast_days=1)
    await desk.hear(event)
    await attempted(desk, event.promise, "UNKNOWN")
    if forbid == "consent":
        desk.peers.customers.answer.allowed = False
        desk.peers.customers.answer.reason_code = "consent-denied"
    desk.clock.advance(LONG_ENOUGH if forbid == "consent" else timedelta(days=1))
    notice = await desk.notice_in("UNKNOWN", event.promise)
    assert notice.reason_code == ("consent-denied" if forbid == "consent" else "gave-up")


async def test_a_newer_date_replaces_a_message_whose_answer_was_lost(desk: Any) -> None:
    desk.mail.replies = [DROP]
    event = desk.at_risk()
    await desk.hear(event)
    await attempted(desk, event.promise, "UNKNOWN")
    newer = desk.at_risk(promise=event.promise, forecast_days=9)
    await desk.hear(newer, version=3)
    notice = await desk.notice_in("SENT", event.promise)
    first, second = desk.mail.received
    assert first["Message-ID"] != second["Message-ID"]
    assert [outcome for outcome, _ in await desk.outcomes(notice)] == ["ACCEPTED"]
    perhaps = (await desk.notices_of(event.promise))[1]
    assert (desk.state(perhaps), perhaps.reason_code) == ("UNKNOWN", "outcome-unknown")
    assert [outcome for outcome, _ in await desk.outcomes(perhaps)] == ["UNKNOWN"]


def receipt(desk: Any) -> notice_pb2.Notice:
    return notice_pb2.Notice(customer=desk.customer, kind="receipt", template="templates/receipt")
