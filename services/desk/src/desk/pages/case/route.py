"""`/cases/{id}`: a case with the departments' work, shown anew after each act."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from chassis.errors import NotFound
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.case import view
from desk.pages.customer.loading import ALL, PAGE_S, Names
from desk.pages.customer.route import UUID
from desk.pages.services import Parts, Services, ask, patience
from rapport.cases.v1.authority_service_pb2 import CheckAuthorityRequest
from rapport.cases.v1.case_link_pb2 import CaseLink
from rapport.cases.v1.case_link_service_pb2 import ListCaseLinksRequest
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import BatchGetCasesRequest, GetCaseRequest
from rapport.cases.v1.clock_service_pb2 import ListClocksRequest
from rapport.cases.v1.escalation_service_pb2 import ListEscalationsRequest, ListEscalationsResponse
from rapport.cases.v1.handoff_service_pb2 import ListHandoffsRequest
from rapport.cases.v1.note_service_pb2 import ListNotesRequest, ListNotesResponse
from rapport.cases.v1.promise_service_pb2 import ListPromisesRequest
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsRequest, ListWorkItemsResponse
from rapport.notifications.v1.notice_service_pb2 import ListNoticesRequest

router = APIRouter()
LINKS_MAX = 100


@router.get("/cases/{uuid}")
async def case(look: Look, uuid: str) -> Response:
    """The page."""
    found, parts, cards = await _cards(look, uuid)
    return look.answer(
        "pages/case/page.html",
        uuid=uuid,
        title=view.title(found, parts, look.say),
        customer=found.customer,
        who=view.who(found, parts, look.say),
        cards=cards,
    )


@router.get("/cases/{uuid}/cards")
async def fresh_cards(look: Look, uuid: str) -> JSONResponse:
    """Every card as it is now."""
    _, _, cards = await _cards(look, uuid)
    return JSONResponse(message(f"cases/{uuid}", cards, look.say.now))


async def _cards(look: Looking, uuid: str) -> tuple[Case, Parts, dict[str, Card]]:
    if not UUID.fullmatch(uuid):
        raise NotFound("cases/…")
    found = await look.services.cases.GetCase(GetCaseRequest(name=f"cases/{uuid}"))
    names = Names(look.viewer, look.memory)
    parts = await _asked(look, found, names)
    made = macros("pages/case/cards.html", say=look.say, viewer=look.viewer)
    page = view.page(found, parts, look.viewer, names, look.say)
    return found, parts, {name: card(getattr(made, name)(part)) for name, part in page.items()}


async def _asked(look: Looking, case: Case, names: Names) -> Parts:
    services, left, of = look.services, patience(PAGE_S), f'case = "{case.name}"'
    of_customer = f'customer = "{case.customer}"'
    parts = await ask(
        left(),
        customer=services.known([case.customer]),
        items=services.work_items.ListWorkItems(ListWorkItemsRequest(filter=of, page_size=ALL)),
        handoffs=services.handoffs.ListHandoffs(ListHandoffsRequest(filter=of, page_size=ALL)),
        promises=services.promises.ListPromises(ListPromisesRequest(filter=of, page_size=ALL)),
        notices=services.notices.ListNotices(ListNoticesRequest(filter=of_customer, page_size=ALL)),
        clocks=services.clocks.ListClocks(ListClocksRequest(filter=of, page_size=ALL)),
        links=_linked(services, case.name),
        escalations=services.escalations.ListEscalations(ListEscalationsRequest(filter=of, page_size=ALL)),
        authority=services.authority.CheckAuthority(CheckAuthorityRequest(case=case.name)),
        notes=services.notes.ListNotes(ListNotesRequest(parent=case.name, page_size=ALL)),
    )
    items = parts.of("items", ListWorkItemsResponse).work_items
    notes = parts.of("notes", ListNotesResponse).notes
    asked = parts.of("escalations", ListEscalationsResponse).escalations
    named = {case.owner, *(each.assignee for each in items), *(each.author for each in notes)}
    named |= {each.assignee for each in asked} | {level.agent for each in asked for level in each.levels}
    await asyncio.shield(names.learn(services, named, left()))
    return parts


async def _linked(services: Services, case: str) -> Sequence[tuple[CaseLink, Case]]:
    """What the case is linked with, from whichever end, and the other case."""
    listed = await services.case_links.ListCaseLinks(ListCaseLinksRequest(case=case, page_size=LINKS_MAX))
    others = [each.linked_case if each.case == case else each.case for each in listed.case_links]
    if not others:
        return ()
    found = await services.cases.BatchGetCases(BatchGetCasesRequest(names=others, allow_missing=True))
    return list(zip(listed.case_links, found.cases, strict=True))
