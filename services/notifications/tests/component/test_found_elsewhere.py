"""What messages of other tools are known to do wrong: twice, to whom it is over, and to who said no."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration

from rapport.cases.v1.cases_events_pb2 import CaseReopened, CaseResolved
from rapport.loyalty.v1.loyalty_events_pb2 import VoucherIssued
from rapport.notifications.v1 import notice_pb2, notice_service_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually
from services.notifications.tests.component.test_triggers import heard

DELAY, A_WEEK = timedelta(hours=1), timedelta(days=7)
DELAYED: dict[str, Any] = {"template": "templates/hello", "schedule": {"delay": Duration(seconds=3600)}}
SURVEY: dict[str, Any] = {
    **DELAYED,
    "event_type": "rapport.cases.v1.CaseResolved",
    "cancel_event_types": ["rapport.cases.v1.CaseReopened"],
}


@pytest.fixture(autouse=True)
async def hello(desk: Any) -> None:
    way_out = "{% if unsubscribe_link %}{{ unsubscribe_link }}{% endif %}"
    text = TemplateText(subject="Hello", body=f"Hello. {{{{ contact_name }}}} {way_out}")
    await desk.create_template("hello", text, purpose="purposes/survey")


async def tell(desk: Any, event: Any, version: int) -> None:
    """An event about its first field."""
    resource = getattr(event, event.DESCRIPTOR.fields[0].name)
    source = event.DESCRIPTOR.full_name.split(".")[1]
    await desk.running.deliver(event, resource=resource, version=version, source=source)


async def about(desk: Any, subject: str, *states: str) -> list[notice_pb2.Notice]:
    """The notices about a thing, oldest first, once they are in these states."""
    request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {desk.customer}")

    async def found() -> list[notice_pb2.Notice] | None:
        listed = reversed((await desk.notices.ListNotices(request)).notices)
        theirs = [each for each in listed if each.subject == subject]
        return theirs if [desk.state(each) for each in theirs] == list(states) else None

    seen: list[notice_pb2.Notice] = await eventually(found)
    return seen


def say_no(desk: Any) -> None:
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = "consent-denied"


async def test_of_several_facts_within_a_second_one_message_is_sent_after_its_delay(desk: Any) -> None:
    await desk.create_policy("vouchers", event_type="rapport.loyalty.v1.VoucherIssued", **DELAYED)
    voucher = VoucherIssued(voucher=f"vouchers/{uuid4()}", customer=desk.customer)
    await asyncio.gather(*(tell(desk, voucher, version) for version in (1, 2, 3, 4)))
    await heard(desk)
    assert [state for state, _ in await ends(desk) if state != "SUPPRESSED"] == ["REQUESTED"]
    desk.clock.advance(DELAY)

    async def sent() -> bool:
        return ("SENT", "") in await ends(desk)

    await eventually(sent)
    assert set(await ends(desk)) <= {("SENT", ""), ("SUPPRESSED", "superseded")}
    assert [state for state, _ in await ends(desk)].count("SENT") == 1


async def ends(desk: Any) -> list[tuple[str, str]]:
    """Where the customer's notices are, and why."""
    request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {desk.customer}")
    listed = (await desk.notices.ListNotices(request)).notices
    return [(desk.state(each), each.reason_code) for each in listed]


async def test_a_survey_is_sent_for_each_time_and_of_one_that_is_not_it_is_said_why(desk: Any) -> None:
    """How often is no number in the code; what is not sent says so, in words."""
    await desk.create_policy("survey", **SURVEY)
    case = f"cases/{uuid4()}"
    resolved = CaseResolved(case=case, customer=desk.customer)
    await tell(desk, resolved, 2)
    await about(desk, case, "REQUESTED")
    desk.clock.advance(DELAY)
    await about(desk, case, "SENT")
    desk.clock.advance(A_WEEK)  # in which its customer is left in peace
    await tell(desk, CaseReopened(case=case, customer=desk.customer), 3)
    await tell(desk, resolved, 4)
    await about(desk, case, "SENT", "REQUESTED")
    desk.clock.advance(DELAY)
    await about(desk, case, "SENT", "SENT")
    desk.clock.advance(A_WEEK)
    await tell(desk, resolved, 6)
    await about(desk, case, "SENT", "SENT", "REQUESTED")
    say_no(desk)
    desk.clock.advance(DELAY)
    *_, last = await about(desk, case, "SENT", "SENT", "SUPPRESSED")
    assert "Not sent: the customer does not allow it." in (await desk.explain(last.name)).summary
    assert len(desk.mail.received) == 2


@pytest.mark.parametrize("by", ["hand", "policy"])
async def test_who_says_no_while_a_message_waits_is_not_sent_it_whoever_asked(desk: Any, by: str) -> None:
    if by == "policy":
        await desk.create_policy("survey", **SURVEY)
        case = f"cases/{uuid4()}"
        await tell(desk, CaseResolved(case=case, customer=desk.customer), 2)
        [notice] = await about(desk, case, "REQUESTED")
    else:
        asked = notice_pb2.Notice(customer=desk.customer, kind="survey", template="templates/hello")
        request = notice_service_pb2.SendNoticeRequest(notice=asked, hold=Duration(seconds=3600))
        notice = await desk.notices.SendNotice(request)
    say_no(desk)
    desk.clock.advance(DELAY)
    ended = await desk.reached(notice.name, "SUPPRESSED")
    assert (ended.reason_code, ended.attempt_count) == ("consent-denied", 0)
    assert desk.mail.received == []


async def test_a_survey_about_a_case_that_is_open_again_is_not_sent(desk: Any) -> None:
    await desk.create_policy("survey", **SURVEY)
    case = f"cases/{uuid4()}"
    await tell(desk, CaseResolved(case=case, customer=desk.customer), 2)
    await about(desk, case, "REQUESTED")
    await tell(desk, CaseReopened(case=case, customer=desk.customer), 3)
    [over] = await about(desk, case, "SUPPRESSED")
    desk.clock.advance(DELAY)
    assert over.reason_code == "cause-gone"
    await tell(desk, CaseResolved(case=case, customer=desk.customer), 4)
    await about(desk, case, "SUPPRESSED", "REQUESTED")
    assert desk.mail.received == []
