"""One thing is done to many cases: previewed, to each once, however often it is interrupted."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from cases.usecases import case_job
from chassis.context import Call, acting, service_itself
from rapport.cases.v1.case_job_pb2 import CaseJob
from rapport.cases.v1.case_job_service_pb2 import (
    CancelCaseJobRequest,
    CreateCaseJobRequest,
    ExplainCaseJobRequest,
    GetCaseJobRequest,
    ListCaseJobResultsRequest,
    ListCaseJobsRequest,
    PreviewCaseJobRequest,
)
from rapport.cases.v1.case_job_service_pb2_grpc import CaseJobServiceStub
from rapport.cases.v1.case_link_pb2 import CaseLink
from rapport.cases.v1.case_link_service_pb2 import CreateCaseLinkRequest
from rapport.cases.v1.case_link_service_pb2_grpc import CaseLinkServiceStub
from rapport.cases.v1.case_service_pb2 import GetCaseRequest, MergeCasesRequest
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import ListNotesRequest
from rapport.common.v1 import states_pb2
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

OPEN, RESOLVED = states_pb2.CASE_STATE_OPEN, states_pb2.CASE_STATE_RESOLVED
ANSWER = {"note_text": "The bridge is open again.", "note_visibility": "VISIBILITY_CUSTOMER"}


def doing(filter: str = "", problem: str = "", **change: Any) -> CaseJob:
    """A job that does `change` to the cases of a filter or of a problem."""
    return CaseJob(filter=filter, problem=problem, change=CaseJob.Change(**change))


class Bulk:
    """A front desk with one thing to do to many."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.jobs = desk.running.stub(CaseJobServiceStub)
        self.links = desk.running.stub(CaseLinkServiceStub)

    async def begin(self, **fields: Any) -> CaseJob:
        return await self.jobs.CreateCaseJob(CreateCaseJobRequest(case_job=doing(**fields)))

    async def get(self, job: Any) -> CaseJob:
        return await self.jobs.GetCaseJob(GetCaseJobRequest(name=job.name))

    async def done(self, job: Any) -> CaseJob:
        async def ended() -> Any:
            found = await self.get(job)
            return found if found.state == CaseJob.STATE_DONE else None

        return await eventually(ended)

    async def results(self, job: Any, filter: str = "") -> dict[str, str]:
        request = ListCaseJobResultsRequest(parent=job.name, filter=filter)
        found = (await self.jobs.ListCaseJobResults(request)).case_job_results
        return {each.case: each.reason for each in found}

    async def preview(self, **fields: Any) -> Any:
        return await self.jobs.PreviewCaseJob(PreviewCaseJobRequest(case_job=doing(**fields)))

    async def caused(self, problem: Any, **fields: Any) -> Any:
        """A concern of another customer that the problem brought about."""
        concern = await self.desk.open(**{"customer": f"customers/{uuid4()}"} | fields)
        await self.link(concern, problem)
        return concern

    async def link(self, concern: Any, problem: Any) -> None:
        link = CaseLink(case=concern.name, linked_case=problem.name, kind="KIND_CAUSED_BY")
        await self.links.CreateCaseLink(CreateCaseLinkRequest(case_link=link))

    async def state(self, case: Any) -> Any:
        return (await self.desk.cases.GetCase(GetCaseRequest(name=case.name))).state

    async def notes(self, case: Any) -> list[Note]:
        return list((await self.desk.notes.ListNotes(ListNotesRequest(parent=case.name))).notes)


@pytest.fixture
async def bulk(desk):
    return Bulk(desk)


async def test_everybody_whom_a_problem_concerns_is_answered_once_and_settled_with_it(desk, bulk):
    problem = await desk.open(kind="KIND_PROBLEM")
    concerns = [await bulk.caused(problem) for _ in range(3)]
    working = await bulk.caused(problem)
    await desk.add(working.name)
    job = await bulk.begin(problem=problem.name, resolution="repaired", **ANSWER)
    assert (job.case_count, job.author) == (5, "agents/alice")
    ended = await bulk.done(job)
    assert (ended.done_count, ended.refused_count) == (4, 1)
    assert await bulk.results(job, 'reason = "WORK_ITEM_OPEN"') == {working.name: "WORK_ITEM_OPEN"}
    for case in (*concerns, problem):
        [note] = await bulk.notes(case)
        assert (note.text, note.author) == (ANSWER["note_text"], "agents/alice")
        assert note.visibility == Note.VISIBILITY_CUSTOMER
        assert await bulk.state(case) == RESOLVED
    assert (await bulk.notes(working), await bulk.state(working)) == ([], OPEN)
    explained = await bulk.jobs.ExplainCaseJob(ExplainCaseJobRequest(name=job.name))
    assert explained.summary.startswith("Case job ended")
    assert [each.actor for each in explained.causes][-1] == "agents/alice"


async def test_a_concern_that_is_merged_is_answered_once_with_the_one_that_goes_on(desk, bulk):
    problem = await desk.open(kind="KIND_PROBLEM")
    survivor = await bulk.caused(problem)
    merged = await bulk.caused(problem, customer=survivor.customer)
    request = MergeCasesRequest(name=survivor.name, merged_cases=[merged.name], reason_code="same")
    await desk.cases.MergeCases(request)
    job = await bulk.done(await bulk.begin(problem=problem.name, **ANSWER))
    assert job.done_count == 2
    assert len(await bulk.notes(survivor)) == 1


@pytest.mark.alone("it counts all that there is")
async def test_cases_of_a_filter_get_an_owner_and_a_topic(desk, bulk):
    bob = await desk.agent("agents/bob", "departments/billing")
    found = [await desk.open() for _ in range(3)]
    left = await desk.open(topic="something-else")
    job = await bulk.begin(filter='topic = "late-delivery"', owner=bob, topic="late-train")
    later = await desk.open()
    assert (await bulk.done(job)).done_count == 3
    for case in found:
        changed = await desk.cases.GetCase(GetCaseRequest(name=case.name))
        assert (changed.owner, changed.topic) == (bob, "late-train")
        assert changed.department == "departments/billing"
    for case in (left, later):
        assert await desk.cases.GetCase(GetCaseRequest(name=case.name)) == case


@pytest.mark.alone("it counts all that there is")
async def test_who_leaves_once_a_job_has_begun_is_given_no_case_by_it(desk, bulk, monkeypatch):
    bob, do = await desk.agent("agents/bob"), case_job._do

    async def after_they_left(*step: Any) -> None:
        await desk.agent(bob, inactive=True)
        await do(*step)

    monkeypatch.setattr(case_job, "_do", after_they_left)
    case = await desk.open()
    job = await bulk.done(await bulk.begin(filter='topic = "late-delivery"', owner=bob))
    assert (job.done_count, job.refused_count) == (0, 1)
    assert await bulk.results(job) == {case.name: "AGENT_INACTIVE"}


@pytest.mark.alone("it counts all that there is")
async def test_a_preview_says_how_many_which_and_what_would_be_refused_and_does_nothing(desk, bulk):
    working, fine = await desk.open(), await desk.open()
    await desk.add(working.name)
    facts = len(await desk.facts())
    preview = await bulk.preview(filter="state = OPEN", resolution="delivered")
    assert (preview.case_count, preview.checked_count) == (2, 2)
    assert list(preview.cases) == [working.name, fine.name]
    assert [(each.case, each.reason) for each in preview.refused] == [(working.name, "WORK_ITEM_OPEN")]
    assert (len(await desk.facts()), await bulk.state(fine)) == (facts, OPEN)


@pytest.mark.alone("it counts all that there is")
async def test_other_departments_cases_are_noted_on_and_not_changed(desk, bulk):
    bob = await desk.agent("agents/bob", "departments/billing")
    ours, theirs = await desk.open(), await desk.open(owner=bob)
    rights = ["cases.case_jobs.write"]
    desk_only = desk.running.stub(CaseJobServiceStub, permissions=rights)
    asked = doing(filter="state = OPEN", resolution="delivered")
    job = await bulk.done(await desk_only.CreateCaseJob(CreateCaseJobRequest(case_job=asked)))
    assert await bulk.results(job) == {ours.name: "", theirs.name: "NOT_OWNER"}
    noted = doing(filter="state = OPEN", note_text="Called everybody.")
    job = await bulk.done(await desk_only.CreateCaseJob(CreateCaseJobRequest(case_job=noted)))
    assert (job.done_count, len(await bulk.notes(theirs))) == (1, 1)


@pytest.mark.alone("it counts all that there is")
async def test_a_job_is_given_up_by_its_department_alone_and_what_was_done_stays(
    desk, bulk, refused, monkeypatch
):
    monkeypatch.setattr(case_job, "AT_ONCE", 1)
    cases = [await desk.open() for _ in range(2)]
    job = await bulk.begin(filter="state = OPEN", resolution="delivered")
    billing = desk.running.stub(
        CaseJobServiceStub, permissions=["cases.case_jobs.write"], department="billing"
    )
    cancel = CancelCaseJobRequest(name=job.name)
    assert await refused(billing.CancelCaseJob(cancel)) == "PERMISSION_DENIED NOT_OWNER"
    ended = await bulk.jobs.CancelCaseJob(cancel)
    assert ended.state in (CaseJob.STATE_CANCELLED, CaseJob.STATE_DONE)
    states = [await bulk.state(case) for case in cases]
    assert states.count(RESOLVED) == ended.done_count
    assert await bulk.jobs.CancelCaseJob(cancel) == ended
    listed = await bulk.jobs.ListCaseJobs(ListCaseJobsRequest(filter='department = "departments/front-desk"'))
    assert list(listed.case_jobs) == [ended]


async def test_each_case_is_done_once_however_often_a_job_goes_on(desk, bulk, monkeypatch):
    monkeypatch.setattr(case_job, "AT_ONCE", 2)
    problem = await desk.open(kind="KIND_PROBLEM")
    concerns = [await bulk.caused(problem) for _ in range(5)]
    job = await bulk.begin(problem=problem.name, **ANSWER)
    job_id = job.name.partition("/")[2]

    async def again() -> None:
        with acting(Call("again", service_itself("cases"))):
            async with desk.running.db.transaction() as tx:
                await case_job.go_on(tx, job_id)

    await asyncio.gather(*(again() for _ in range(8)))
    assert (await bulk.done(job)).done_count == 6
    assert [len(await bulk.notes(case)) for case in (*concerns, problem)] == [1] * 6
    assert len(await desk.facts("CaseJobEnded")) == 1


@pytest.mark.alone("it counts all that there is")
async def test_two_jobs_at_once_settle_each_case_once(desk, bulk):
    cases = [await desk.open() for _ in range(6)]
    asked = {"filter": "state = OPEN", "resolution": "delivered"}
    jobs = [await bulk.done(each) for each in await asyncio.gather(*(bulk.begin(**asked) for _ in range(2)))]
    assert sum(job.done_count for job in jobs) == len(cases)
    assert len(await desk.facts("CaseResolved")) == len(cases)


async def test_a_case_that_is_linked_while_a_problem_is_answered_is_answered_or_comes_after(desk, bulk):
    for _ in range(5):
        problem = await desk.open(kind="KIND_PROBLEM")
        concern = await desk.open(customer=f"customers/{uuid4()}")
        job, _ = await asyncio.gather(bulk.begin(problem=problem.name, **ANSWER), bulk.link(concern, problem))
        await bulk.done(job)
        linked = [f for f in await desk.facts("CaseLinkCreated") if f.data.case == concern.name]
        ended = [f for f in await desk.facts("CaseJobEnded") if f.resource == job.name]
        came_before = UUID(str(linked[0].id)) < UUID(str(ended[0].id))
        assert len(await bulk.notes(concern)) == came_before


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"resolution": "x"}, "INVALID_ARGUMENT REQUIRED"),
        ({"filter": "state = OPEN"}, "INVALID_ARGUMENT REQUIRED"),
        ({"filter": "no = 1", "resolution": "x"}, "INVALID_ARGUMENT INVALID_FILTER"),
        ({"filter": "state = OPEN", "owner": "agents/none"}, "NOT_FOUND RESOURCE_NOT_FOUND"),
        ({"problem": f"cases/{uuid4()}", "note_text": "x"}, "NOT_FOUND RESOURCE_NOT_FOUND"),
    ],
)
async def test_what_is_no_job_is_refused_and_not_previewed(bulk, refused, fields, answer):
    assert await refused(bulk.begin(**fields)) == answer
    assert await refused(bulk.preview(**fields)) == answer


async def test_a_job_on_a_concern_or_on_too_many_is_refused(desk, bulk, refused, monkeypatch):
    concern = await desk.open()
    answer = "FAILED_PRECONDITION NOT_A_PROBLEM"
    assert await refused(bulk.begin(problem=concern.name, **ANSWER)) == answer
    monkeypatch.setattr("cases.domain.case_job.CASES_MAX", 0)
    answer = "FAILED_PRECONDITION TOO_MANY_CASES"
    assert await refused(bulk.begin(filter="state = OPEN", resolution="x")) == answer
