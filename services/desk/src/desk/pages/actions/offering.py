"""What is offered to whom: the buttons that a service would let them use, and colleagues to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from desk.auth.sessions import Viewer
from desk.pages.actions.action import Action
from desk.pages.base import Looking
from desk.pages.services import ask
from desk.ui import words
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_service_pb2 import ListCasesRequest, ListCasesResponse
from rapport.cases.v1.directory_service_pb2 import ListAgentsRequest
from rapport.cases.v1.promise_service_pb2 import ListPromisesRequest, ListPromisesResponse
from rapport.customer.v1.section_service_pb2 import ListSectionSchemasRequest, ListSectionSchemasResponse

DEPARTMENTS_S = 0.8


@dataclass(frozen=True)
class Act:
    """An action that is offered on one thing: its button."""

    id: str
    label: str
    letter: str
    href: str


def offered(viewer: Viewer, customer: str, *actions: Action, on: str = "", owner: str = "") -> Sequence[Act]:
    """The buttons that a viewer has, of some actions on a customer, or on a resource `on` of a department.

    What their token does not permit, or another department owns, has none: a service would refuse it.
    """
    return [
        Act(each.id, each.label, each.letter, each.href(customer, on))
        for each in actions
        if may(viewer, each, owner)
    ]


def may(viewer: Viewer, action: Action, owner: str) -> bool:
    """Whether a service would let the viewer: by their permissions, and their department."""
    if action.owned:
        return viewer.may_change(action.permission, owner)
    return viewer.may(action.permission)


async def colleagues(look: Looking, department: str = "") -> list[tuple[str, str]]:
    """Who serves customers, of all departments or of one: their names, and what a choice says of them."""
    return [
        (each.name, f"{each.display_name}, {look.say.code(words.last(each.department))}")
        for each in await _serving(look)
        if department in ("", each.department)
    ]


async def departments(look: Looking, customer: str = "") -> list[str]:
    """The codes of the departments that there are: no service has a list of them.

    Somebody works for them, or they write a part of the view, or have a case or a promise of the customer:
    one may be known by its programs alone. What cannot be asked now costs only those known by it.
    """
    services = look.services
    about = f'customer="{customer}"'
    asked: dict[str, Any] = {
        "agents": _serving(look),
        "sections": services.sections.ListSectionSchemas(ListSectionSchemasRequest(page_size=1000)),
    }
    if customer:
        asked["cases"] = services.cases.ListCases(ListCasesRequest(filter=about, page_size=1000))
        asked["promises"] = services.promises.ListPromises(ListPromisesRequest(filter=about, page_size=1000))
    parts = await ask(DEPARTMENTS_S, **asked)
    owning: list[Any] = [
        *parts.of("agents", list[Agent]),
        *parts.of("sections", ListSectionSchemasResponse).section_schemas,
        *parts.of("cases", ListCasesResponse).cases,
        *parts.of("promises", ListPromisesResponse).promises,
    ]
    return sorted({words.last(each.department) for each in owning} - {""})


async def _serving(look: Looking) -> list[Agent]:
    listed = await look.services.directory.ListAgents(ListAgentsRequest(page_size=1000))
    return [each for each in listed.agents if not each.inactive]
