"""`/keys`: what each key does."""

from fastapi import APIRouter
from fastapi.responses import Response

from desk.pages.base import Look
from desk.ui.actions import ACTIONS, OTHER_KEYS, STANDING_KEYS

router = APIRouter()


@router.get("/keys")
async def keys(look: Look) -> Response:
    """All of them, as a fragment for the panel."""
    letters = {each.letter: each.label for each in ACTIONS.values() if each.letter}
    shown = dict(sorted(letters.items())) | OTHER_KEYS
    return look.answer("pages/keys/keys.html", letters=shown, standing=STANDING_KEYS)
