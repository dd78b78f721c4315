"""What the pages ask of the services: their lists at once, then whom they are about."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from chassis.api.messages import timestamp
from desk.pages.base import Looking
from desk.pages.notice_jobs.stuck import BLOCKED, WRITE
from desk.pages.services import Parts, Services, ask, filters, patience
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import (
    GetCaseRequest,
    ListCasesRequest,
    ListCasesResponse,
    SearchCasesRequest,
    SearchCasesResponse,
)
from rapport.cases.v1.escalation_service_pb2 import ListEscalationsRequest, ListEscalationsResponse
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest, ListPromisesRequest, ListPromisesResponse
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsRequest, ListWorkItemsResponse
from rapport.customer.v1.customer_service_pb2 import ListCustomersRequest, ListCustomersResponse
from rapport.notifications.v1.notice_job_service_pb2 import ListNoticeJobsRequest

WITHIN = timedelta(days=7)
PROMISES_MAX, BROKEN_MAX, CASES_MAX, ITEMS_MAX = 200, 50, 50, 50
CUSTOMERS_MAX = 36
BEFORE_MAX = 50  # promises that were replaced, for the date that was
FOUND_MAX = 20
SEARCH_S = 2.0  # for what somebody looks for
PAGE_S = 0.8  # for everything, also for what is asked only after an answer


async def load(look: Looking, department: str) -> Parts:
    """A department's promises within a week and the work that waits for it; the viewer's cases and customers.

    And what anybody promised to the customers of both; and which messages to many cannot go on.
    """
    services, left = look.services, patience(PAGE_S)
    own = ListCasesRequest(
        filter=f'owner = "{look.viewer.agent}" AND state = OPEN', order_by="open_time", page_size=CASES_MAX
    )
    managed = ListCustomersRequest(
        filter=f'relationship_manager = "{look.viewer.agent}"', page_size=CUSTOMERS_MAX
    )
    asked: dict[str, Any] = {
        "cases": services.cases.ListCases(own),
        "managed": services.customers.ListCustomers(managed),
        "asked": services.escalations.ListEscalations(
            ListEscalationsRequest(
                filter=f'assignee = "{look.viewer.agent}" AND state = OPEN', page_size=CASES_MAX
            )
        ),
    }
    if look.viewer.may(WRITE):
        asked["blocked"] = services.notice_jobs.ListNoticeJobs(ListNoticeJobsRequest(filter=BLOCKED))
    if department:
        ours = f'department = "{department}"'
        due, waiting = f"{ours} AND {_due(look)}", f"{ours} AND (state = PENDING OR state = STARTED)"
        promises = ListPromisesRequest(filter=due, order_by="due_time", page_size=PROMISES_MAX)
        broken = ListPromisesRequest(filter=f"{ours} AND state = BROKEN", page_size=BROKEN_MAX)
        items = ListWorkItemsRequest(filter=waiting, page_size=ITEMS_MAX)
        asked["promises"] = services.promises.ListPromises(promises)
        asked["broken"] = services.promises.ListPromises(broken)
        asked["items"] = services.work_items.ListWorkItems(items)
    parts = await ask(left(), **asked)
    return Parts(parts | await _about(look, parts, left))


async def _about(look: Looking, parts: Parts, left: Callable[[], float]) -> Parts:
    """The cases of waiting work, what one's own cases wait for, and the customers of everything."""
    services, items = look.services, parts.of("items", ListWorkItemsResponse).work_items
    known = {case.name: case for case in parts.of("cases", ListCasesResponse).cases}
    others = {item.case: None for item in items if item.case not in known}
    get = services.cases.GetCase
    asked: dict[str, Any] = {name: get(GetCaseRequest(name=name)) for name in others}
    if known:
        asked["waiting"] = _waiting(services, list(known))
    if mine := _mine(parts):
        asked["theirs"] = _promised(services, mine, _due(look))
    found = await ask(left(), **asked) if asked else Parts()
    known |= {name: part.value for name, part in found.items() if name.startswith("cases/") and part.value}
    about = {case.customer for case in known.values()}
    about |= {each.customer for each in parts.of("asked", ListEscalationsResponse).escalations}
    promised = ((parts, "broken"), (parts, "promises"), (found, "theirs"))
    for answers, name in promised:
        about |= {each.customer for each in answers.of(name, ListPromisesResponse).promises}
    moved = [each for answers, name in promised for each in answers.of(name, ListPromisesResponse).promises]
    before = [each.predecessor for each in moved if each.predecessor][:BEFORE_MAX]
    if not about:
        return found
    asked = {
        name: services.promises.GetPromise(GetPromiseRequest(name=name)) for name in dict.fromkeys(before)
    }
    return Parts(found | await ask(left(), customers=services.known(about), **asked))


async def cases_of(look: Looking, department: str, token: str) -> Parts:
    """A page of the open cases of a department, those that are open longest first, and what they wait for."""
    services, left = look.services, patience(PAGE_S)
    ours = f'department = "{department}" AND state = OPEN'
    request = ListCasesRequest(filter=ours, order_by="open_time", page_size=CASES_MAX, page_token=token)
    parts = await ask(left(), cases=services.cases.ListCases(request))
    return await _with_work(services, parts, parts.of("cases", ListCasesResponse).cases, left)


async def cases_found(look: Looking, query: str, which: str, token: str) -> Parts:
    """A page of the cases that a text finds, and what they wait for; `which` is a filter."""
    services, left = look.services, patience(SEARCH_S)
    request = SearchCasesRequest(query=query, filter=which, page_size=FOUND_MAX, page_token=token)
    parts = await ask(left(), cases=services.cases.SearchCases(request))
    return await _with_work(services, parts, parts.of("cases", SearchCasesResponse).cases, left)


async def _with_work(
    services: Services, parts: Parts, listed: Sequence[Case], left: Callable[[], float]
) -> Parts:
    """With the work that cases wait for, and their customers."""
    if not listed:
        return parts
    waiting = _waiting(services, [case.name for case in listed])
    known = services.known(case.customer for case in listed)
    return Parts(parts | await ask(left(), waiting=waiting, customers=known))


def _due(look: Looking) -> str:
    """A filter of what is due within a week."""
    until = timestamp(look.say.now + WITHIN).ToJsonString()
    return f'(state = OPEN OR state = AT_RISK) AND due_time < "{until}"'


def _mine(parts: Parts) -> Sequence[str]:
    """The customers of one's own cases, and those one manages."""
    of_cases = [case.customer for case in parts.of("cases", ListCasesResponse).cases]
    managed = [each.name for each in parts.of("managed", ListCustomersResponse).customers]
    return list(dict.fromkeys([*of_cases, *managed]))


async def _promised(services: Services, customers: Sequence[str], due: str) -> ListPromisesResponse:
    """What anybody promised to these customers: what is due within a week, and what was broken."""
    kinds = ((due, "due_time"), ("state = BROKEN", ""))
    requests = [
        ListPromisesRequest(filter=asked, order_by=order, page_size=BROKEN_MAX)
        for also, order in kinds
        for asked in filters(also, "customer", customers[:CUSTOMERS_MAX])
    ]
    answers = await asyncio.gather(*map(services.promises.ListPromises, requests))
    is_cut = len(customers) > CUSTOMERS_MAX or any(answer.next_page_token for answer in answers)
    listed = [each for answer in answers for each in answer.promises]
    return ListPromisesResponse(promises=listed, next_page_token="more" if is_cut else "")


async def _waiting(services: Services, cases: Sequence[str]) -> list[WorkItem]:
    asked = filters("state != FINISHED", "case", cases)
    requests = [ListWorkItemsRequest(filter=each, page_size=200) for each in asked]
    answers = await asyncio.gather(*map(services.work_items.ListWorkItems, requests))
    return [item for answer in answers for item in answer.work_items]
