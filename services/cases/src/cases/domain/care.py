"""Whom a person tells bad news before a message does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cases.domain.priority import Band

SLIPPED_WITHIN = timedelta(days=90)  # of a promise's due time
COMPLAINT = "complaint"  # the topic of cases that are complaints
_SLIPS = 2  # that are one too many


@dataclass(frozen=True, slots=True)
class Relationship:
    """How a customer has fared with us lately."""

    bands: Sequence[Band]  # by what loyalty told of each of their names
    broken: int  # promises that were broken and are not kept yet
    slipped: int  # promises that were kept late, or moved because of us
    complaints: int  # open cases that are complaints


def call_first(relationship: Relationship) -> list[str]:
    """Why they are to be called first, codes; none when a message will do."""
    reasons = {
        "promise-broken": relationship.broken > 0,
        "promises-slipped": relationship.slipped >= _SLIPS,
        "open-complaint": relationship.complaints > 0,
        "value-platinum": Band.PLATINUM in relationship.bands,
    }
    return [code for code, holds in reasons.items() if holds]
