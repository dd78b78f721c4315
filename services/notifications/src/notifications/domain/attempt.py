"""Attempts to hand a notice to a provider, and when to try again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

_DOUBLINGS_MAX = 30


class Outcome(StrEnum):
    """How an attempt ended."""

    UNSPECIFIED = "UNSPECIFIED"
    ACCEPTED = "ACCEPTED"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    PERMANENT_FAILURE = "PERMANENT_FAILURE"
    UNKNOWN = "UNKNOWN"


@dataclass(slots=True)
class Attempt:
    """One attempt. `outcome` stays UNSPECIFIED when the process died before it knew."""

    notice: UUID
    number: int
    provider: str
    provider_key: str
    start_time: datetime
    outcome: Outcome = Outcome.UNSPECIFIED
    provider_code: str = ""
    end_time: datetime | None = None

    @property
    def name(self) -> str:
        """The resource name."""
        return f"notices/{self.notice}/attempts/{self.number}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A provider accepted the message.

    Attributes:
        channel: as `customer.v1.Channel` names it.
        content_hash: SHA-256 of what it said, in hex.
        provider_code: the provider's code.

    """

    channel: str
    content_hash: str
    provider_code: str


class Unsent(Exception):
    """The message was not accepted.

        Unsent
          Later      it may work later: a service or the provider is down, or the provider said so
          Refused    it will never work
          Forbidden  it is not to be sent; the provider was not asked

    Attributes:
        provider_code: the provider's code, or which service did not answer and how.
        reason_code: why the notice ends with this, where it does.

    """

    def __init__(self, provider_code: str = "", reason_code: str = "") -> None:
        super().__init__(reason_code or provider_code)
        self.provider_code = provider_code
        self.reason_code = reason_code


class Later(Unsent):
    """It may work later."""


class Refused(Unsent):
    """It will never work."""


class Forbidden(Unsent):
    """It is not to be sent."""


def wait_before_retry(failures: int, first: timedelta, longest: timedelta, chance: float) -> timedelta:
    """How long to wait after a failure: doubling from `first` to `longest`, and of that half to all.

    Args:
        failures: how many there were, this one included.
        first: the pause after the first.
        longest: the longest pause.
        chance: 0 to 1, at random, so that notices that failed together do not come back together.

    """
    full = min(longest, first * (1 << min(failures - 1, _DOUBLINGS_MAX)))
    return full * (0.5 + chance / 2)
