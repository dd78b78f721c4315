"""`/keys`: what each key does."""

from fastapi import APIRouter
from fastapi.responses import Response

from desk.language.catalogues import N_
from desk.pages.actions.kinds import ACTIONS
from desk.pages.base import Look

router = APIRouter()
# Keys of what is no action on a customer: the same wherever there is something of the kind.
OTHER_KEYS = {
    "C": N_("Call the customer: shows the number"),
    "Y": N_("Try again, or replay"),
    "X": N_("Drop"),
    "L": N_("Look for somebody, or at what needs somebody first"),
    "V": N_("Show more"),
    "1-9": N_("Choose the first, second, third..."),
    "H, ?": N_("All keys"),
}
STANDING_KEYS = {
    "Ctrl K": N_("Find a customer"),
    "Ctrl Enter": N_("Send the form"),
    "Esc": N_("Close what is open, and go back to where you were"),
}


@router.get("/keys")
async def keys(look: Look) -> Response:
    """All of them, as a fragment for the panel."""
    letters = {each.letter: each.label for each in ACTIONS.values() if each.letter}
    shown = dict(sorted(letters.items())) | OTHER_KEYS
    return look.answer("pages/keys/keys.html", letters=shown, standing=STANDING_KEYS)
