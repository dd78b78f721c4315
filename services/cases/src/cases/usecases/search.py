"""What a text to search cases by may mean."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from cases.names import CASE
from cases.store.search import FOUND_MAX, search
from cases.store.selection import selection
from chassis.api.pages import Page
from chassis.db.statement import Executor
from chassis.errors import invalid

CHARACTERS_MIN = 2
_BEFORE_ALL = 9, UUID(int=2**128 - 1)
_REFERENCE = re.compile(r"\S{1,100}")


class Found(NamedTuple):
    """A page of cases, the key of its last when there are more, and whether more were found than are kept."""

    case_ids: Sequence[UUID]
    last: tuple[int, UUID] | None
    capped: bool


async def search_cases(on: Executor, page: Page, query: str, filter: str) -> Found:
    """Cases that have a number, a reference, or all words of a text.

    InvalidArgument INVALID_FILTER, TOO_SHORT.
    """
    chosen = selection(filter)
    text = query.strip()
    if len(text) < CHARACTERS_MIN:
        raise invalid("query", "TOO_SHORT", f"must have at least {CHARACTERS_MIN} characters")
    rank, case_id = page.after or _BEFORE_ALL
    rows = await search(chosen).all(
        on,
        text=text,
        case_id=_case_id(text),
        reference=text if _REFERENCE.fullmatch(text) else "",
        after_rank=rank,
        after_id=case_id,
        limit=page.size + 1,
        **chosen.params,
    )
    shown = rows[: page.size]
    last = (shown[-1]["rank"], shown[-1]["id"]) if len(rows) > page.size else None
    return Found([row["id"] for row in shown], last, any(row["found"] > FOUND_MAX for row in rows))


def _case_id(text: str) -> UUID | None:
    """The id that a text is, as a name or by itself."""
    found = CASE.match(text.lower()) or CASE.match(f"cases/{text.lower()}")
    return found[0] if found else None
