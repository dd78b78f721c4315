"""Lists of which the view has a part: said to be one, and asked for where a part would pass for all of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from desk.pages.services import Parts, Services
from desk.ui.speech import Speech
from desk.ui.words import last
from rapport.customer.v1.section_service_pb2 import ListViewSectionsRequest, ListViewSectionsResponse
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.loyalty.v1.goodwill_service_pb2 import ListGoodwillRequest, ListGoodwillResponse

GOODWILL, SECTIONS = "loyalty.goodwill", "sections"
OF_LOYALTY = (GOODWILL, "loyalty.balances")
ALL = 1000


def questions(
    services: Services, customer: str, view: "asyncio.Future[CustomerView]"
) -> dict[str, Awaitable[Any]]:
    """What is asked further once the view is there, of which it has a part; nothing of what it has whole."""

    async def asked(what: str, nothing: Any, ask: Callable[[Any], Awaitable[Any]], request: Any) -> Any:
        return await ask(request) if what in (await asyncio.shield(view)).excerpts else nothing

    sections = ListViewSectionsRequest(parent=f"{customer}/view", page_size=ALL)
    given = ListGoodwillRequest(filter=f'customer = "{customer}"', page_size=ALL)
    return {
        "sections": asked(SECTIONS, ListViewSectionsResponse(), services.sections.ListViewSections, sections),
        "given": asked(GOODWILL, ListGoodwillResponse(), services.goodwill.ListGoodwill, given),
    }


def is_cut(view: CustomerView | None, *lists: str) -> bool:
    """Whether there is more of one of the lists than the view has."""
    return view is not None and not {*lists}.isdisjoint(view.excerpts)


def granted(view: CustomerView | None, parts: Parts) -> set[str] | None:
    """The promises for which goodwill was given; None where not all that was given is known."""
    if view is None:
        return None
    if not is_cut(view, GOODWILL):
        return {each.promise for each in view.loyalty.goodwill}
    given = parts.of("given", ListGoodwillResponse)
    is_all = bool(given.goodwill) and not given.next_page_token
    return {each.promise for each in given.goodwill} if is_all else None


def unfit(view: CustomerView | None, parts: Parts, say: Speech) -> str:
    """The departments' parts for which the view has no room, as far as somebody may know of them."""
    if view is None or not is_cut(view, SECTIONS):
        return ""
    shown = {last(each.name) for each in view.sections}
    listed = parts.of("sections", ListViewSectionsResponse).view_sections
    left = [each for each in (last(section.name) for section in listed) if each not in shown]
    if not left:
        return say("There is more than fits here.")
    n, names = len(left), ", ".join(map(say.titled, left))
    return say.count(
        n,
        "{n} more part is not shown, for it does not fit: {names}.",
        "{n} more parts are not shown, for they do not fit: {names}.",
        names=names,
    )
