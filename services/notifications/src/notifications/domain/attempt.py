"""An attempt to hand a notice to a provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from notifications.names import ATTEMPT


class Outcome(StrEnum):
    """How an attempt ended."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    PERMANENT_FAILURE = "PERMANENT_FAILURE"
    UNKNOWN = "UNKNOWN"


@dataclass(slots=True)
class Attempt:
    """One attempt. `outcome` is PENDING while it is under way."""

    notice: UUID
    number: int
    provider: str
    provider_key: str
    start_time: datetime
    outcome: Outcome = Outcome.PENDING
    provider_code: str = ""
    end_time: datetime | None = None

    name = ATTEMPT.named("notice", "number")
