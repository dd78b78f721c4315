"""`/`: my work, as cards that are fetched again; `/work/{code}`, `/cases`: what a department has to do."""

import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.errors import NotFound
from desk.language.catalogues import N_
from desk.pages.actions.drafts import Drafts
from desk.pages.actions.offering import departments
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.loading import Names
from desk.pages.queue import view as queues
from desk.pages.queue.forms import form_of
from desk.pages.queue.loading import mine
from desk.pages.services import Parts
from desk.pages.work import view
from desk.pages.work.loading import cases_found, cases_of, load
from desk.ui import words
from rapport.cases.v1.case_service_pb2 import ListCasesResponse, SearchCasesResponse
from rapport.cases.v1.presence_pb2 import Presence

router = APIRouter()
QUERY_MAX = 200
CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@router.get("/")
async def my_work(look: Look) -> Response:
    """The page; of who has no work here, but operates the services, theirs."""
    if not look.viewer.may("cases.cases.read") and look.viewer.may("*.operations.read"):
        return RedirectResponse("/operations", 303)
    return await _answer(look, look.viewer.department)


@router.get("/work/cards")
async def fresh_cards(look: Look) -> JSONResponse:
    return JSONResponse(message("work", await _cards(look, look.viewer.department), look.say.now))


@router.get("/work/{code}")
async def work_of(look: Look, code: str) -> Response:
    """The page with the lists of another department, for who may change what all own."""
    return await _answer(look, _department(code))


@router.get("/work/{code}/cards")
async def fresh_cards_of(look: Look, code: str) -> JSONResponse:
    return JSONResponse(message(f"work/{code}", await _cards(look, _department(code)), look.say.now))


@router.get("/cases")
async def cases(look: Look, department: str = "", after: str = "") -> Response:
    """The open cases of a department, whoever owns them; or what comes after a page of them."""
    code = department or words.last(look.viewer.department)
    if not code:
        return RedirectResponse("/", 303)  # which says that they belong to none
    parts = await cases_of(look, _department(code), after)
    listed, names = parts.of("cases", ListCasesResponse), Names(look.viewer, look.memory)
    await names.learn(look.services, {case.owner for case in listed.cases})
    told = view.cases_of(parts, look.viewer, look.say, names)
    further = (
        f"/cases?{urlencode({'department': code, 'after': listed.next_page_token})}" if told.more else ""
    )
    if look.is_fragment:
        return look.answer("pages/work/rows.html", part=told, further=further)
    others = await departments(look) if look.viewer.principal.administers("cases") else []
    return look.answer("pages/work/cases.html", part=told, further=further, departments=others, chosen=code)


@router.post("/cases/find")
async def find_cases(look: Look, q: Annotated[str, Form(max_length=QUERY_MAX)] = "") -> Response:
    """To the cases that a text finds. What is typed may be personal: the desk keeps it, and no URL has it."""
    key = uuid4()
    await Drafts(look).put(f"cases/found/{key}", {"q": q.strip()})
    return RedirectResponse(f"/cases/found/{key}", 303)


@router.get("/cases/found/{key}")
async def cases_that_were_found(look: Look, key: UUID, settled: bool = False, after: str = "") -> Response:
    """The open cases that a text finds, or all; or what comes after a page of them. It is searched anew."""
    kept = await Drafts(look).get(f"cases/found/{key}")
    if not kept:
        raise NotFound("cases/…", N_("This search is not kept any more. Type it again."))
    query = str(kept.get("q", ""))
    parts = await cases_found(look, query, "" if settled else "state = OPEN", after)
    if (refusal := parts["cases"].refusal) and not parts["cases"].away:
        found, told = SearchCasesResponse(), look.say.refusal(refusal)
    else:
        found, told = parts.of("cases", SearchCasesResponse), ""
    names = Names(look.viewer, look.memory)
    await names.learn(look.services, {case.owner for case in found.cases})
    page = view.cases_of(parts, look.viewer, look.say, names)
    here, more = f"/cases/found/{key}", {"settled": "1"} if settled else {}
    further = f"{here}?{urlencode({**more, 'after': found.next_page_token})}" if found.next_page_token else ""
    if look.is_fragment:
        return look.answer("pages/work/rows.html", part=page, further=further)
    return look.answer(
        "pages/work/found.html",
        422 if told else 200,
        part=page,
        further=further,
        typed=query,
        refused=told,
        search=here,
        settled=settled,
        capped=found.capped,
    )


def _department(code: str) -> str:
    if not CODE.fullmatch(code):
        raise NotFound("departments/…")
    return f"departments/{code}"


async def _answer(look: Looking, department: str) -> Response:
    leads = look.viewer.principal.administers("cases")
    others = await departments(look) if leads else []
    own = await mine(look) if _is_own(look, department) else Parts()
    cards = await _cards(look, department, own)
    chosen = words.last(department)
    forms = _forms(look, own)
    return look.answer("pages/work/page.html", cards=cards, departments=others, chosen=chosen, forms=forms)


def _is_own(look: Looking, department: str) -> bool:
    return bool(department) and department == look.viewer.department


def _forms(look: Looking, own: Parts) -> Sequence[str]:
    """What takes the next, and says whether one is there: of who is in the directory, and may."""
    if not own.has("presence") or not look.viewer.may("cases.work_items.write"):
        return ()
    presence = own.of("presence", Presence)
    parts = ("take", "presence") if look.viewer.may("cases.presences.write") else ("take",)
    return [form_of(look, part, presence) for part in parts]


async def _cards(look: Looking, department: str, own: Parts | None = None) -> dict[str, Card]:
    say = look.say
    if own is None:
        own = await mine(look) if _is_own(look, department) else Parts()
    told = view.work(await load(look, department), look.viewer, say, department)
    if own:
        told = {"mine": queues.own(own, look.viewer, say), **told}
    whose = say.named(department) if department else say("my department")
    lines = macros("pages/work/cards.html", say=say, viewer=look.viewer, whose=whose).lines
    return {name: card(lines(name, part)) for name, part in told.items()}
