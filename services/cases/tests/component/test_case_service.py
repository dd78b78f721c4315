from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import timestamp
from rapport.cases.v1 import agent_pb2, case_pb2
from rapport.cases.v1.case_service_pb2 import (
    AssignCaseRequest,
    ExplainCaseRequest,
    GetCaseRequest,
    ListCasesRequest,
    OpenCaseRequest,
    ReopenCaseRequest,
    ResolveCaseRequest,
    UpdateCaseRequest,
)
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest
from rapport.common.v1 import states_pb2

pytestmark = pytest.mark.together

State = states_pb2.CaseState
UNKNOWN = f"cases/{uuid4()}"


async def test_a_case_is_opened_told_and_read_back(desk):
    opened = await desk.open(display_name="Where is my order?")
    assert opened.state == State.CASE_STATE_OPEN
    assert opened.etag == '"1"'
    assert opened.open_time.ToDatetime() == desk.clock.now().replace(tzinfo=None)
    assert await desk.cases.GetCase(GetCaseRequest(name=opened.name)) == opened
    (fact,) = await desk.facts()
    assert (fact.data.case, fact.data.customer, fact.data.owner, fact.version) == (
        opened.name,
        desk.customer,
        "agents/front-desk",
        1,
    )


async def test_every_violation_of_a_request_is_reported(desk):
    wrong = OpenCaseRequest(
        case=case_pb2.Case(customer="alice", topic="Not A Code", owner="Bob", display_name="x" * 201)
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.cases.OpenCase(wrong)
    for field in ("case.customer", "case.owner", "case.topic", "case.display_name"):
        assert field in caught.value.details()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"customer": ""}, "REQUIRED"),
        ({"customer": "customers/1"}, "INVALID_NAME"),
        ({"owner": "agents/Alice"}, "INVALID_NAME"),
        ({"topic": "Late Delivery"}, "INVALID_CODE"),
        ({"display_name": "a\0b"}, "INVALID_TEXT"),
        ({"display_name": "x" * 201}, "TOO_LONG"),
    ],
)
async def test_a_case_that_breaks_the_contract_is_refused(desk, refused, fields, reason):
    assert await refused(desk.open(**fields)) == f"INVALID_ARGUMENT {reason}"
    assert await desk.facts() == []


async def test_a_repeated_request_opens_one_case(desk):
    request = OpenCaseRequest(case=desk.case(), request_id=str(uuid4()))
    assert await desk.cases.OpenCase(request) == await desk.cases.OpenCase(request)
    assert len(await desk.facts("CaseOpened")) == 1


async def test_a_request_id_is_not_good_for_another_request(desk, refused):
    request = OpenCaseRequest(case=desk.case(), request_id=str(uuid4()))
    await desk.cases.OpenCase(request)
    request.case.topic = "damaged"
    assert await refused(desk.cases.OpenCase(request)) == "INVALID_ARGUMENT REQUEST_ID_REUSED"


async def test_only_the_masked_fields_are_updated(desk):
    opened = await desk.open(display_name="before")
    request = UpdateCaseRequest(
        case=case_pb2.Case(name=opened.name, topic="damaged", display_name="after"),
        update_mask=FieldMask(paths=["topic"]),
    )
    updated = await desk.cases.UpdateCase(request)
    assert (updated.topic, updated.display_name, updated.etag) == ("damaged", "before", '"2"')


@pytest.mark.alone("the clock is moved")
async def test_a_case_says_when_it_was_last_changed(desk):
    opened = await desk.open()
    desk.clock.advance(timedelta(hours=1))
    request = AssignCaseRequest(name=opened.name, owner=await desk.agent("agents/bob"))
    assigned = await desk.cases.AssignCase(request)
    assert (opened.update_time, assigned.open_time) == (opened.open_time, opened.open_time)
    assert assigned.update_time == timestamp(desk.clock.now())
    assert await desk.cases.GetCase(GetCaseRequest(name=opened.name)) == assigned


async def test_an_update_without_a_mask_changes_what_is_populated(desk):
    opened = await desk.open(display_name="before")
    updated = await desk.cases.UpdateCase(
        UpdateCaseRequest(case=case_pb2.Case(name=opened.name, display_name="after"))
    )
    assert (updated.topic, updated.display_name) == ("late-delivery", "after")


async def test_an_unknown_path_in_the_mask_is_refused(desk, refused):
    opened = await desk.open()
    request = UpdateCaseRequest(case=opened, update_mask=FieldMask(paths=["customer"]))
    assert await refused(desk.cases.UpdateCase(request)) == "INVALID_ARGUMENT UNKNOWN_FIELD"


@pytest.mark.parametrize(
    ("etag", "answer"), [('"7"', "ABORTED ETAG_MISMATCH"), ("7", "INVALID_ARGUMENT INVALID_ETAG")]
)
async def test_a_stale_or_malformed_etag_is_refused(desk, refused, etag, answer):
    opened = await desk.open()
    stale = case_pb2.Case(name=opened.name, topic="damaged", etag=etag)
    calls = [
        desk.cases.UpdateCase(UpdateCaseRequest(case=stale)),
        desk.cases.AssignCase(AssignCaseRequest(name=opened.name, owner="agents/bob", etag=etag)),
        desk.cases.ResolveCase(ResolveCaseRequest(name=opened.name, resolution="delivered", etag=etag)),
        desk.cases.ReopenCase(ReopenCaseRequest(name=opened.name, etag=etag)),
    ]
    assert [await refused(call) for call in calls] == [answer] * 4


async def test_a_case_gets_another_owner_and_the_same_owner_is_no_news(desk):
    opened = await desk.open()
    request = AssignCaseRequest(name=opened.name, owner=await desk.agent("agents/bob"))
    assigned = await desk.cases.AssignCase(request)
    assert assigned.owner == "agents/bob"
    assert await desk.cases.AssignCase(request) == assigned
    (fact,) = await desk.facts("CaseAssigned")
    assert (fact.data.owner, fact.data.previous_owner) == ("agents/bob", "agents/front-desk")
    assert (fact.data.department, fact.data.topic) == (assigned.department, opened.topic)
    assert (fact.data.state, fact.data.previous_department) == (State.CASE_STATE_OPEN, opened.department)


async def test_an_owner_is_somebody_in_the_directory(desk, refused):
    opened = await desk.open()
    calls = [
        desk.open(owner="agents/nobody"),
        desk.cases.AssignCase(AssignCaseRequest(name=opened.name, owner="agents/nobody")),
    ]
    assert {await refused(call) for call in calls} == {"NOT_FOUND RESOURCE_NOT_FOUND"}
    assert len(await desk.facts()) == 1


async def test_what_a_case_is_about_is_told_when_it_changes_and_only_then(desk):
    opened = await desk.open(display_name="Canary Maria")
    for topic in ("damaged", "damaged"):
        updated = case_pb2.Case(name=opened.name, topic=topic, display_name="Canary Maria Anders")
        await desk.cases.UpdateCase(UpdateCaseRequest(case=updated))
    (fact,) = await desk.facts("CaseUpdated")
    assert (fact.data.case, fact.data.customer, fact.data.topic) == (opened.name, desk.customer, "damaged")
    assert (list(fact.data.updated_fields), fact.version) == (["topic", "display_name"], 2)
    assert "Canary" not in str(fact.data)


async def test_a_case_is_resolved_and_reopened(desk):
    opened = await desk.open()
    resolved = await desk.cases.ResolveCase(ResolveCaseRequest(name=opened.name, resolution="delivered"))
    assert (resolved.state, resolved.resolution) == (State.CASE_STATE_RESOLVED, "delivered")
    assert resolved.HasField("resolve_time")
    reopen = ReopenCaseRequest(name=opened.name, reason_code="not-settled")
    reopened = await desk.cases.ReopenCase(reopen)
    assert (reopened.state, reopened.resolution, reopened.reopen_count) == (State.CASE_STATE_OPEN, "", 1)
    assert not reopened.HasField("resolve_time")
    told = await desk.facts("CaseResolved", "CaseReopened")
    assert [(fact.data.case, fact.version) for fact in told] == [(opened.name, 2), (opened.name, 3)]
    assert (told[1].data.reason_code, reopened.reopen_reason_code) == ("not-settled", "not-settled")
    why = await desk.cases.ExplainCase(ExplainCaseRequest(name=opened.name))
    assert why.inputs["reopen_reason_code"] == "not-settled"


async def test_a_case_follows_its_owner_to_another_department(desk, refused):
    bob = await desk.agent("agents/bob")
    opened = await desk.open(owner=bob)
    moved = agent_pb2.Agent(name=bob, department="departments/billing")
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=moved))
    for _ in range(2):
        assigned = await desk.cases.AssignCase(AssignCaseRequest(name=opened.name, owner=bob))
        assert (assigned.owner, assigned.department) == (bob, "departments/billing")
    # Until then it may have been left to the front desk, for its owner had gone.
    (told,) = [each for each in await desk.facts("CaseAssigned") if each.data.owner == bob]
    assert (told.data.department, told.data.previous_department) == ("departments/billing", opened.department)


async def test_a_case_is_not_reopened_to_somebody_who_serves_customers_no_more(desk, refused):
    bob = await desk.agent("agents/bob")
    opened = await desk.open(owner=bob)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=opened.name, resolution="done"))
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=agent_pb2.Agent(name=bob, inactive=True)))
    reopen = ReopenCaseRequest(name=opened.name)
    assert await refused(desk.cases.ReopenCase(reopen)) == "FAILED_PRECONDITION AGENT_INACTIVE"
    await desk.cases.AssignCase(AssignCaseRequest(name=opened.name, owner="agents/front-desk"))
    assert (await desk.cases.ReopenCase(reopen)).state == State.CASE_STATE_OPEN


async def test_a_case_with_unfinished_work_is_not_resolved(desk, refused):
    opened = await desk.open()
    await desk.add(opened.name)
    request = ResolveCaseRequest(name=opened.name, resolution="delivered")
    assert await refused(desk.cases.ResolveCase(request)) == "FAILED_PRECONDITION WORK_ITEM_OPEN"


async def test_nobody_who_serves_customers_no_more_owns_what_is_new(desk, refused):
    opened = await desk.open()
    gone = agent_pb2.Agent(name=await desk.agent("agents/bob"), inactive=True)
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=gone))
    calls = [
        desk.open(owner=gone.name),
        desk.cases.AssignCase(AssignCaseRequest(name=opened.name, owner=gone.name)),
    ]
    assert {await refused(call) for call in calls} == {"FAILED_PRECONDITION AGENT_INACTIVE"}


async def test_what_does_not_exist_is_not_found(desk, refused):
    calls = [
        desk.cases.GetCase(GetCaseRequest(name=UNKNOWN)),
        desk.cases.UpdateCase(UpdateCaseRequest(case=case_pb2.Case(name=UNKNOWN, topic="damaged"))),
        desk.cases.AssignCase(AssignCaseRequest(name=UNKNOWN, owner="agents/bob")),
        desk.cases.ResolveCase(ResolveCaseRequest(name=UNKNOWN, resolution="delivered")),
        desk.cases.ReopenCase(ReopenCaseRequest(name=UNKNOWN)),
    ]
    assert {await refused(call) for call in calls} == {"NOT_FOUND RESOURCE_NOT_FOUND"}


@pytest.mark.alone("all there is is counted")
async def test_cases_are_listed_newest_first_in_pages(desk):
    names = [(await desk.open()).name for _ in range(5)]
    listed, token = [], ""
    while True:
        page = await desk.cases.ListCases(ListCasesRequest(page_size=2, page_token=token))
        listed += [case.name for case in page.cases]
        token = page.next_page_token
        if not token:
            break
    assert listed == names[::-1]


@pytest.mark.alone("all there is is counted")
async def test_cases_are_filtered_by_every_documented_field(desk):
    opened = await desk.open(topic="damaged")
    bob = await desk.agent("agents/bob", "departments/billing")
    await desk.open(customer=f"customers/{uuid4()}", owner=bob)
    for text in (
        f"customer = {desk.customer}",
        "owner = agents/front-desk",
        "department = departments/front-desk",
        "topic = damaged AND state = OPEN",
        'NOT owner = agents/bob AND open_time > "2020-01-01T00:00:00Z"',
    ):
        page = await desk.cases.ListCases(ListCasesRequest(filter=text))
        assert [case.name for case in page.cases] == [opened.name], text


@pytest.mark.alone("the clock is moved")
async def test_cases_are_found_by_when_they_were_resolved_and_not_once_they_are_open_again(desk):
    resolved = []
    for _ in range(2):
        resolved.append((await desk.open()).name)
        desk.clock.advance(timedelta(days=1))
        await desk.cases.ResolveCase(ResolveCaseRequest(name=resolved[-1], resolution="delivered"))
    await desk.open()
    lately = (desk.clock.now() - timedelta(hours=1)).isoformat()

    async def found(text):
        page = await desk.cases.ListCases(ListCasesRequest(filter=text))
        return [case.name for case in page.cases]

    assert await found(f'resolve_time > "{lately}"') == resolved[1:]
    assert await found(f'resolve_time <= "{lately}"') == resolved[:1]
    await desk.cases.ReopenCase(ReopenCaseRequest(name=resolved[1]))
    assert await found(f'resolve_time > "{lately}"') == []


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (ListCasesRequest(page_size=-1), "INVALID_PAGE_SIZE"),
        (ListCasesRequest(page_token="bogus"), "INVALID_PAGE_TOKEN"),
        (ListCasesRequest(filter="display_name = x"), "INVALID_FILTER"),
        (ListCasesRequest(filter="state = SOMEWHERE"), "INVALID_FILTER"),
    ],
)
async def test_a_list_that_cannot_be_is_refused(desk, refused, request_, reason):
    assert await refused(desk.cases.ListCases(request_)) == f"INVALID_ARGUMENT {reason}"


async def test_a_page_token_of_another_list_is_refused(desk, refused):
    for _ in range(2):
        await desk.open()
    page = await desk.cases.ListCases(ListCasesRequest(page_size=1))
    other = ListCasesRequest(page_size=1, page_token=page.next_page_token, filter="state = OPEN")
    assert await refused(desk.cases.ListCases(other)) == "INVALID_ARGUMENT INVALID_PAGE_TOKEN"


@pytest.mark.alone("all there is is counted")
async def test_a_case_belongs_to_the_department_of_its_owner_from_the_start(desk, refused):
    owner = await desk.agent("agents/bob")
    opened = await desk.open(owner=owner)
    assert opened.department == "departments/front-desk"
    assert (await desk.open(owner=owner, department=opened.department)).department == opened.department
    other = desk.open(owner=owner, department="departments/billing")
    assert await refused(other) == "INVALID_ARGUMENT INVALID_NAME"
    stranger = desk.running.stub(CaseServiceStub, permissions=["cases.cases.write"], department="billing")
    opening = stranger.OpenCase(OpenCaseRequest(case=desk.case(owner=owner)))
    assert await refused(opening) == "PERMISSION_DENIED NOT_OWNER"


async def test_writing_needs_more_than_the_permission_to_read(desk, refused):
    reader = desk.running.stub(CaseServiceStub, permissions=["cases.cases.read"])
    assert await refused(reader.OpenCase(OpenCaseRequest(case=desk.case()))) == (
        "PERMISSION_DENIED PERMISSION_DENIED"
    )
