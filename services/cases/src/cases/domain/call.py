"""A call to a customer: why, what to say, the attempts, and what each leads to."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cases.domain.promise import Promise
from cases.domain.promise_state import PromiseState
from cases.names import NOTICE, PROMISE

KIND = "call-customer"  # of the work that a call is
CALL_LATER = "call-later"  # of blocked work: it is not time yet
NOT_REACHED = "not-reached"
NO_NUMBER = "no-number"
NEVER_OPEN = "never-open"
UNDELIVERABLE_NOTICE = "undeliverable-notice"
BAD_NEWS = "bad-news"
TELLS = frozenset({UNDELIVERABLE_NOTICE, BAD_NEWS})  # of a promise, and nothing else


class CallOutcome(StrEnum):
    """What became of an attempt."""

    REACHED = "REACHED"
    NO_ANSWER = "NO_ANSWER"
    VOICEMAIL = "VOICEMAIL"
    WRONG_NUMBER = "WRONG_NUMBER"
    DECLINED = "DECLINED"
    CALL_BACK = "CALL_BACK"

    @property
    def ends(self) -> bool:
        """Whether nobody has to call any more."""
        return self in (CallOutcome.REACHED, CallOutcome.DECLINED)

    @property
    def comes_back(self) -> bool:
        """Whether to try the same again later is of use."""
        return self in (CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL, CallOutcome.CALL_BACK)

    @property
    def channel(self) -> str:
        """How they were contacted, if they were."""
        return "VOICE" if self in (CallOutcome.REACHED, CallOutcome.VOICEMAIL) else "UNSPECIFIED"

    @property
    def code(self) -> str:
        """As timelines have it: `no-answer`."""
        return self.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt."""

    outcome: CallOutcome
    caller: str  # `agents/{agent}` or `services/{service}`
    end_time: datetime


@dataclass(slots=True)
class Call:
    """What makes a work item a call."""

    reason_code: str
    promise_id: UUID | None = None
    notice_id: UUID | None = None
    script: str = ""
    call_time: datetime | None = None
    attempts: list[Attempt] = field(default_factory=list)
    owner_reason_code: str = ""

    promise = PROMISE.named("promise_id")
    notice = NOTICE.named("notice_id")

    def attempt(self, outcome: CallOutcome, caller: str, now: datetime) -> None:
        """Keep one more, which was over now."""
        self.attempts = [*self.attempts, Attempt(outcome, caller, now)]

    @property
    def is_moot_once_told(self) -> bool:
        """Whether nothing is to be said once the customer knows. Not when they said when to call them."""
        agreed = bool(self.attempts) and self.attempts[-1].outcome is CallOutcome.CALL_BACK
        return self.reason_code in TELLS and not agreed

    def goes_to_owner(self, *, any_number: bool, most: int) -> bool:
        """Whether, after the last attempt, whoever owns the case has to see to it: then it says why.

        `any_number`: whether a number was called; `most` attempts are made. Whoever said when to be called
        was reached.
        """
        outcome = self.attempts[-1].outcome
        if outcome.ends or outcome is CallOutcome.CALL_BACK:
            return False
        if outcome is CallOutcome.WRONG_NUMBER and not any_number:
            return self.goes_to_owner_as(NO_NUMBER)
        return len(self.attempts) >= most and self.goes_to_owner_as(NOT_REACHED)

    def goes_to_owner_as(self, reason_code: str) -> bool:
        """Whether it goes to who owns the case, for this reason: once, for the first that there is."""
        if self.owner_reason_code:
            return False
        self.owner_reason_code = reason_code
        return True


def is_to_be_told(promise: Promise) -> bool:
    """Whether the customer counts on what will not be."""
    counts_on_it = promise.awaited and promise.state is not PromiseState.OPEN
    return promise.moved_untold or (counts_on_it and promise.delay_notify_time is None)
