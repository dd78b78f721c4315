"""A case with what is known of the work on it, from which follows what the customer is shown."""

from dataclasses import dataclass
from enum import StrEnum

from cases.domain.case import Case


class CaseProgress(StrEnum):
    """What a customer is shown of a case."""

    RECEIVED = "RECEIVED"
    IN_PROGRESS = "IN_PROGRESS"
    WAITING_FOR_CUSTOMER = "WAITING_FOR_CUSTOMER"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True)
class CaseWithWork:
    """A case, and of all that are settled with it: whether they are, whether work was begun, or waits.

    Work waits here for the customer, for nobody else.
    """

    case: Case
    resolved: bool = False
    begun: bool = False
    waits_for_customer: bool = False

    @property
    def progress(self) -> CaseProgress:
        """One state, however many departments work: what concerns the customer most."""
        if self.resolved:
            return CaseProgress.RESOLVED
        if self.waits_for_customer:
            return CaseProgress.WAITING_FOR_CUSTOMER
        return CaseProgress.IN_PROGRESS if self.begun else CaseProgress.RECEIVED
