"""The cards of the customer page."""

from collections.abc import Mapping

from desk.pages.base import Looking
from desk.pages.cards import Card, card
from desk.pages.customer.page import Page
from desk.ui.rendering import macro

IDS = ("who", "worth", "points", "sections", "promises", "cases", "timeline")


def cards(look: Looking, page: Page) -> Mapping[str, Card]:
    """Every card by its id."""
    return {
        each: card(macro("pages/customer/cards.html", each, say=look.say, viewer=look.viewer)(page))
        for each in IDS
    }
