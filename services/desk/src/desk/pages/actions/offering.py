"""What is offered to whom: the buttons that a service would let them use, and colleagues to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass

from desk.auth.sessions import Viewer
from desk.pages.actions.action import Action
from desk.pages.base import Looking
from desk.ui import words
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.directory_service_pb2 import ListAgentsRequest


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
    ours = not action.owned or viewer.department == owner or viewer.principal.administers(action.service)
    return viewer.may(action.permission) and ours


async def colleagues(look: Looking) -> list[tuple[str, str]]:
    """The name of everybody who serves customers, and what a choice says of them."""
    return [
        (each.name, f"{each.display_name}, {look.say.code(words.last(each.department))}")
        for each in await _serving(look)
    ]


async def departments(look: Looking) -> list[str]:
    """The codes of the departments that somebody works for."""
    return sorted({words.last(each.department) for each in await _serving(look)})


async def _serving(look: Looking) -> list[Agent]:
    listed = await look.services.directory.ListAgents(ListAgentsRequest(page_size=1000))
    return [each for each in listed.agents if not each.inactive]
