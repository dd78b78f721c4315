"""An answer that comes when nobody waits for it any more: it counts, for what the customer has, and once."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
import sqlalchemy as sa

from chassis.context import current_call
from chassis.db.schema import WORK
from chassis.db.statement import Statement
from chassis.work import Outcome, Verdict, Work
from notifications.usecases.attempt import Accepted
from rapport_testing.wait import eventually

DROP = "250 an answer that is lost"
WORK_OF = Statement(sa.select(WORK).where(WORK.c.key == sa.bindparam("key")), row=Work)


async def perhaps_told(desk: Any, promise: str = "", version: int = 2, **fields: Any) -> Any:
    """A notice of a risk whose answers were lost, that of its repeat too."""
    desk.mail.replies = [DROP, DROP]
    event = desk.at_risk(promise, **fields)
    await desk.hear(event, version=version)

    async def repeat_waits() -> bool:
        notices = await desk.notices_of(event.promise)
        return bool(notices) and [outcome for outcome, _ in await desk.outcomes(notices[0])] == ["UNKNOWN"]

    await eventually(repeat_waits)
    desk.clock.advance(timedelta(minutes=10))
    return await desk.notice_in("UNKNOWN", event.promise)


async def comes_late(desk: Any, notice: Any, attempt: int, outcome: Outcome) -> None:
    """The answer to an attempt, as the process that waited for it records it."""
    runner = desk.running.lifecycle._work
    worker = runner._workers["notice-send"]
    work = await WORK_OF.one(desk.running.app.db, key=notice.name.removeprefix("notices/"))
    current_call.set(runner._call(worker, work))
    await runner._settle(worker, work, attempt, outcome)


def accepted(desk: Any) -> Outcome:
    return Outcome(Verdict.DONE, result=Accepted("00", "250", desk.clock.now()))


NOT_ACCEPTED = Outcome(Verdict.LATER, "451")


async def told_dates(desk: Any) -> list[tuple[str, int]]:
    """The notice and the promise's version of every date that its owner was told to be with the customer."""
    told = [each.data for each in await desk.told("NoticeSent")]
    return [
        (each.notice, each.told_promise.promise_version) for each in told if each.HasField("told_promise")
    ]


async def test_what_turns_out_not_to_have_been_accepted_is_sent(desk: Any) -> None:
    perhaps = await perhaps_told(desk)
    await comes_late(desk, perhaps, 1, NOT_ACCEPTED)
    assert desk.state(await desk.get(perhaps.name)) == "UNKNOWN"  # nothing is known of the repeat
    await comes_late(desk, perhaps, 2, NOT_ACCEPTED)
    desk.clock.advance(timedelta(minutes=10))
    notice = await desk.sent(perhaps.name)
    assert [outcome for outcome, _ in await desk.outcomes(notice)][:2] == ["TEMPORARY_FAILURE"] * 2
    assert len(desk.mail.accepted) == 1


async def test_what_arrived_counts_when_what_was_to_replace_it_is_not_to_be_sent(desk: Any) -> None:
    perhaps = await perhaps_told(desk)
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = "consent-denied"
    await desk.hear(desk.at_risk(perhaps.promise, forecast_days=9), version=3)
    await desk.notice_in("SUPPRESSED", perhaps.promise)
    await comes_late(desk, perhaps, 2, accepted(desk))
    await desk.sent(perhaps.name)
    assert await told_dates(desk) == [(perhaps.name, 2)]


async def test_what_arrived_while_another_date_waits_is_the_date_that_counts(desk: Any) -> None:
    perhaps = await perhaps_told(desk)
    desk.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    await desk.hear(desk.at_risk(perhaps.promise, forecast_days=9), version=3)
    await desk.notice_in("REQUESTED", perhaps.promise)
    await comes_late(desk, perhaps, 2, accepted(desk))
    other = await desk.notice_in("SUPPRESSED", perhaps.promise)
    assert other.reason_code == "already-told"
    assert await told_dates(desk) == [(perhaps.name, 2)]


@pytest.mark.parametrize("reply", ["250 kept", "550 5.1.1 nobody here"])
async def test_what_arrived_before_another_date_counts_unless_that_arrived_too(desk: Any, reply: str) -> None:
    perhaps = await perhaps_told(desk)
    desk.mail.gate.clear()
    desk.mail.replies = [reply] if reply[0] == "5" else []
    await desk.hear(desk.at_risk(perhaps.promise, forecast_days=9), version=3)
    under_way = await desk.notice_in("SENDING", perhaps.promise)
    await comes_late(desk, perhaps, 2, accepted(desk))
    await desk.sent(perhaps.name)
    assert await told_dates(desk) == []
    desk.mail.gate.set()
    # What was refused would be tried on another channel, were it not over by what arrived before.
    await desk.notice_in("SENT" if reply[0] == "2" else "SUPPRESSED", perhaps.promise)
    counts = (under_way.name, 3) if reply[0] == "2" else (perhaps.name, 2)
    assert await told_dates(desk) == [counts]
