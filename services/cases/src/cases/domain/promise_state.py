"""The states of a promise."""

from enum import StrEnum


class PromiseState(StrEnum):
    """Where a promise is."""

    OPEN = "OPEN"
    AT_RISK = "AT_RISK"
    KEPT = "KEPT"
    KEPT_LATE = "KEPT_LATE"
    BROKEN = "BROKEN"
    RENEGOTIATED = "RENEGOTIATED"
    WITHDRAWN = "WITHDRAWN"


LIVE = frozenset({PromiseState.OPEN, PromiseState.AT_RISK})
KEPT = frozenset({PromiseState.KEPT, PromiseState.KEPT_LATE})
