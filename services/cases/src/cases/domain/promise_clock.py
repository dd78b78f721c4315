"""When the clock acts on a promise."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.domain.promise import Promise


@dataclass(frozen=True, slots=True)
class PromiseClock:
    """When the clock acts on a promise.

    Attributes:
        lead: how long before the due time an unkept promise is at risk. A promise that is due in less than
            twice as long is at risk when half of its time is over.
        grace: how long after the due time an unkept promise is broken.

    """

    lead: timedelta
    grace: timedelta

    def at_risk_at(self, promise: Promise) -> datetime:
        """When the promise is at risk."""
        return promise.due_time - min(self.lead, (promise.due_time - promise.make_time) / 2)

    def broken_at(self, promise: Promise) -> datetime:
        """When the promise is broken."""
        return promise.due_time + self.grace
