"""`/keys`: what each key does, where."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from desk.language.catalogues import N_
from desk.pages.actions.kinds import ACTIONS
from desk.pages.base import Look

router = APIRouter()
ACTION_KEYS = {
    each.letter: each.label for each in sorted(ACTIONS.values(), key=lambda each: each.letter) if each.letter
}
# By the page that has it: what is no action on a customer does the like wherever there is such a thing.
KEYS: Mapping[str, Mapping[str, str]] = {
    N_("Everywhere"): {
        "Ctrl K": N_("Find a customer"),
        "Ctrl Enter": N_("Send the form"),
        "Esc": N_("Close what is open, and go back to where you were"),
        "H, ?": N_("All keys"),
    },
    N_("A customer, and my work"): {**ACTION_KEYS, "C": N_("Call the customer: shows the number")},
    N_("Lists"): {"V": N_("Show more")},
    N_("To assign"): {
        "1-9": N_("Choose the first, second, third..."),
        "L": N_("Look for somebody"),
        "Y": N_("Try again"),
        "X": N_("Drop"),
    },
    N_("Operations"): {
        "1-9": N_("Choose the first, second, third..."),
        "L": N_("Look at what needs somebody first"),
        "Y": N_("Replay"),
        "X": N_("Drop"),
    },
}


@router.get("/keys")
async def keys(look: Look) -> Response:
    """All of them: as a fragment for the panel, or as a page."""
    return look.answer(f"pages/keys/{'keys' if look.is_fragment else 'page'}.html", pages=KEYS)
