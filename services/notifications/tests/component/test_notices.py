"""Notices that departments send, and how they are followed and explained."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.api.actors import what
from chassis.api.messages import timestamp
from rapport.notifications.v1 import notice_pb2, notice_service_pb2
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport_testing.running import reason, refused

INFORMATION = TemplateText(
    subject="Your part is ready in {{ depot }}",
    body="Dear {{ customer_name }}, come to {{ depot }}. {{ contact_name }} {{ unsubscribe_link }}",
)
DEPOT = [Template.Variable(name="depot", impersonal=True)]


@pytest.fixture
async def notice(desk: Any) -> notice_pb2.Notice:
    """A valid notice to send."""
    await desk.create_template("ready", INFORMATION, variables=DEPOT)
    return notice_pb2.Notice(
        customer=desk.customer, kind="part-ready", template="templates/ready", variables={"depot": "Berlin"}
    )


async def test_any_department_can_send_a_notice(desk: Any, notice: notice_pb2.Notice) -> None:
    requested = await desk.send(notice)
    assert desk.state(requested) == "REQUESTED"
    assert requested.create_time == timestamp(desk.clock.now())
    assert requested.expire_time == timestamp(desk.in_days(1))
    assert requested.etag == '"1"'
    sent = await desk.sent(requested.name)
    assert desk.mail.accepted[0]["Subject"] == "Your part is ready in Berlin"
    [attempt] = await desk.attempts(sent)
    assert (attempt.name, attempt.provider) == (f"{requested.name}/attempts/1", "providers/smtp")
    request = notice_service_pb2.GetDeliveryAttemptRequest(name=attempt.name)
    assert await desk.notices.GetDeliveryAttempt(request) == attempt
    [fact] = await desk.told("NoticeSent")
    assert not fact.data.HasField("told_promise")
    assert (fact.data.template, fact.data.purpose) == (notice.template, "purposes/service")
    assert (fact.data.language_code, fact.data.text_version) == ("en", 1)
    assert (sent.language_code, sent.text_version, sent.attempt_count) == ("en", 1, 1)


async def test_a_notice_of_a_department_moves_no_promise(desk: Any, notice: notice_pb2.Notice) -> None:
    notice.promise = f"promises/{uuid4()}"
    await desk.sent((await desk.send(notice)).name)
    [fact] = await desk.told("NoticeSent")
    assert fact.data.promise == notice.promise
    assert not fact.data.HasField("told_promise")


@pytest.mark.parametrize("promise", ["", "promises/0190a5c0-0000-7000-8000-000000000001"])
@pytest.mark.parametrize("template", ["delay", "recovery", "moved"])
async def test_nobody_tells_a_delay_or_a_date_of_a_promise_by_hand(
    desk: Any, notice: notice_pb2.Notice, template: str, promise: str
) -> None:
    body = INFORMATION.body + " We meet on {{ new_date }}."
    await desk.create_template("moved", TemplateText(subject="News", body=body), variables=DEPOT)
    notice.template = f"templates/{template}"
    notice.variables["new_date"] = "2199-01-01"
    notice.promise = promise
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.send(notice)
    assert refusal.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason(refusal.value) == "TEMPLATE_NOT_SENDABLE"


@pytest.mark.parametrize("purpose", ["purposes/service", "purposes/marketing"])
async def test_consent_is_asked_for_the_purpose_of_the_template_whatever_the_sender_says(
    desk: Any, notice: notice_pb2.Notice, purpose: str
) -> None:
    await desk.create_template("sale", INFORMATION, purpose=purpose, variables=DEPOT)
    notice.template, notice.purpose = "templates/sale", "purposes/service"
    sent = await desk.sent((await desk.send(notice)).name)
    assert {asked.purpose for asked in desk.peers.customers.asked} == {purpose} == {sent.purpose}


async def test_what_is_asked_for_a_day_counts_on_that_day_whenever_it_is_asked_for(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    at = desk.in_days(3)
    for number in range(desk.running.app.settings.notices_per_customer):
        notice.schedule_time.CopyFrom(timestamp(at + timedelta(hours=number % 3)))
        await desk.notices.SendNotice(notice_service_pb2.SendNoticeRequest(notice=notice))
        desk.clock.advance(timedelta(minutes=90))
    notice.schedule_time.CopyFrom(timestamp(at))
    request = notice_service_pb2.SendNoticeRequest(notice=notice)
    assert await refused(desk.notices.SendNotice(request)) == "TOO_MANY_NOTICES"
    request.notice.schedule_time.CopyFrom(timestamp(at + timedelta(days=2)))
    await desk.notices.SendNotice(request)


async def test_departments_send_a_customer_so_many_notices_of_a_purpose_a_day_and_no_more(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    most = desk.running.app.settings.notices_per_customer
    held = notice_service_pb2.SendNoticeRequest(notice=notice, hold=Duration(seconds=10))
    gone = await desk.notices.SendNotice(held)
    await desk.notices.CancelNotice(
        notice_service_pb2.CancelNoticeRequest(name=gone.name)
    )  # which no one had
    for _ in range(most - 1):
        await desk.send(notice)
    both = await asyncio.gather(desk.send(notice), desk.send(notice), return_exceptions=True)
    [refusal] = [each for each in both if isinstance(each, grpc.aio.AioRpcError)]
    assert (refusal.code(), reason(refusal)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_NOTICES")
    await desk.create_template("sale", INFORMATION, purpose="purposes/marketing", variables=DEPOT)
    notice.template = "templates/sale"
    await desk.send(notice)  # of another purpose
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)  # and a promise is never kept from its customer
    notice.template, customer = "templates/ready", notice.customer
    notice.customer = f"customers/{uuid4()}"
    await desk.send(notice)  # to another customer
    desk.clock.advance(timedelta(days=1, seconds=1))
    notice.customer = customer
    await desk.send(notice)


async def test_what_is_taken_back_while_it_is_held_is_never_sent_and_what_is_not_goes_once(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    hold = Duration(seconds=10)
    request = notice_service_pb2.SendNoticeRequest(notice=notice, hold=hold)
    taken_back, wanted = await desk.notices.SendNotice(request), await desk.notices.SendNotice(request)
    desk.clock.advance(timedelta(seconds=9))
    await desk.sent((await desk.send(notice)).name)  # what came later, and is not held
    assert [desk.state(await desk.get(each.name)) for each in (taken_back, wanted)] == ["REQUESTED"] * 2
    cancel = notice_service_pb2.CancelNoticeRequest(name=taken_back.name, request_id=str(uuid4()))
    for _ in range(2):  # also when the answer was lost
        gone = await desk.notices.CancelNotice(cancel)
        assert (desk.state(gone), gone.reason_code) == ("SUPPRESSED", "taken-back")
    desk.clock.advance(timedelta(seconds=2))
    await desk.sent(wanted.name)
    assert len(desk.mail.received) == 2
    [fact] = await desk.told("NoticeSuppressed")
    assert (fact.data.notice, fact.data.reason_code) == (taken_back.name, "taken-back")


async def test_only_who_asked_for_a_notice_takes_it_back(desk: Any, notice: notice_pb2.Notice) -> None:
    held = notice_service_pb2.SendNoticeRequest(notice=notice, hold=Duration(seconds=10))
    request = notice_service_pb2.CancelNoticeRequest(name=(await desk.notices.SendNotice(held)).name)
    write = ["notifications.notices.write"]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.running.stub(NoticeServiceStub, write, department="billing").CancelNotice(request)
    assert (refusal.value.code(), reason(refusal.value)) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")
    gone = await desk.running.stub(NoticeServiceStub, write, "agent:bob").CancelNotice(request)  # a colleague
    assert desk.state(gone) == "SUPPRESSED"


async def test_what_is_handed_over_or_was_a_policys_is_not_taken_back(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    sent = await desk.sent((await desk.send(notice)).name)
    desk.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    event = desk.at_risk()
    await desk.hear(event)
    policys = await desk.notice_in("REQUESTED", event.promise)
    for each in (sent, policys):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await desk.notices.CancelNotice(notice_service_pb2.CancelNoticeRequest(name=each.name))
        assert reason(refusal.value) == "NOTICE_UNDER_WAY"


async def test_a_repeated_request_sends_one_mail(desk: Any, notice: notice_pb2.Notice) -> None:
    request_id = str(uuid4())
    first = await desk.send(notice, request_id)
    await desk.sent(first.name)
    again = await desk.send(notice, request_id)
    assert again.name == first.name
    assert len(desk.mail.received) == 1


async def test_a_request_id_is_not_good_for_another_notice(desk: Any, notice: notice_pb2.Notice) -> None:
    request_id = str(uuid4())
    await desk.send(notice, request_id)
    notice.kind = "other"
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.send(notice, request_id)
    assert reason(refusal.value) == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"customer": ""}, {"notice.customer": "REQUIRED"}),
        ({"customer": "customers/7"}, {"notice.customer": "INVALID_NAME"}),
        ({"kind": "Part Ready"}, {"notice.kind": "INVALID_CODE"}),
        ({"template": "ready"}, {"notice.template": "INVALID_NAME"}),
        ({"promise": "promise"}, {"notice.promise": "INVALID_NAME"}),
        ({"case": "cases/1"}, {"notice.case": "INVALID_NAME"}),
        ({"customer": "", "kind": ""}, {"notice.customer": "REQUIRED", "notice.kind": "REQUIRED"}),
    ],
)
async def test_a_wrong_notice_is_refused_with_every_violation(
    desk: Any, notice: notice_pb2.Notice, change: dict[str, Any], reasons: dict[str, str]
) -> None:
    for field, value in change.items():
        setattr(notice, field, value)
    assert await desk.violations(desk.send(notice)) == reasons


@pytest.mark.parametrize(
    ("variables", "reasons"),
    [
        ({}, {"variables[depot]": "VARIABLE_MISSING"}),
        ({"depot": "x", "shelf": "1"}, {"notice.variables[shelf]": "VARIABLE_UNKNOWN"}),
        ({"depot": "x", "customer_name": "Eve"}, {"notice.variables[customer_name]": "VARIABLE_UNKNOWN"}),
        ({"depot": "x" * 501}, {"notice.variables[depot]": "TOO_LONG"}),
        ({"depot": "a\x00"}, {"notice.variables[depot]": "INVALID_TEXT"}),
        ({"depot": "x", "Shelf No": "1"}, {"notice.variables": "INVALID_CODE"}),
        ({"depot": "x", "new_date": "soon"}, {"variables[new_date]": "INVALID_TIME"}),
        ({f"v{i}": "" for i in range(51)}, {"notice.variables": "TOO_LONG"}),
    ],
)
async def test_variables_are_those_that_the_template_takes(
    desk: Any, notice: notice_pb2.Notice, variables: dict[str, str], reasons: dict[str, str]
) -> None:
    notice.variables.clear()
    notice.variables.update(variables)
    assert await desk.violations(desk.send(notice)) == reasons


@pytest.mark.parametrize("days", [0, 367])
async def test_a_notice_expires_after_it_is_requested_and_within_a_year(
    desk: Any, notice: notice_pb2.Notice, days: int
) -> None:
    notice.expire_time.CopyFrom(timestamp(desk.in_days(days)))
    assert await desk.violations(desk.send(notice)) == {"notice.expire_time": "INVALID_TIME"}


async def test_a_notice_that_is_held_until_it_is_of_no_more_use_is_refused(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    notice.expire_time.FromDatetime(desk.clock.now() + timedelta(minutes=1))
    held = notice_service_pb2.SendNoticeRequest(notice=notice, hold=Duration(seconds=60))
    assert await desk.violations(desk.notices.SendNotice(held)) == {"notice.expire_time": "INVALID_TIME"}


async def test_a_template_must_exist(desk: Any, notice: notice_pb2.Notice) -> None:
    notice.template = "templates/other"
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.send(notice)
    assert (refusal.value.code(), reason(refusal.value)) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("method", ["get", "explain"])
async def test_a_notice_that_is_not_there_is_not_found(desk: Any, method: str) -> None:
    for name, expected in ((f"notices/{uuid4()}", "RESOURCE_NOT_FOUND"), ("notices/1", "INVALID_NAME")):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await getattr(desk, method)(name)
        assert reason(refusal.value) == expected


async def test_notices_are_listed_newest_first_in_pages_and_by_filter(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    names = [(await desk.send(notice)).name for _ in range(3)]
    notice.kind = "other"
    other = await desk.send(notice)
    await desk.sent(other.name)

    async def listed(filter: str = "", token: str = "", size: int = 2) -> Any:
        return await desk.notices.ListNotices(
            notice_service_pb2.ListNoticesRequest(filter=filter, page_size=size, page_token=token)
        )

    first = await listed("kind = part-ready")
    second = await listed("kind = part-ready", first.next_page_token)
    assert [n.name for n in (*first.notices, *second.notices)] == names[::-1]
    assert second.next_page_token == ""
    everything = f"customer = {desk.customer} AND kind = other AND state = SENT"
    assert [n.name for n in (await listed(everything)).notices] == [other.name]
    assert len((await listed('create_time > "2026-03-03T00:00:00Z"')).notices) == 0
    for arguments in ({"filter": "template = x"}, {"size": -1}, {"token": "x"}):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await listed(**arguments)
        assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_notice_explains_itself_back_to_the_human_who_caused_it(desk: Any) -> None:
    event = desk.at_risk()
    event_id = await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    explanation = await desk.explain(notice.name)
    assert explanation.rule == "noticePolicies/promise-at-risk"
    assert explanation.rule_version == "1"
    assert explanation.summary.startswith("Sent by email on 2026-03-02 09:00 UTC. It was wanted because")
    assert event.promise in explanation.summary
    assert explanation.summary.endswith("due 2026-03-05 09:00 UTC, now expected 2026-03-09 09:00 UTC.")
    assert explanation.inputs["reason"] == "carrier-delay"
    assert [what(cause).rpartition(".")[2] for cause in explanation.causes] == [
        "NoticeSent",
        "NoticeRequested",
        "PromiseAtRisk",
        "WorkItemForecast",
        "WorkItemService/ForecastWorkItem",
    ]
    assert explanation.causes[-1].actor == "agents/bob"
    [asked] = desk.peers.promises.asked
    assert (asked.name, asked.event_id) == (event.promise, str(event_id))


async def test_without_the_cases_service_the_explanation_tells_what_is_known(desk: Any) -> None:
    event = desk.at_risk()
    event_id = await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    desk.peers.promises.failure = grpc.StatusCode.UNAVAILABLE
    explanation = await desk.explain(notice.name)
    assert explanation.causes[-1].id == str(event_id)
    assert len(explanation.causes) == 3


async def test_a_departments_notice_explains_itself_by_its_request(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    requested = await desk.send(notice)
    await desk.sent(requested.name)
    explanation = await desk.explain(requested.name)
    assert explanation.rule == ""
    assert explanation.summary.endswith("A department asked for it.")
    assert explanation.inputs["depot"] == "Berlin"  # which its template calls impersonal
    assert explanation.causes[-1].actor == "agents/alice"
    assert explanation.causes[-1].method.endswith("NoticeService/SendNotice")


async def test_what_a_template_does_not_call_impersonal_is_explained_to_nobody(
    desk: Any, notice: notice_pb2.Notice
) -> None:
    await desk.create_template("private", INFORMATION, variables=[Template.Variable(name="depot")])
    notice.template = "templates/private"
    explanation = await desk.explain((await desk.send(notice)).name)
    assert not {"Berlin", "depot"} & {*explanation.inputs, *explanation.inputs.values()}


async def test_a_suppressed_notice_says_why_in_words(desk: Any, notice: notice_pb2.Notice) -> None:
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = "consent-denied"
    requested = await desk.send(notice)
    await desk.reached(requested.name, "SUPPRESSED")
    explanation = await desk.explain(requested.name)
    assert explanation.summary.startswith("Not sent: the customer does not allow it.")


async def test_the_permission_to_write_is_needed_to_send(desk: Any, notice: notice_pb2.Notice) -> None:
    reader: Any = desk.running.stub(NoticeServiceStub, permissions=("notifications.notices.read",))
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await reader.SendNotice(notice_service_pb2.SendNoticeRequest(notice=notice))
    assert reason(refusal.value) == "PERMISSION_DENIED"
