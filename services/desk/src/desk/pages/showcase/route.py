"""`/ui`: the components, and the cards of the customer page in every state."""

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from desk.pages.actions.kinds import ACTIONS
from desk.pages.actions.offering import Act
from desk.pages.base import Look
from desk.pages.customer import cards, view
from desk.pages.customer.entries import Entry
from desk.pages.customer.loading import Names
from desk.pages.showcase.examples import NOBODY, states

router = APIRouter()


@router.get("/ui")
async def showcase(look: Look) -> Response:
    """Everything there is to make a page of."""
    names = Names(look.viewer, {})
    shown = {
        state: cards.cards(look, view.page(NOBODY, parts, look.viewer, names, look.say))
        for state, parts in states(look.say).items()
    }
    acts = [Act(name, each.label, each.letter, f"/ui?{name}") for name, each in ACTIONS.items()]
    at, said = look.say.now, f"{look.say('Called us')}: {look.say.code('order')}"
    one = Entry(NOBODY, look.say.short(at), look.say.exactly(at), said, "Alice", "When?", True, "", NOBODY)
    entry = replace(one, behind=[one] * 3)
    return look.answer("pages/showcase/page.html", shown=shown, acts=acts, entry=entry, customer=NOBODY)
