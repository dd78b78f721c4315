"""The cards of the page as HTML, each with a version, and with what it means apart from the time."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desk.pages.base import Looking
from desk.pages.customer.page import Page
from desk.ui.rendering import macro

IDS = ("who", "worth", "points", "sections", "promises", "cases", "timeline")
# What says how long ago or until when changes each minute, and is no news.
_AGES = re.compile(r'<span class="[a-z ]*age">.*?</span>', re.DOTALL)


@dataclass(frozen=True)
class Card:
    """A card.

    Attributes:
        html: what it holds.
        version: another one, whenever the HTML is another.
        meaning: another one, when there is news.

    """

    html: str
    version: str
    meaning: str


def cards(look: Looking, page: Page) -> Mapping[str, Card]:
    """Every card by its id."""
    return {
        each: _card(macro("pages/customer/cards.html", each, say=look.say, viewer=look.viewer)(page))
        for each in IDS
    }


def _card(html: str) -> Card:
    told = html.strip()
    return Card(told, _hash(told), _hash(_AGES.sub("", told)))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def changes(before: Mapping[str, Card], after: Mapping[str, Card]) -> dict[str, Any]:
    """The cards that are another version, as JSON."""
    return {
        name: {"html": card.html, "version": card.version, "meaning": card.meaning}
        for name, card in after.items()
        if name not in before or before[name].version != card.version
    }
