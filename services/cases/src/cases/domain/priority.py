"""How pressing a case is: by what it does to the customer, and by what they are to us.

Harm sets the priority. What we owe the customer raises it by one step and no more, whether they are worth
much to us, were let down by us lately, or both: no value puts a question before somebody's loss, and severe
harm comes first whoever has it. Nothing lowers it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

RULE, RULE_VERSION = "rules/case-priority", "1"
MISSED_WITHIN = timedelta(days=180)  # of a promise's due time


class Harm(StrEnum):
    """What a concern does to the customer, least first."""

    NONE = "NONE"
    INCONVENIENCE = "INCONVENIENCE"
    LOSS = "LOSS"
    SEVERE = "SEVERE"


class Priority(StrEnum):
    """How soon a case is to be seen to, first to last."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Band(StrEnum):
    """What a customer is worth to us, lowest first."""

    STANDARD = "STANDARD"
    SILVER = "SILVER"
    GOLD = "GOLD"
    PLATINUM = "PLATINUM"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer is to us: their value, and the promises to them that were missed `MISSED_WITHIN`."""

    band: Band = Band.STANDARD
    missed_promises: int = 0


_BY_HARM = dict(zip(Harm, reversed(Priority), strict=True))
_RAISED = {later: sooner for sooner, later in zip(list(Priority)[:-1], list(Priority)[1:], strict=True)}
_RAISING = (Band.GOLD, Band.PLATINUM)


def prioritized(harm: Harm, standing: Standing) -> tuple[Priority, list[str]]:
    """The priority, and the codes of what made it: harm first, then what raised it."""
    owed = []
    if standing.band in _RAISING:
        owed.append(f"value-{standing.band.lower()}")
    if standing.missed_promises:
        owed.append("promises-missed")
    priority = _BY_HARM[harm]
    return _RAISED.get(priority, priority) if owed else priority, [f"harm-{harm.lower()}", *owed]


_WORDS = {
    "harm-none": "nothing is wrong for the customer",
    "harm-inconvenience": "it costs the customer time or patience",
    "harm-loss": "it costs the customer money, or a day that they had counted on",
    "harm-severe": "it touches the customer's health, safety, living or good name",
    "value-gold": "they are a gold customer",
    "value-platinum": "they are a platinum customer",
    "promises-missed": f"promises to them were missed in the last {MISSED_WITHIN.days} days",
}


def in_words(priority: Priority, reasons: Sequence[str]) -> str:
    """Why a case has its priority, a sentence."""
    harm, *owed = (_WORDS[reason] for reason in reasons)
    raised = f"; one step sooner, as {' and '.join(owed)}" if owed else ""
    return f"Its priority is {priority}: {harm}{raised}."
