"""`/find`: who it is; `/call`: who calls. What is typed is personal: the desk keeps it, and no URL has it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from chassis.errors import NotFound
from desk.language.catalogues import N_
from desk.pages.actions.drafts import Drafts
from desk.pages.base import Look, Looking
from desk.pages.customer.loading import Names
from desk.pages.find import view
from desk.pages.find.classifying import MOST, Asked, classify
from desk.pages.find.making import may_make
from desk.pages.find.searching import PATIENCE_S, search
from desk.pages.services import Patience
from rapport.customer.v1.customer_service_pb2 import SearchCustomersResponse

router = APIRouter()
OFFERED, PAGE, PAGE_MAX = 8, 20, 100
Shown = Annotated[int, Query(ge=1)]


@router.post("/find")
async def asked(look: Look, request: Request) -> Response:
    """While somebody types, a few; then the page of who is meant, or of who may be."""
    typed = str((await request.form()).get("q", ""))
    if look.is_fragment:
        return look.answer("pages/find/offered.html", results=await _found(look, typed, OFFERED))
    return await _led(look, typed, {})


@router.get("/find/{key}")
async def shown(look: Look, key: UUID, shown: Shown = PAGE, after: str = "") -> Response:
    """The page of a search, made anew: Back finds it, as far as it was read."""
    kept = await Drafts(look).get(f"find/{key}")
    if not kept:
        raise NotFound("find/…", N_("This search is not kept any more. Type it again."))
    typed, call = str(kept.get("q", "")), str(kept.get("call", ""))
    size = PAGE if after else min(shown, PAGE_MAX)
    results = await _found(look, typed, size, after, is_call=bool(call), is_shown=True)
    told: dict[str, Any] = {"results": results, "key": key, "read": shown + PAGE if after else size + PAGE}
    if look.is_fragment:
        return look.answer("pages/find/rows.html", **told)
    return look.answer(
        "pages/find/page.html",
        query=typed[:MOST],
        call=call,
        to=str(kept.get("to", "")),
        may_make=may_make(look, results),
        **told,
    )


@router.get("/call")
async def called(look: Look, request: Request) -> Response:
    """What a telephone system opens: the page of who calls, or whom we call, or the choice among several."""
    caller, callee = (_number(request.query_params.get(each, "")) for each in ("from", "to"))
    how = {"call": "1", "to": callee[:MOST]}
    if callee:
        results = await _found(look, caller, 1, is_call=True)
        if not results.hits and not results.troubles and (await _found(look, callee, 1, is_call=True)).hits:
            return await _led(look, callee, {"call": "out"})  # we call them, from a number of ours
    return await _led(look, caller, how)


def _number(text: str) -> str:
    """A number of a URL: a plus that was not encoded is one."""
    return f"+{text.strip()}" if text[:1] == " " else text


async def _led(look: Looking, typed: str, how: Mapping[str, str]) -> Response:
    """To who is meant; else to the page that says who may be."""
    results = await _found(look, typed, PAGE, is_call="call" in how)
    if results.sure:
        return RedirectResponse(f"/{results.sure}", 303)
    key = uuid4()
    await Drafts(look).put(f"find/{key}", {"q": typed[: MOST + 1], **how})
    return RedirectResponse(f"/find/{key}", 303)


async def _found(
    look: Looking, typed: str, size: int, after: str = "", *, is_call: bool = False, is_shown: bool = False
) -> view.Results:
    if is_call and not any(map(str.isdigit, typed)):
        return view.Results(words=look.say("The number is withheld: ask who it is, and find them above."))
    if told := view.unasked(typed, look.say):
        return told
    meant = Asked(typed.strip()) if is_call else classify(typed)
    patience = Patience(PATIENCE_S)
    parts = await search(look.services, meant, size, after)
    names = Names(look.viewer, look.memory)
    found = parts.of("customers", SearchCustomersResponse).matches
    if is_shown and found:
        managers = {each.customer.relationship_manager for each in found}
        await names.learn(look.services, managers, patience.left())
    results = view.results(meant, parts, names, look.say)
    if is_call and not results.hits and not results.troubles:
        return replace(results, words=look.say("Nobody whom we know has this number: ask who it is."))
    return results
