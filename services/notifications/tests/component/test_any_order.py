"""Events only wake us: what is told is what the owner of the promise says at that moment, and once."""

import functools
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.type.date_pb2 import Date

from chassis.api.messages import moment
from rapport.cases.v1.cases_events_pb2 import (
    PromiseKept,
    PromiseRecovered,
    PromiseRenegotiated,
    PromiseWithdrawn,
)
from rapport_testing.wait import eventually

DROP = "250 an answer that is lost"


async def after_everything(desk: Any) -> None:
    """Wait until everything that was heard is handled: one more promise is told of after that."""
    other = desk.at_risk()
    await desk.hear(other)
    await desk.notice_in("SENT", other.promise)


@pytest.mark.parametrize("end", [PromiseKept, PromiseWithdrawn, PromiseRenegotiated])
async def test_of_a_promise_whose_end_overtakes_its_risk_nobody_is_told(desk: Any, end: Any) -> None:
    event = desk.at_risk()
    await desk.hear(desk.about(end, event.promise), version=3)
    await desk.hear(event, version=2)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert notice.reason_code == "promise-ended"
    assert desk.mail.received == []


async def test_of_a_promise_whose_recovery_overtakes_its_risk_nobody_is_told(desk: Any) -> None:
    event = desk.at_risk()
    await desk.hear(desk.about(PromiseRecovered, event.promise), version=3)
    await desk.hear(event, version=2)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert notice.reason_code == "promise-recovered"
    explanation = await desk.explain(notice.name)
    assert "expected to be kept in time again before it could be sent" in explanation.summary
    assert desk.mail.received == []


async def test_a_recovery_is_told_to_nobody_who_was_told_of_no_risk(desk: Any) -> None:
    desk.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    event = desk.at_risk()
    await desk.hear(event, version=2)
    await desk.notice_in("REQUESTED", event.promise)
    await desk.hear(desk.about(PromiseRecovered, event.promise), version=3)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert notice.reason_code == "promise-recovered"
    desk.peers.customers.failure = None
    await after_everything(desk)
    assert len(await desk.notices_of(event.promise)) == 1
    assert len(desk.mail.received) == 1


async def test_who_may_have_been_told_of_the_risk_is_told_of_the_recovery_once(desk: Any) -> None:
    desk.mail.replies = [DROP, DROP]
    event = desk.at_risk()
    await desk.hear(event, version=2)
    await eventually(lambda: _attempts(desk, event.promise, 1))
    desk.clock.advance(timedelta(minutes=10))
    perhaps = await desk.notice_in("UNKNOWN", event.promise)
    for _ in range(2):
        await desk.hear(desk.about(PromiseRecovered, event.promise), version=3)
    await recovery_is_told(desk, event.promise)
    assert len(await desk.notices_of(event.promise)) == 2
    assert desk.state(await desk.get(perhaps.name)) == "UNKNOWN"


async def test_who_may_have_been_told_of_the_risk_again_is_told_of_the_second_recovery_too(desk: Any) -> None:
    promise = ""
    for version, days in ((2, 7), (4, 9)):
        desk.mail.replies = [DROP, DROP]
        event = desk.at_risk(promise, forecast_days=days)
        promise = event.promise
        await desk.hear(event, version=version)
        await eventually(functools.partial(_attempts, desk, promise, 1))
        desk.clock.advance(timedelta(minutes=10))
        await desk.notice_in("UNKNOWN", promise)
        await desk.hear(desk.about(PromiseRecovered, promise), version=version + 1)
        assert (await desk.notice_in("SENT", promise)).kind == "promise-recovered"
    kinds = [notice.kind for notice in await desk.notices_of(promise)]
    assert kinds == ["promise-recovered", "promise-at-risk"] * 2


async def test_instead_of_a_repeat_of_what_is_no_longer_true_the_recovery_is_told(desk: Any) -> None:
    desk.mail.replies = [DROP]
    event = desk.at_risk()
    await desk.hear(event, version=2)
    await eventually(lambda: _attempts(desk, event.promise, 1))
    desk.peers.promises.happened(desk.about(PromiseRecovered, event.promise), 3)
    desk.clock.advance(timedelta(minutes=10))
    await recovery_is_told(desk, event.promise)
    assert len(desk.mail.received) == 3  # the lost one, the recovery, and that of another promise


async def test_that_the_date_stands_is_not_told_once_it_has_passed(desk: Any) -> None:
    desk.mail.gate.clear()
    event = desk.at_risk()
    await desk.hear(event, version=2)
    await eventually(lambda: len(desk.mail.received) == 1)
    await desk.hear(desk.about(PromiseRecovered, event.promise), version=3)
    await eventually(functools.partial(_withdrawn, desk, event.promise))
    desk.clock.advance(timedelta(days=3))
    desk.mail.replies = [DROP]
    desk.mail.gate.set()
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert (notice.kind, notice.reason_code) == ("promise-recovered", "expired")
    assert len(desk.mail.received) == 1


async def recovery_is_told(desk: Any, promise: str) -> None:
    notice = await desk.notice_in("SENT", promise)
    assert (notice.kind, notice.purpose) == ("promise-recovered", "purposes/service")
    assert "the date stands" in desk.mail.accepted[-1]["Subject"]
    [told] = await desk.told("NoticeSent")
    assert not told.data.HasField("told_promise")
    explanation = await desk.explain(notice.name)
    assert explanation.rule == "noticePolicies/promise-recovered"
    assert "is expected in time again" in explanation.summary
    await after_everything(desk)


async def test_a_better_date_replaces_one_that_was_not_told(desk: Any) -> None:
    desk.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    event = desk.at_risk(forecast_days=7)
    await desk.hear(event, version=2)
    await eventually(lambda: _failed(desk, event.promise, "customer-unavailable"))
    await desk.hear(desk.at_risk(event.promise, forecast_days=5), version=3)
    await eventually(lambda: _requested(desk, 2))
    desk.peers.customers.failure = None
    desk.clock.advance(timedelta(minutes=10))
    await desk.notice_in("SENT", event.promise)
    assert "Saturday, 7 March 2026" in desk.mail.accepted[0]["Subject"]


async def test_what_the_owner_says_is_told_when_its_event_is_yet_to_come(desk: Any) -> None:
    event = desk.at_risk()
    newer = desk.at_risk(event.promise, forecast_days=9)
    desk.peers.promises.happened(newer, 3)
    await desk.hear(event, version=2)
    await desk.notice_in("SENT", event.promise)
    await desk.hear(newer, version=3)
    await after_everything(desk)
    told = [mail["Subject"] for mail in desk.mail.accepted if "Wednesday, 11 March 2026" in mail["Subject"]]
    assert (len(told), len(desk.mail.received)) == (1, 2)
    [sent, _] = await desk.told("NoticeSent")
    assert sent.data.told_promise.promise_version == 3


@pytest.mark.parametrize("failure", [grpc.StatusCode.UNAVAILABLE, None], ids=["silent", "behind"])
async def test_while_the_owner_cannot_say_nothing_is_told(desk: Any, failure: grpc.StatusCode | None) -> None:
    event = desk.at_risk()
    desk.peers.promises.failure = failure
    desk.peers.promises.happened(event, 2)
    await desk.running.deliver(event, resource=event.promise, version=2 if failure else 3, source="cases")
    await eventually(
        lambda: _failed(desk, event.promise, "cases-unavailable" if failure else "promise-behind")
    )
    assert desk.mail.received == []
    desk.peers.promises.failure = None
    desk.peers.promises.happened(event, 3)
    desk.clock.advance(timedelta(minutes=10))
    await desk.notice_in("SENT", event.promise)
    assert len(desk.mail.received) == 1


async def test_a_promised_day_is_told_as_that_day_wherever_the_customer_is(desk: Any) -> None:
    desk.peers.customers.answer.time_zone = "Pacific/Kiritimati"
    event = desk.at_risk(
        due_date=Date(year=2026, month=3, day=5),
        forecast_date=Date(year=2026, month=3, day=9),
        time_zone="America/Los_Angeles",
    )
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    body = desk.mail.accepted[0].get_body(("plain",)).get_content()
    assert "by Thursday, 5 March 2026." in body
    assert "by Monday, 9 March 2026." in body
    [sent] = await desk.told("NoticeSent")
    told = sent.data.told_promise
    assert (told.new_due_date, told.time_zone) == (event.forecast_date, event.time_zone)
    assert moment(told.new_due_time) == datetime(2026, 3, 10, 7, tzinfo=UTC)


async def _withdrawn(desk: Any, promise: str) -> bool:
    return [notice.reason_code for notice in await desk.notices_of(promise)] == ["promise-recovered"]


async def _requested(desk: Any, count: int) -> bool:
    return len(await desk.told("NoticeRequested")) == count


async def _attempts(desk: Any, promise: str, count: int) -> bool:
    notices = await desk.notices_of(promise)
    return (
        bool(notices) and [outcome for outcome, _ in await desk.outcomes(notices[0])] == ["UNKNOWN"] * count
    )


async def _failed(desk: Any, promise: str, code: str) -> bool:
    notices = await desk.notices_of(promise)
    return bool(notices) and ("TEMPORARY_FAILURE", code) in await desk.outcomes(notices[0])
