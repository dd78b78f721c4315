"""While a customer wants quiet a notice waits, and is decided again then; or a person tells them."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.api.messages import moment, timestamp, value_name
from rapport.cases.v1.cases_events_pb2 import PromiseKept
from rapport.common.v1 import explanation_pb2
from rapport.customer.v1.customer_events_pb2 import PreferencesUpdated
from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)
HELLO = TemplateText(subject="Hello", body="{{ contact_name }} is here.")


def quiet(desk: Any, hours: float | None, reason: str = "quiet-hours") -> None:
    """The customer wants quiet for so many hours; for good without; none for 0."""
    answer = desk.peers.customers.answer
    answer.allowed, answer.reason_code = hours == 0, "" if hours == 0 else reason
    answer.ClearField("open_time")
    passed = explanation_pb2.Decision(step="consent", outcome="OUTCOME_PASSED", inputs={"email": "unsaid"})
    asked = explanation_pb2.Decision(
        step="quiet",
        outcome="OUTCOME_DEFERRED" if hours else "OUTCOME_PASSED",
        reason_code=answer.reason_code,
    )
    del answer.decisions[:]
    answer.decisions.extend([passed, asked])
    if hours:
        answer.open_time.CopyFrom(timestamp(desk.clock.now() + hours * HOUR))


async def deferred(desk: Any, name: str, to: Any = None) -> notice_pb2.Notice:
    async def found() -> notice_pb2.Notice | None:
        notice = await desk.get(name)
        assert desk.state(notice) == "REQUESTED"
        waits = notice.HasField("defer_time") and to in (None, moment(notice.defer_time))
        return notice if waits else None

    notice = await eventually(found)
    assert notice is not None
    return notice


async def at_risk(desk: Any, **fields: Any) -> tuple[Any, str]:
    event = desk.at_risk(**fields)
    await desk.hear(event)
    return event, (await desk.notice_in("REQUESTED", event.promise)).name


async def test_a_notice_waits_until_there_is_no_more_quiet_and_is_sent_then(desk: Any) -> None:
    quiet(desk, 8)
    opens = desk.clock.now() + 8 * HOUR
    _, name = await at_risk(desk)
    notice = await deferred(desk, name)
    assert (moment(notice.defer_time), notice.defer_reason_code) == (opens, "quiet-hours")
    explained = (await desk.explain(name)).summary
    assert explained.startswith(f"Deferred until {opens:%Y-%m-%d %H:%M} UTC, when it is decided again")
    assert desk.mail.received == []
    assert await desk.told("NoticeCallRequested") == []
    asked = len(desk.peers.customers.asked)
    desk.clock.advance(8 * HOUR - timedelta(seconds=1))
    await desk.running.deliver(
        PreferencesUpdated(customer="customers/01890000-0000-7000-8000-000000000000"),
        resource="customers/01890000-0000-7000-8000-000000000000/preferences",
        version=1,
        source="customer",
    )  # of somebody else
    assert len(desk.peers.customers.asked) == asked
    quiet(desk, 0)
    desk.clock.advance(timedelta(seconds=1))
    sent = await desk.sent(name)
    assert (sent.HasField("defer_time"), sent.defer_reason_code) == (False, "")
    assert sent.attempt_count == len(await desk.attempts(sent)) == 1
    assert " after " not in (await desk.explain(name)).summary
    assert len(desk.mail.accepted) == 1


async def test_how_it_was_decided_is_kept_and_explained_step_by_step(desk: Any) -> None:
    async def steps(name: str) -> list[tuple[str, str, str]]:
        told = (await desk.explain(name)).decisions
        return [(each.step, value_name(each, "outcome"), each.reason_code) for each in told]

    quiet(desk, 8)
    event, name = await at_risk(desk)
    await deferred(desk, name)
    consent, promise = ("consent", "PASSED", ""), ("promise", "PASSED", "")
    waits = [consent, ("quiet", "DEFERRED", "quiet-hours")]
    assert await steps(name) == waits
    await desk.hear(desk.at_risk(event.promise, forecast_days=9), version=3)
    revised = ("promise", "PASSED", "revised")
    await eventually(lambda: steps_are(steps(name), [*waits, revised, *waits]))
    quiet(desk, 0)
    desk.clock.advance(8 * HOUR)
    await desk.sent(name)
    passed = [consent, ("quiet", "PASSED", ""), ("pressure", "PASSED", "exempt"), promise]
    assert await steps(name) == [*waits, revised, *waits, *passed]
    told = (await desk.explain(name)).decisions[-1]
    assert dict(told.inputs) == {"promise": event.promise, "promise_version": "3"}
    quiet(desk, 24 * 8)
    _, late = await at_risk_and_suppressed(desk)
    assert (await steps(late))[-1] == ("expiry", "STOPPED", "quiet-hours")


async def steps_are(steps: Any, expected: list[Any]) -> bool:
    return bool(await steps == expected)


async def at_risk_and_suppressed(desk: Any) -> tuple[Any, str]:
    event = desk.at_risk()
    await desk.hear(event)
    return event, (await desk.notice_in("SUPPRESSED", event.promise)).name


async def test_what_departments_have_sent_is_counted_and_explained(desk: Any) -> None:
    await desk.create_template("hello", HELLO)
    notice = notice_pb2.Notice(kind="x", customer=desk.customer, template="templates/hello")
    await desk.send(notice)
    second = await desk.send(notice)
    measure = (await desk.explain(second.name)).decisions[0]
    assert (measure.step, dict(measure.inputs)) == (
        "measure",
        {"purpose": "purposes/service", "count": "1", "most": "20"},
    )


async def test_it_is_decided_again_and_may_be_deferred_again_or_forbidden(desk: Any) -> None:
    quiet(desk, 8)
    _, name = await at_risk(desk)
    await deferred(desk, name)
    desk.clock.advance(8 * HOUR)
    quiet(desk, 4, "paused")
    notice = await deferred(desk, name, to=desk.clock.now() + 4 * HOUR)
    assert notice.defer_reason_code == "paused"
    desk.peers.customers.answer.reason_code = "consent-denied"
    desk.peers.customers.answer.ClearField("open_time")
    desk.clock.advance(4 * HOUR)
    ended = await desk.reached(name, "SUPPRESSED")
    assert (ended.reason_code, ended.HasField("defer_time")) == ("consent-denied", False)


async def test_what_is_no_longer_true_when_quiet_ends_is_told_to_nobody(desk: Any) -> None:
    quiet(desk, 8)
    event, name = await at_risk(desk)
    await deferred(desk, name)
    await desk.hear(desk.about(PromiseKept, event.promise), version=3)
    assert (await desk.reached(name, "SUPPRESSED")).reason_code == "promise-ended"
    quiet(desk, 0)
    desk.clock.advance(8 * HOUR)
    assert desk.mail.received == []


async def test_a_newer_date_goes_into_what_is_deferred_and_is_decided_anew(desk: Any) -> None:
    quiet(desk, 8)
    event, name = await at_risk(desk)
    await deferred(desk, name)
    quiet(desk, 0)
    newer = desk.at_risk(event.promise, forecast_days=9)
    await desk.hear(newer, version=3)
    await desk.sent(name)
    assert len(desk.mail.accepted) == 1


async def test_a_pause_that_is_lifted_is_heard_of_at_once(desk: Any) -> None:
    quiet(desk, 48, "paused")
    _, name = await at_risk(desk)
    await deferred(desk, name)
    quiet(desk, 0)
    preferences = f"{desk.customer}/preferences"
    lifted = PreferencesUpdated(preferences=preferences, customer=desk.customer, updated_fields=["pauses"])
    await desk.running.deliver(lifted, resource=preferences, version=2, source="customer")
    await desk.sent(name)


async def test_what_would_be_told_after_it_was_due_a_person_tells_and_it_still_waits(desk: Any) -> None:
    quiet(desk, 8)
    _, name = await at_risk(desk, due_time=timestamp(desk.clock.now() + HOUR))
    await deferred(desk, name)
    [told] = await desk.told("NoticeCallRequested")
    assert (told.data.notice, told.data.reason_code) == (name, "too-late")


@pytest.mark.parametrize("hours", [24 * 8, None])
async def test_what_is_of_no_more_use_when_quiet_ends_a_person_tells_instead(desk: Any, hours: Any) -> None:
    quiet(desk, hours, "paused")
    event = desk.at_risk(forecast_days=7)
    await desk.hear(event)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert notice.reason_code == "paused"
    [told] = await desk.told("NoticeCallRequested")
    assert (told.data.notice, told.data.reason_code) == (notice.name, "paused")


async def test_only_what_is_urgent_asks_past_quiet_and_nothing_is_so_by_default(desk: Any) -> None:
    await desk.create_template("hello", HELLO)
    await desk.create_template("danger", HELLO, urgent=True)
    for template, urgent in (("hello", False), ("danger", True)):
        notice = notice_pb2.Notice(kind="x", customer=desk.customer, template=f"templates/{template}")
        sent = await desk.sent((await desk.send(notice)).name)
        assert (sent.urgent, desk.peers.customers.asked[-1].urgent) == (urgent, urgent)
    assert not (await desk.template("delay")).urgent
    refused = desk.create_template("offer", HELLO, urgent=True, purpose="purposes/marketing")
    assert await desk.violations(refused) == {"template.urgent": "INVALID_URGENCY"}
    await desk.create_template("recall", HELLO, urgent=True, purpose="purposes/recall")
    assert (await desk.template("recall")).essential
