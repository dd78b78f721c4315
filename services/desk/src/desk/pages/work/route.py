"""`/`: my work, and its lists as cards that are fetched again."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from desk.pages.base import Look, Looking
from desk.pages.cards import Card, card, message
from desk.pages.work.loading import load
from desk.pages.work.view import work
from desk.ui.rendering import macro

router = APIRouter()
IDS = ("promises", "cases", "items")


@router.get("/")
async def my_work(look: Look) -> Response:
    """The page."""
    return look.answer("pages/work/page.html", cards=await _cards(look))


@router.get("/work/cards")
async def fresh_cards(look: Look) -> JSONResponse:
    """Every list as it is now."""
    return JSONResponse(message("work", await _cards(look), look.say.now))


async def _cards(look: Looking) -> dict[str, Card]:
    told = work(await load(look), look.viewer, look.say)
    lines = macro("pages/work/cards.html", "lines", say=look.say, viewer=look.viewer)
    return {each: card(lines(each, getattr(told, each))) for each in IDS}
