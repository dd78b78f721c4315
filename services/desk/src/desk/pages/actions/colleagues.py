"""Colleagues to choose from."""

from desk.pages.base import Looking
from desk.ui import words
from rapport.cases.v1.directory_service_pb2 import ListAgentsRequest


async def colleagues(look: Looking) -> list[tuple[str, str]]:
    """The name of everybody who serves customers, and what a choice says of them."""
    listed = await look.services.directory.ListAgents(ListAgentsRequest(page_size=1000))
    return [
        (each.name, f"{each.display_name}, {look.say.code(words.last(each.department))}")
        for each in listed.agents
        if not each.inactive
    ]


async def departments(look: Looking) -> list[str]:
    """The codes of the departments that somebody works for."""
    listed = await look.services.directory.ListAgents(ListAgentsRequest(page_size=1000))
    return sorted({words.last(each.department) for each in listed.agents if not each.inactive})
