"""Colleagues to choose from."""

from desk.pages.calls import Services
from desk.ui import words
from rapport.cases.v1.directory_service_pb2 import ListAgentsRequest


async def colleagues(services: Services) -> list[tuple[str, str]]:
    """The name of everybody who serves customers, and what a choice says of them."""
    listed = await services.directory.ListAgents(ListAgentsRequest(page_size=1000))
    return [
        (each.name, f"{each.display_name}, {words.said(words.last(each.department))}")
        for each in listed.agents
        if not each.inactive
    ]
