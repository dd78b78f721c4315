"""The cards of the customer page."""

from collections.abc import Mapping
from itertools import chain

from desk.pages.base import Looking
from desk.pages.cards import Card, card
from desk.pages.customer.page import Page
from desk.ui.rendering import macros

COLUMNS = {
    "left": ("who", "worth", "points", "sections"),
    "mid": ("promises", "cases"),
    "right": ("timeline",),
}
IDS = tuple(chain(*COLUMNS.values()))


def cards(look: Looking, page: Page) -> Mapping[str, Card]:
    """Every card by its id."""
    made = macros("pages/customer/cards.html", say=look.say, viewer=look.viewer)
    return {each: card(getattr(made, each)(page)) for each in IDS}
