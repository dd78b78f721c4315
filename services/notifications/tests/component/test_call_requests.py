"""What reaches nobody, or not in time, a person is asked to tell, while it is true."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.api.messages import timestamp
from rapport.cases.v1.cases_events_pb2 import PromiseKept
from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("reason", ["consent-denied", "no-address"])
async def test_a_notice_that_may_not_or_cannot_be_sent_is_a_persons_to_tell(desk: Any, reason: str) -> None:
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = reason
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    [told] = await desk.told("NoticeCallRequested")
    [suppressed] = await desk.told("NoticeSuppressed")
    assert (told.data.notice, told.data.promise, told.data.customer) == (
        notice.name,
        event.promise,
        desk.customer,
    )
    assert (told.data.reason_code, told.causation_id) == (reason, suppressed.id)


async def test_a_mail_that_bounces_is_a_persons_to_tell(desk: Any) -> None:
    desk.mail.replies = ["550 5.1.1 nobody here"]
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("FAILED", event.promise)
    [told] = await desk.told("NoticeCallRequested")
    assert told.data.reason_code == "refused"


async def test_a_customer_nobody_knows_and_what_need_not_be_told_are_called_about_by_nobody(
    desk: Any,
) -> None:
    desk.peers.customers.absent = desk.customer
    gone = desk.at_risk()
    await desk.hear(gone)
    await desk.notice_in("SUPPRESSED", gone.promise)
    desk.peers.customers.absent = ""
    desk.mail.replies = ["451 try later"]
    kept = desk.at_risk()
    await desk.hear(kept)

    async def tried() -> bool:
        return any(each.attempt_count for each in await desk.notices_of(kept.promise))

    await eventually(tried)
    await desk.hear(desk.about(PromiseKept, kept.promise), version=3)
    await desk.notice_in("SUPPRESSED", kept.promise)
    assert await desk.told("NoticeCallRequested") == []


async def test_what_is_about_nothing_of_theirs_is_called_about_by_nobody(desk: Any) -> None:
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = "no-address"
    await desk.create_template("hello", TemplateText(subject="Hello", body="{{ contact_name }} is here."))
    notice = notice_pb2.Notice(kind="hello", customer=desk.customer, template="templates/hello")
    await desk.reached((await desk.send(notice)).name, "SUPPRESSED")
    assert await desk.told("NoticeCallRequested") == []


async def test_a_notice_that_is_tried_again_only_when_it_is_over_is_too_late_once_and_still_sent(
    desk: Any,
) -> None:
    desk.mail.replies = ["451 try later"] * 3
    event = desk.at_risk(
        due_time=timestamp(desk.clock.now() + timedelta(seconds=1))
    )  # the first pause is five
    await desk.hear(event)
    told = await eventually(lambda: desk.told("NoticeCallRequested"))
    assert [each.data.reason_code for each in told] == ["too-late"]

    async def sent() -> bool:
        desk.clock.advance(10 * MINUTE)  # longer than any pause
        return [desk.state(each) for each in await desk.notices_of(event.promise)] == ["SENT"]

    assert await eventually(sent)
    assert len(await desk.told("NoticeCallRequested")) == 1
