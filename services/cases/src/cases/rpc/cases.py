"""The gRPC services of cases and of the notes on them."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from cases.domain import case as domain
from cases.domain.case_progress import CaseWithWork
from cases.domain.promise_clock import PromiseClock
from cases.names import CASE, NOTE
from cases.store import tables as store
from cases.usecases import case, case_link
from cases.usecases.case_progress import answered_with_work, with_work
from cases.usecases.search import search_cases
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.pages import Page, gathered
from chassis.errors import NotFound
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import case_service_pb2 as pb
from rapport.cases.v1 import note_service_pb2 as note_pb
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceServicer
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2_grpc import NoteServiceServicer
from rapport.common.v1.explanation_pb2 import Explanation


def shown(each: CaseWithWork) -> Case:
    """A case as the contract has it."""
    return to_message(Case, each.case, progress=each.progress)


class CaseRpc(Rpc, CaseServiceServicer):
    """Cases from the first contact to the resolution."""

    clock: PromiseClock

    OpenCase = change(pb.OpenCaseRequest, answered_with_work(case.open_case), shown)
    UpdateCase = change(pb.UpdateCaseRequest, answered_with_work(case.update_case), shown)
    AssignCase = change(pb.AssignCaseRequest, answered_with_work(case.assign_case), shown)
    ResolveCase = change(pb.ResolveCaseRequest, answered_with_work(case.resolve_case), shown)
    ReopenCase = change(pb.ReopenCaseRequest, answered_with_work(case.reopen_case), shown)

    SplitCase = change(pb.SplitCaseRequest, answered_with_work(case.split_case), shown)
    MergeCases = change(pb.MergeCasesRequest, answered_with_work(case_link.merge_cases), shown)
    UnmergeCase = change(pb.UnmergeCaseRequest, answered_with_work(case_link.unmerge_case), shown)

    async def GetCase(self, request: pb.GetCaseRequest, context: Any) -> Case:
        """Get a case."""
        return (await self._get(CASE.parse(request.name)))[0]

    async def BatchGetCases(self, request: pb.BatchGetCasesRequest, context: Any) -> pb.BatchGetCasesResponse:
        """Get several cases."""
        ids = [CASE.ids(name)[0] for name in request.names]
        read = partial(self._get, missing_allowed=request.allow_missing)
        return pb.BatchGetCasesResponse(cases=await gathered(ids, read))

    async def ListCases(self, request: pb.ListCasesRequest, context: Any) -> pb.ListCasesResponse:
        """List cases, newest first."""
        cases, token = await store.LIST_CASES.page_together(self.db, request, self._shown)
        return pb.ListCasesResponse(cases=cases, next_page_token=token)

    async def SearchCases(self, request: pb.SearchCasesRequest, context: Any) -> pb.SearchCasesResponse:
        """Find cases by whatever one has of them."""
        page = Page(request, int, UUID, default_size=20, size_max=100)
        result = await search_cases(self.db, page, request.query, request.filter)
        token = page.next_token(result.last) if result.last else ""
        cases = await self._get(result.case_ids)
        return pb.SearchCasesResponse(cases=cases, next_page_token=token, capped=result.capped)

    async def ExplainCase(self, request: pb.ExplainCaseRequest, context: Any) -> Explanation:
        """Why a case is as it is, and how pressing."""
        explained = await found(self.db, CASE, store.CASE, *CASE.parse(request.name))
        [message] = await self._shown([explained])
        return await self.explainer.explain(request, message, partial(domain.why_case, explained))

    async def _get(self, ids: Sequence[UUID], *, missing_allowed: bool = False) -> list[Case]:
        """The cases with these ids, in their order. NotFound when one is absent, or an empty one."""
        cases = await store.CASES_BY_ID.all(self.db, ids=list(ids))
        messages = dict(zip((each.id for each in cases), await self._shown(cases), strict=True))
        for case_id in ids:
            if case_id not in messages and not missing_allowed:
                raise NotFound(CASE.format(case_id))
        return [messages.get(case_id, Case()) for case_id in ids]

    async def _shown(self, cases: Sequence[domain.Case]) -> list[Case]:
        return [shown(each) for each in await with_work(self.db, cases)]


class NoteRpc(Rpc, NoteServiceServicer):
    """Notes for colleagues and for customers."""

    CreateNote = change(note_pb.CreateNoteRequest, case.create_note, Note)
    GetNote = get(NOTE, store.NOTE, Note)
    ListNotes = listing(note_pb.ListNotesResponse, store.LIST_NOTES, parent=(CASE, store.CASE))
    ExplainNote = explain(NOTE, store.NOTE, Note)
