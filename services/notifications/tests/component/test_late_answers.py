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
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL as EMAIL
from rapport.common.v1.channel_pb2 import CHANNEL_SMS as SMS
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually

PERMANENT = DeliveryAttempt.DELIVERY_PERMANENT_FAILURE
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


@pytest.fixture
def two_channels(desk: Any) -> None:
    """The customer is reached by mail, then by text message."""
    answer = desk.peers.customers.answer

    def reached_by(request: Any) -> Any:
        told = type(answer)()
        told.CopyFrom(answer)
        if EMAIL not in request.channels:
            told.channel, told.address = SMS, "+4930901820"
        return told

    desk.peers.customers.reached_by = reached_by


async def came_back_in_doubt(desk: Any) -> Any:
    """A notice whose mail came back while its answer was waited for, and which a text message is to tell."""
    await desk.create_template(
        "short", TemplateText(subject="News", body="Hello {{ customer_name }}, {{ contact_name }}")
    )
    case = f"cases/{desk.customer[10:]}"
    about = {"customer": desk.customer, "kind": "news", "template": "templates/short", "case": case}
    desk.mail.replies = [DROP]
    notice = await desk.reached((await desk.send(Notice(**about))).name, "UNKNOWN")
    [mail] = await desk.attempts(notice)
    desk.gateway.answers = [b"503 Busy"]
    assert desk.state(await desk.report(mail.provider_key, "PERMANENT_FAILURE")) == "REQUESTED"

    async def waits() -> bool:
        return len(await desk.outcomes(notice)) == 2

    await eventually(waits)
    return notice


LATE = {"250": Outcome(Verdict.DONE), "451": NOT_ACCEPTED, "lost": Outcome(Verdict.UNKNOWN, "no-answer")}


@pytest.mark.parametrize("answer", list(LATE))
@pytest.mark.usefixtures("two_channels")
async def test_an_answer_of_before_it_went_on_takes_the_other_channel_from_nobody(
    desk: Any, answer: str
) -> None:
    notice = await came_back_in_doubt(desk)
    await comes_late(desk, notice, 1, accepted(desk) if answer == "250" else LATE[answer])
    first = (await desk.attempts(notice))[0]
    assert (first.channel, first.delivery) == (EMAIL, PERMANENT)
    assert (await desk.outcomes(notice))[0][0] == (
        {"250": "ACCEPTED", "451": "TEMPORARY_FAILURE", "lost": "UNKNOWN"}[answer]
    )
    await desk.reached(notice.name, "REQUESTED")  # also while the next channel is tried
    desk.clock.advance(timedelta(minutes=10))
    told = await desk.sent(notice.name)
    assert (told.channel, len(desk.gateway.sent), len(desk.mail.received)) == (SMS, 1, 1)
    await comes_late(desk, notice, 1, accepted(desk) if answer == "250" else LATE[answer])
    assert (await desk.get(notice.name)).channel == SMS
    assert len(await desk.told("NoticeSent")) == 1
