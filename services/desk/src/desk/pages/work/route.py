"""`/`: my work, as cards that are fetched again; `/work/{department}`: that of another department."""

import re

from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.errors import NotFound
from desk.pages.actions.offering import departments
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.work.loading import load
from desk.pages.work.view import work
from desk.ui import words

router = APIRouter()
IDS = ("promises", "items", "cases", "customers")
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@router.get("/")
async def my_work(look: Look) -> Response:
    """The page; of who has no work here, but operates the services, theirs."""
    if not look.viewer.may("cases.cases.read") and look.viewer.may("*.operations.read"):
        return RedirectResponse("/operations", 303)
    return await _answer(look, look.viewer.department)


@router.get("/work/cards")
async def fresh_cards(look: Look) -> JSONResponse:
    """Every list as it is now."""
    return JSONResponse(message("work", await _cards(look, look.viewer.department), look.say.now))


@router.get("/work/{code}")
async def work_of(look: Look, code: str) -> Response:
    """The page with the lists of another department, for who may change what all own."""
    return await _answer(look, _department(code))


@router.get("/work/{code}/cards")
async def fresh_cards_of(look: Look, code: str) -> JSONResponse:
    """Every list of it as it is now."""
    return JSONResponse(message(f"work/{code}", await _cards(look, _department(code)), look.say.now))


def _department(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise NotFound("departments/…")
    return f"departments/{code}"


async def _answer(look: Looking, department: str) -> Response:
    leads = look.viewer.principal.administers("cases")
    others = await departments(look) if leads else []
    cards = await _cards(look, department)
    chosen = words.last(department)
    return look.answer("pages/work/page.html", cards=cards, departments=others, chosen=chosen)


async def _cards(look: Looking, department: str) -> dict[str, Card]:
    say = look.say
    told = work(await load(look, department), look.viewer, say, department)
    whose = say.titled(words.last(department)) if department else say("my department")
    lines = macros("pages/work/cards.html", say=say, viewer=look.viewer, whose=whose).lines
    return {each: card(lines(each, getattr(told, each))) for each in IDS}
