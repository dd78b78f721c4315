"""Counts what people do alone, and what they are refused of it, in the service where the act is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from prometheus_client import Counter

from chassis.errors import FailedPrecondition

ACTS = Counter(
    "rapport_authority_acts",
    "What people did alone or were refused, by act (`goodwill`, `refund`, `replacement`, `extension`) and "
    "outcome: done, over_authority, over_budget.",
    ["act", "outcome"],
)
USED = Counter(
    "rapport_authority_used",
    "How much people did alone, in what the act is counted in: points of `goodwill`, days of `extension`, "
    "the smallest unit of the currency of `refund` and `replacement`.",
    ["act"],
)
REFUSALS = ("OVER_AUTHORITY", "OVER_BUDGET")


class Acts:
    """The acts of one kind, told from the start, so that a first one is seen."""

    def __init__(self, act: str) -> None:
        self._act = act
        for outcome in ("done", *map(str.lower, REFUSALS)):
            ACTS.labels(act, outcome)
        USED.labels(act)

    @contextmanager
    def judged(self, amount: int, after_commit: Callable[[Callable[[], None]], None]) -> Iterator[None]:
        """Within, an act is judged: a refusal is counted, or what is done once the transaction commits."""
        try:
            yield
        except FailedPrecondition as refusal:
            if refusal.reason in REFUSALS:
                ACTS.labels(self._act, refusal.reason.lower()).inc()
            raise
        after_commit(ACTS.labels(self._act, "done").inc)
        after_commit(partial(USED.labels(self._act).inc, amount))
