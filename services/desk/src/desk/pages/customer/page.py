"""The customer page as data, its cards and their lines in words; and each card as HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from desk.pages.actions.offering import Act
from desk.pages.base import Card as Shown
from desk.pages.base import Looking, card, macros
from desk.pages.customer.entries import Entry
from desk.pages.customer.figures import Bar
from desk.pages.customer.promises import Promise
from desk.pages.customer.things import Handle

COLUMNS = {
    "left": ("who", "worth", "points", "sections"),
    "mid": ("promises", "cases"),
    "right": ("timeline",),
}
IDS = tuple(chain(*COLUMNS.values()))


@dataclass(frozen=True)
class Card:
    """What every card has: in words, why what it shows may be old or is not there; empty when all is well."""

    trouble: str = ""


@dataclass(frozen=True)
class Who(Card):
    """Who this is, and how they may be reached."""

    title: str = ""
    since: str = ""
    language: str = ""
    there: str = ""
    manager: str = ""
    handles: Sequence[Handle] = ()
    address: str = ""
    may: Sequence[tuple[str, bool]] = ()
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Worth(Card):
    """What the customer is worth to us."""

    name: str = ""
    totals: Sequence[str] = ()
    band: str = ""
    purchases: str = ""
    bars: Sequence[Bar] = ()
    currency: str = ""
    spoken: str = ""


@dataclass(frozen=True)
class Points(Card):
    """What they can spend, and what was given to put things right."""

    balances: Sequence[tuple[str, str, str]] = ()
    goodwill: Sequence[tuple[str, str, str]] = ()
    allowance: str = ""
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Promises(Card):
    """Those that need somebody, and the others."""

    urgent: Sequence[Promise] = ()
    slipped: int = 0  # how many more need somebody
    others: Sequence[Promise] = ()
    more: int = 0  # how many others are open
    is_cut: bool = False  # whether there are more than were asked for: the numbers are the least
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Step:
    """A department's part of a case."""

    name: str
    department: str
    what: str
    state: str
    words: str
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Case:
    """A concern, and where it waits."""

    name: str
    title: str
    lasting: str
    waits: str
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
class Cases(Card):
    """Open cases, and those that were settled lately."""

    cases: Sequence[Case] = ()
    more: int = 0  # how many others are open
    is_cut: bool = False  # whether nobody counts them now: the number is the least
    resolved: Sequence[Resolved] = ()
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Section(Card):
    """A department's own part of the view."""

    name: str = ""
    title: str = ""
    cells: Sequence[tuple[str, str, bool]] = ()


@dataclass(frozen=True)
class Timeline(Card):
    """What happened, newest first; `more` when that is not all."""

    entries: Sequence[Entry] = ()
    more: bool = False


@dataclass(frozen=True)
class Page:
    """The whole page."""

    name: str
    title: str
    who: Who
    worth: Worth
    points: Points
    promises: Promises
    cases: Cases
    sections: Sequence[Section]
    timeline: Timeline
    unapplied: Sequence[str] = ()


def cards(look: Looking, page: Page) -> Mapping[str, Shown]:
    """Every card by its id."""
    made = macros("pages/customer/cards.html", say=look.say, viewer=look.viewer)
    return {each: card(getattr(made, each)(page)) for each in IDS}
