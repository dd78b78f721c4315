"""The customer page as data, its cards and their lines in words; and each card as HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import SimpleNamespace

from desk.pages.actions.offering import Act
from desk.pages.base import Card as Shown
from desk.pages.base import Looking, card, macros

COLUMNS = {
    "left": ("who", "worth", "points", "sections"),
    "mid": ("promises", "advice", "cases"),
    "right": ("timeline",),
}
IDS = tuple(chain(*COLUMNS.values()))


class Card(SimpleNamespace):
    """What a card shows, by the names that its macro reads; and the whole page, by those of its cards.

    `trouble` says in words why it may be old or is not there; it is empty when all is well.
    """


@dataclass(frozen=True)
class Step:
    """A department's part of a case."""

    name: str
    department: str
    what: str
    state: str
    words: str
    acts: Sequence[Act] = ()
    page: str = ""  # where it is done, when it has a page of its own


@dataclass(frozen=True)
class Case:
    """A concern, and where it waits."""

    name: str
    title: str
    lasting: str  # how long, and how long it waits
    steps: Sequence[Step]
    acts: Sequence[Act] = ()
    owner: str = ""
    held: str = ""  # what is to be done before it can be resolved, for who might


@dataclass(frozen=True)
class Resolved:
    """A case that was settled lately, as it may have to be opened again."""

    name: str
    title: str
    how: str
    when: str
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Merged:
    """Another record of the customer, as it was merged."""

    name: str
    words: str  # with whom, since when, by whom and why
    comment: str  # of whoever did it
    unaware: str  # which services do not know it yet
    acts: Sequence[Act] = ()


def cards(look: Looking, page: Card) -> Mapping[str, Shown]:
    made = macros("pages/customer/cards.html", say=look.say, viewer=look.viewer)
    return {each: card(getattr(made, each)(page)) for each in IDS}
