"""What cases are to each other: linked, followed, split, merged, and taken apart again."""

from typing import Any
from uuid import uuid4

import pytest
from grpc.aio import AioRpcError

from chassis.ids import uuid7
from rapport.cases.v1.case_link_pb2 import CaseLink
from rapport.cases.v1.case_link_service_pb2 import (
    CreateCaseLinkRequest,
    DeleteCaseLinkRequest,
    ExplainCaseLinkRequest,
    GetCaseLinkRequest,
    ListCaseLinksRequest,
)
from rapport.cases.v1.case_link_service_pb2_grpc import CaseLinkServiceStub
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import (
    AssignCaseRequest,
    GetCaseRequest,
    ListCasesRequest,
    MergeCasesRequest,
    OpenCaseRequest,
    ReopenCaseRequest,
    ResolveCaseRequest,
    SplitCaseRequest,
    UnmergeCaseRequest,
)
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest, ListNotesRequest
from rapport.cases.v1.work_item_service_pb2 import (
    FinishWorkItemRequest,
    ListWorkItemsRequest,
    StartWorkItemRequest,
)
from rapport.common.v1 import states_pb2
from rapport.customer.v1.customer_events_pb2 import CustomerMergeUndone, CustomersMerged
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

OPEN, RESOLVED, MERGED = (
    getattr(states_pb2, f"CASE_STATE_{state}") for state in ("OPEN", "RESOLVED", "MERGED")
)


class Linking:
    """A front desk that sees what cases have to do with each other."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.links = desk.running.stub(CaseLinkServiceStub)

    async def get(self, case: Any) -> Case:
        return await self.desk.cases.GetCase(GetCaseRequest(name=case.name))

    async def link(self, case: Any, other: Any, kind: str = "KIND_RELATED") -> CaseLink:
        link = CaseLink(case=case.name, linked_case=other.name, kind=kind)
        return await self.links.CreateCaseLink(CreateCaseLinkRequest(case_link=link))

    async def of(self, case: Any, filter: str = "") -> list[CaseLink]:
        request = ListCaseLinksRequest(case=case.name, filter=filter)
        return list((await self.links.ListCaseLinks(request)).case_links)

    async def merge(self, survivor: Any, *merged: Any, etag: str = "") -> Case:
        names = [each.name for each in merged]
        request = MergeCasesRequest(
            name=survivor.name, merged_cases=names, reason_code="reported-twice", etag=etag
        )
        return await self.desk.cases.MergeCases(request)

    async def unmerge(self, case: Any) -> Case:
        request = UnmergeCaseRequest(name=case.name, reason_code="another-concern")
        return await self.desk.cases.UnmergeCase(request)

    async def resolve(self, case: Any) -> Case:
        request = ResolveCaseRequest(name=case.name, resolution="delivered")
        return await self.desk.cases.ResolveCase(request)

    async def note(self, case: Any, text: str) -> Note:
        request = CreateNoteRequest(parent=case.name, note=Note(text=text))
        return await self.desk.notes.CreateNote(request)


@pytest.fixture
async def linking(desk):
    return Linking(desk)


async def test_a_link_is_read_from_both_ends_explained_and_taken_back(desk, linking):
    one, other = await desk.open(), await desk.open()
    link = await linking.link(one, other)
    assert link.author == "agents/alice"
    assert await linking.links.GetCaseLink(GetCaseLinkRequest(name=link.name)) == link
    assert await linking.of(one) == await linking.of(other) == [link]
    assert await linking.of(other, "kind = CAUSED_BY") == []
    explained = await linking.links.ExplainCaseLink(ExplainCaseLinkRequest(name=link.name))
    assert "Case link created" in explained.summary
    await linking.links.DeleteCaseLink(DeleteCaseLinkRequest(name=link.name))
    assert await linking.of(one) == await linking.of(other) == []
    told = await desk.facts("CaseLinkCreated", "CaseLinkDeleted")
    assert [(fact.version, fact.data.linked_case) for fact in told] == [(1, other.name), (2, other.name)]


async def test_what_is_the_same_either_way_round_is_linked_once(desk, linking, refused):
    one, other = await desk.open(), await desk.open()
    await linking.link(one, other)
    assert await refused(linking.link(other, one)) == "ALREADY_EXISTS LINK_EXISTS"


async def test_a_concern_is_brought_about_by_one_problem(desk, linking, refused):
    concern, another = await desk.open(), await desk.open(customer=f"customers/{uuid4()}")
    first, second = [await desk.open(kind="KIND_PROBLEM") for _ in range(2)]
    await linking.link(concern, first, "KIND_CAUSED_BY")
    await linking.link(another, first, "KIND_CAUSED_BY")
    assert len(await linking.of(first, "kind = CAUSED_BY")) == 2
    assert await refused(linking.link(concern, second, "KIND_CAUSED_BY")) == "ALREADY_EXISTS LINK_EXISTS"
    for case, cause in ((concern, another), (first, second)):
        answer = "FAILED_PRECONDITION NOT_A_PROBLEM"
        assert await refused(linking.link(case, cause, "KIND_CAUSED_BY")) == answer


@pytest.mark.parametrize("kind", ["KIND_MERGED_INTO", "KIND_SPLIT_FROM"])
async def test_what_an_act_makes_is_not_linked_by_hand(desk, linking, refused, kind):
    one, other = await desk.open(), await desk.open()
    assert await refused(linking.link(one, other, kind)) == "FAILED_PRECONDITION LINK_OF_AN_ACT"
    assert await refused(linking.link(one, one)) == "FAILED_PRECONDITION LINKED_TO_ITSELF"


async def test_a_case_follows_one_of_the_same_customer(desk, linking, refused):
    before = await linking.resolve(await desk.open())
    after = await desk.cases.OpenCase(OpenCaseRequest(case=desk.case(), follows=before.name))
    [link] = await linking.of(before)
    assert (link.case, link.linked_case, link.kind) == (after.name, before.name, CaseLink.KIND_FOLLOWS)
    elsewhere = desk.case(customer=f"customers/{uuid4()}")
    answer = await refused(desk.cases.OpenCase(OpenCaseRequest(case=elsewhere, follows=before.name)))
    assert answer == "FAILED_PRECONDITION CUSTOMER_MISMATCH"
    assert len(await desk.facts("CaseOpened")) == 2


async def test_another_concern_that_is_found_in_a_case_becomes_its_own(desk, linking):
    whole = await desk.open(harm="HARM_LOSS")
    request = SplitCaseRequest(name=whole.name, topic="wrong-invoice", display_name="And the invoice")
    part = await desk.cases.SplitCase(request)
    assert (part.customer, part.owner, part.harm) == (whole.customer, whole.owner, whole.harm)
    assert (part.topic, part.display_name, part.state) == ("wrong-invoice", "And the invoice", OPEN)
    [link] = await linking.of(whole)
    assert (link.case, link.kind) == (part.name, CaseLink.KIND_SPLIT_FROM)
    opened, linked = (await desk.facts("CaseOpened", "CaseLinkCreated"))[1:]
    assert linked.causation_id == opened.id


async def test_merged_cases_are_read_and_settled_as_one(desk, linking, refused):
    survivor, merged = await desk.open(), await desk.open()
    item, own = await desk.add(merged.name), await desk.add(survivor.name)
    before = [await linking.note(merged, "first"), await linking.note(survivor, "second")]
    await linking.merge(survivor, merged, etag=survivor.etag)
    found = await linking.get(merged)
    assert (found.state, found.merged_into, found.name) == (MERGED, survivor.name, merged.name)
    notes = await desk.notes.ListNotes(ListNotesRequest(parent=survivor.name))
    assert list(notes.notes) == before
    items = await desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=f"case = {survivor.name}"))
    assert [each.name for each in items.work_items] == [item.name, own.name]
    assert await refused(desk.add(merged.name)) == "FAILED_PRECONDITION CASE_MERGED"
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=own.name))
    assert await refused(linking.resolve(survivor)) == "FAILED_PRECONDITION WORK_ITEM_OPEN"
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=item.name))
    assert (await linking.resolve(survivor)).state == RESOLVED
    assert (await linking.get(merged)).progress == states_pb2.CASE_PROGRESS_RESOLVED


async def test_work_on_a_merged_case_is_work_for_the_customer(desk, linking):
    survivor, merged = await desk.open(), await desk.open()
    item = await desk.add(merged.name)
    await linking.merge(survivor, merged)
    await desk.work_items.StartWorkItem(StartWorkItemRequest(name=item.name))
    for case in (survivor, merged):
        assert (await linking.get(case)).progress == states_pb2.CASE_PROGRESS_IN_PROGRESS


async def test_a_merge_is_undone_exactly(desk, linking, refused):
    survivor, settled, open_case = [await desk.open() for _ in range(3)]
    await linking.resolve(settled)
    before = [await linking.get(each) for each in (settled, open_case)]
    await linking.merge(survivor, settled, open_case)
    listed = await desk.cases.ListCases(ListCasesRequest(filter=f"merged_into = {survivor.name}"))
    assert {each.name for each in listed.cases} == {settled.name, open_case.name}
    for was in before:
        again = await linking.unmerge(was)
        assert (again.state, again.resolution, again.merged_into) == (was.state, was.resolution, "")
    assert await linking.of(survivor) == []
    assert await refused(linking.unmerge(settled)) == "FAILED_PRECONDITION CASE_NOT_MERGED"


async def test_what_was_merged_before_goes_along_and_comes_back(desk, linking):
    first, second, third = [await desk.open() for _ in range(3)]
    await linking.merge(second, first)
    await linking.merge(third, second)
    assert (await linking.get(first)).merged_into == third.name
    await linking.unmerge(second)
    assert (await linking.get(first)).merged_into == second.name
    moved = [
        (fact.resource, fact.data.merged_into) for fact in await desk.facts("CaseMerged", "CaseUnmerged")
    ]
    assert moved == [
        (first.name, second.name),
        (second.name, third.name),
        (first.name, third.name),
        (second.name, third.name),
        (first.name, second.name),
    ]


async def test_what_cannot_be_one_case_is_refused_as_a_whole(desk, linking, refused):
    survivor, fine = await desk.open(), await desk.open()
    stranger = await desk.open(customer=f"customers/{uuid4()}")
    problem = await desk.open(kind="KIND_PROBLEM")
    for other, reason in ((stranger, "CUSTOMER_MISMATCH"), (problem, "KIND_MISMATCH")):
        assert await refused(linking.merge(survivor, fine, other)) == f"FAILED_PRECONDITION {reason}"
    assert await refused(linking.merge(survivor, survivor)) == "FAILED_PRECONDITION LINKED_TO_ITSELF"
    merged = await desk.open()
    await linking.merge(fine, merged)
    assert await refused(linking.merge(survivor, merged)) == "FAILED_PRECONDITION CASE_MERGED"
    assert await refused(linking.merge(merged, survivor)) == "FAILED_PRECONDITION CASE_MERGED"
    await linking.resolve(survivor)
    assert await refused(linking.merge(survivor, fine)) == "FAILED_PRECONDITION CASE_RESOLVED"
    for act in (
        linking.resolve(merged),
        desk.cases.ReopenCase(ReopenCaseRequest(name=merged.name)),
    ):
        assert await refused(act) == "FAILED_PRECONDITION CASE_MERGED"
    nowhere = Case(name=f"cases/{uuid4()}")
    assert await refused(linking.merge(fine, nowhere)) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_a_case_takes_in_at_most_a_hundred(desk, linking, refused):
    survivor = await desk.open()
    for _ in range(4):
        await linking.merge(survivor, *[await desk.open() for _ in range(20)])
    await linking.merge(survivor, *[await desk.open() for _ in range(19)])
    answer = "FAILED_PRECONDITION TOO_MANY_MERGED"
    assert await refused(linking.merge(survivor, await desk.open())) == answer


async def test_only_who_answers_for_both_merges_them_and_for_one_links_them(desk, linking, refused):
    bob = await desk.agent("agents/bob", "departments/billing")
    ours, theirs = await desk.open(), await desk.open()
    await desk.cases.AssignCase(AssignCaseRequest(name=theirs.name, owner=bob))
    everything = ["cases.cases.write", "cases.case_links.write"]
    billing = desk.running.stub(CaseServiceStub, permissions=everything, department="billing")
    request = MergeCasesRequest(name=theirs.name, merged_cases=[ours.name], reason_code="same")
    assert await refused(billing.MergeCases(request)) == "PERMISSION_DENIED NOT_OWNER"
    links = desk.running.stub(CaseLinkServiceStub, permissions=everything, department="billing")
    link = CaseLink(case=ours.name, linked_case=theirs.name, kind="KIND_RELATED")
    await links.CreateCaseLink(CreateCaseLinkRequest(case_link=link))
    delivery = desk.running.stub(CaseLinkServiceStub, permissions=everything, department="delivery")
    again = CaseLink(case=ours.name, linked_case=theirs.name, kind="KIND_FOLLOWS")
    answer = "PERMISSION_DENIED NOT_OWNER"
    assert await refused(delivery.CreateCaseLink(CreateCaseLinkRequest(case_link=again))) == answer


async def test_cases_of_two_who_were_taken_for_one_are_taken_apart(desk, linking):
    one, other = desk.customer, f"customers/{uuid4()}"
    merge = f"customerMerges/{uuid7(desk.clock.now())}"
    merged = CustomersMerged(
        customer_merge=merge, customer=one, customers=[one, other], survivors=[one, one], sequence=1
    )
    await desk.running.deliver(merged, resource=merge, source="customer", version=1)
    first, second = await desk.open(), await desk.open(customer=other)

    async def are_one():
        return (await linking.merge(first, second)).state == OPEN

    await eventually(lambda: _tried(are_one))
    undone = CustomerMergeUndone(
        customer_merge=merge, customer=one, customers=[one, other], survivors=[one, other], sequence=2
    )
    await desk.running.deliver(undone, resource=merge, source="customer", version=2)

    async def apart():
        return (await linking.get(second)).state == OPEN

    await eventually(apart)
    [told] = await desk.facts("CaseUnmerged")
    assert (told.data.reason_code, told.actor) == ("customers-unmerged", "service:cases")


async def _tried(call: Any) -> bool:
    """Whether a call is answered by now."""
    try:
        return bool(await call())
    except AioRpcError:
        return False
