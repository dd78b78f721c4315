"""Cards as HTML, each with a version, and with what it means apart from the passing of time."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

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


def card(html: str) -> Card:
    """What a macro gave, as a card."""
    told = html.strip()
    return Card(told, _hash(told), _hash(_AGES.sub("", told)))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def changes(before: Mapping[str, Card], after: Mapping[str, Card]) -> Mapping[str, Card]:
    """The cards that are another version."""
    return {
        name: each
        for name, each in after.items()
        if name not in before or before[name].version != each.version
    }


def message(of: str, cards: Mapping[str, Card], at: datetime) -> dict[str, Any]:
    """Cards for a browser, as JSON: whose page they are of, and when it was asked what they show.

    Answers overtake each other on their way: the browser keeps what was asked for last.
    """
    told = {name: asdict(card) for name, card in cards.items()}
    return {"customer": of, "cards": told, "at": at.timestamp()}
