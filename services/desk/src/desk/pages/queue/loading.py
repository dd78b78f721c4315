"""What the pages ask of the services: what waits and who is there at once, then whom it is about."""

import asyncio
from typing import Any

from desk.pages.base import Looking
from desk.pages.customer.loading import Names
from desk.pages.services import Parts, ask, patience
from rapport.cases.v1.case_service_pb2 import BatchGetCasesRequest, BatchGetCasesResponse
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest, ListAgentsRequest
from rapport.cases.v1.presence_service_pb2 import (
    GetPresenceRequest,
    ListPresencesRequest,
    ListPresencesResponse,
)
from rapport.cases.v1.queue_service_pb2 import (
    GetQueueRequest,
    ListQueuedWorkRequest,
    ListQueuedWorkResponse,
)
from rapport.cases.v1.team_service_pb2 import ListTeamsRequest
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsRequest, ListWorkItemsResponse

PAGE_S = 0.8  # for everything, also for what is asked only after an answer
LISTED_MAX, MINE_MAX, PEOPLE_MAX, AGENTS_MAX = 50, 50, 200, 1000


async def load(look: Looking, department: str, team: str, token: str = "") -> Parts:
    """A page of what waits in a department or for one of its teams, who is there, and its teams."""
    services, left, queue = look.services, patience(PAGE_S), f"{department}/queue"
    works = ListQueuedWorkRequest(parent=queue, team=team, page_size=LISTED_MAX, page_token=token)
    asked: dict[str, Any] = {"works": services.queues.ListQueuedWork(works)}
    if not token:
        ours = f'department = "{department}"'
        asked["queue"] = services.queues.GetQueue(GetQueueRequest(name=queue, team=team))
        asked["people"] = services.presences.ListPresences(
            ListPresencesRequest(filter=ours, page_size=PEOPLE_MAX)
        )
        asked["teams"] = services.teams.ListTeams(ListTeamsRequest(filter=ours, page_size=PEOPLE_MAX))
    parts = await ask(left(), **asked)
    listed = parts.of("works", ListQueuedWorkResponse).queued_works
    found, speakers = await asyncio.gather(
        _about(look, [each.work_item.case for each in listed], left()),
        _speakers(look, any(each.language_reserved for each in listed), left()),
    )
    names = Names(look.viewer, look.memory)
    people = parts.of("people", ListPresencesResponse).presences
    await names.learn(services, {each.name.removesuffix("/presence") for each in people}, left())
    return Parts(parts | found | speakers)


async def _speakers(look: Looking, is_reserved: bool, left_s: float) -> Parts:
    """Who speaks what, where work waits for who speaks its language."""
    if not is_reserved:
        return Parts()
    asked = look.services.directory.ListAgents(ListAgentsRequest(page_size=AGENTS_MAX))
    return await ask(left_s, agents=asked)


async def mine(look: Looking) -> Parts:
    """What the viewer has to do, and whether they are there."""
    services, left, agent = look.services, patience(PAGE_S), look.viewer.agent
    own = ListWorkItemsRequest(filter=f'assignee = "{agent}" AND state != FINISHED', page_size=MINE_MAX)
    parts = await ask(
        left(),
        presence=services.presences.GetPresence(GetPresenceRequest(name=f"{agent}/presence")),
        agent=services.directory.GetAgent(GetAgentRequest(name=agent)),
        mine=services.work_items.ListWorkItems(own),
    )
    items = parts.of("mine", ListWorkItemsResponse).work_items
    return Parts(parts | await _about(look, [each.case for each in items], left()))


async def _about(look: Looking, cases: list[str], left_s: float) -> Parts:
    """The cases of work, and their customers."""
    if not (names := list(dict.fromkeys(cases))):
        return Parts()
    batch = BatchGetCasesRequest(names=names, allow_missing=True)
    found = await ask(left_s, cases=look.services.cases.BatchGetCases(batch))
    about = {each.customer for each in found.of("cases", BatchGetCasesResponse).cases} - {""}
    return Parts(found | (await ask(left_s, customers=look.services.known(about)) if about else {}))
