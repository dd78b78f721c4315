"""Cases that are opened, linked, merged, taken apart and settled in any order are as the model says.

The model keeps of each case whether it is settled and what it was merged into, and the links: a page of
dictionaries. `RAPPORT_MODEL_EXAMPLES` sets how many histories are tried.
"""

import os
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rapport.cases.v1 import (
    case_link_pb2,
    case_link_service_pb2,
    case_pb2,
    case_service_pb2,
    work_item_pb2,
    work_item_service_pb2,
)
from rapport.cases.v1.case_link_service_pb2_grpc import CaseLinkServiceStub
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1.states_pb2 import CaseState
from tests.model.conftest import World
from tests.model.test_merges import answer

which = st.integers(0, 4)
STEPS = st.one_of(
    st.tuples(st.just("open")),
    st.tuples(st.sampled_from(["merge", "link"]), which, which),
    st.tuples(st.sampled_from(["unmerge", "resolve", "reopen", "work", "finish"]), which),
)
HISTORIES = st.lists(STEPS, min_size=5, max_size=25)


@dataclass
class Model:
    """What is known of each case by its name."""

    settled: dict[str, bool] = field(default_factory=dict)
    into: dict[str, str] = field(default_factory=dict)  # what each merged one was merged into
    work: dict[str, str] = field(default_factory=dict)  # unfinished work items, and their cases
    links: set[frozenset[str]] = field(default_factory=set)

    def root(self, case: str) -> str:
        return self.root(self.into[case]) if case in self.into else case

    def unfinished(self, case: str) -> bool:
        return any(self.root(of) == case for of in self.work.values())

    def state(self, case: str) -> str:
        return "MERGED" if case in self.into else "RESOLVED" if self.settled[case] else "OPEN"


class Drive:
    """Does each step to the service and to the model, which says how it is answered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cases = world.stub(CaseServiceStub, "cases")
        self.links = world.stub(CaseLinkServiceStub, "cases")
        self.items = world.stub(WorkItemServiceStub, "cases")
        self.model = Model()
        self.customer = f"customers/{uuid4()}"

    async def do(self, kind: str, *which: int) -> None:
        names = list(self.model.settled)
        if kind == "open":
            await self.open()
        elif names:
            await getattr(self, kind)(*(names[n % len(names)] for n in which))

    async def open(self) -> None:
        case = case_pb2.Case(customer=self.customer, topic="delivery", owner="agents/front-desk")
        opened = await self.cases.OpenCase(case_service_pb2.OpenCaseRequest(case=case))
        self.model.settled[opened.name] = False

    async def merge(self, survivor: str, merged: str) -> None:
        request = case_service_pb2.MergeCasesRequest(name=survivor, merged_cases=[merged], reason_code="same")
        model = self.model
        _, refused = await answer(self.cases.MergeCases(request))
        if survivor == merged:
            expected = "LINKED_TO_ITSELF"
        elif {survivor, merged} & model.into.keys():
            expected = "CASE_RESOLVED" if model.state(survivor) == "RESOLVED" else "CASE_MERGED"
        else:
            expected = "CASE_RESOLVED" if model.settled[survivor] else ""
        assert refused == expected
        if not refused:
            model.into[merged] = survivor

    async def unmerge(self, case: str) -> None:
        request = case_service_pb2.UnmergeCaseRequest(name=case, reason_code="another")
        _, refused = await answer(self.cases.UnmergeCase(request))
        assert refused == ("" if case in self.model.into else "CASE_NOT_MERGED")
        self.model.into.pop(case, None)

    async def resolve(self, case: str) -> None:
        request = case_service_pb2.ResolveCaseRequest(name=case, resolution="delivered")
        _, refused = await answer(self.cases.ResolveCase(request))
        state = self.model.state(case)
        unfinished = "WORK_ITEM_OPEN" if self.model.unfinished(case) else ""
        assert refused == (unfinished if state == "OPEN" else f"CASE_{state}")
        if not refused:
            self.model.settled[case] = True

    async def reopen(self, case: str) -> None:
        _, refused = await answer(self.cases.ReopenCase(case_service_pb2.ReopenCaseRequest(name=case)))
        state = self.model.state(case)
        assert refused == ("" if state == "RESOLVED" else f"CASE_{state}")
        if not refused:
            self.model.settled[case] = False

    async def work(self, case: str) -> None:
        item = work_item_pb2.WorkItem(case=case, department="departments/delivery", kind="deliver")
        request = work_item_service_pb2.CreateWorkItemRequest(work_item=item)
        made, refused = await answer(self.items.CreateWorkItem(request))
        state = self.model.state(case)
        assert refused == ("" if state == "OPEN" else f"CASE_{state}")
        if made:
            self.model.work[made.name] = case

    async def finish(self, case: str) -> None:
        for item in [item for item, of in self.model.work.items() if of == case]:
            await self.items.FinishWorkItem(work_item_service_pb2.FinishWorkItemRequest(name=item))
            del self.model.work[item]

    async def link(self, case: str, other: str) -> None:
        link = case_link_pb2.CaseLink(case=case, linked_case=other, kind="KIND_RELATED")
        request = case_link_service_pb2.CreateCaseLinkRequest(case_link=link)
        _, refused = await answer(self.links.CreateCaseLink(request))
        known = frozenset((case, other)) in self.model.links
        assert refused == ("LINKED_TO_ITSELF" if case == other else "LINK_EXISTS" if known else "")
        if not refused:
            self.model.links.add(frozenset((case, other)))

    async def check(self) -> None:
        for case in self.model.settled:
            found = await self.cases.GetCase(case_service_pb2.GetCaseRequest(name=case))
            assert CaseState.Name(found.state) == f"CASE_STATE_{self.model.state(case)}"
            root = self.model.root(case)
            assert found.merged_into == (root if case in self.model.into else "")
            asked = work_item_service_pb2.ListWorkItemsRequest(filter=f"case = {case} AND -state = FINISHED")
            items = {item.name for item in (await self.items.ListWorkItems(asked)).work_items}
            under = {item for item, of in self.model.work.items() if case in (of, self.model.root(of))}
            assert items == under
            request = case_link_service_pb2.ListCaseLinksRequest(case=case)
            links = (await self.links.ListCaseLinks(request)).case_links
            merges = {frozenset(each) for each in self.model.into.items() if case in each}
            linked = {each for each in self.model.links if case in each}
            assert sorted(map(sorted, ({each.case, each.linked_case} for each in links))) == sorted(
                map(sorted, [*merges, *linked])
            )


@settings(
    max_examples=int(os.environ.get("RAPPORT_MODEL_EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=HISTORIES)
@example([("open",), ("open",), ("open",), ("merge", 1, 0), ("merge", 2, 1), ("unmerge", 1), ("reopen", 0)])
@example([("open",), ("open",), ("work", 0), ("merge", 1, 0), ("resolve", 1), ("finish", 0), ("resolve", 1)])
async def test_any_history_of_cases_ends_as_the_model_says(
    world: World, history: list[tuple[Any, ...]]
) -> None:
    drive = Drive(world)
    await world.begin()
    for step in history:
        await drive.do(*step)
    await drive.check()
