"""A piece of work, and what an outcome makes of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis.work.outcome import Outcome, Verdict


class State(StrEnum):
    """How far it is."""

    PENDING = "PENDING"
    CLAIMED = "CLAIMED"  # somebody prepares it: safe to begin again
    HANDING_OVER = "HANDING_OVER"  # past the point of no return, and not answered
    DONE = "DONE"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


UNDER_WAY = (State.CLAIMED, State.HANDING_OVER)
LIVE = (State.PENDING, *UNDER_WAY)
_OPEN_TO_EVIDENCE = (State.PENDING, State.CLAIMED, State.UNKNOWN)


@dataclass(slots=True)
class Work:
    """A piece of work; see `chassis.db.schema.WORK`.

    Attributes:
        kind: which worker.
        key: what it is about.
        attempt: the number of the latest claim.
        failures: how often it failed since it was enqueued; what pauses grow with.
        repeats: how many attempts may follow one whose outcome is unknown.
        unknown: the attempts whose outcome is unknown.
        fingerprint: of what was handed over: a repeat must have the same.
    """

    id: UUID
    kind: str
    key: str
    state: State
    attempt: int
    failures: int
    due_at: datetime
    expire_at: datetime
    lease_until: datetime | None
    repeats: int
    unknown: list[int]
    fingerprint: str
    code: str
    alarm: bool
    correlation_id: str
    causation_id: UUID
    traceparent: str
    ended_at: datetime | None

    def settle(self, attempt: int, outcome: Outcome, now: datetime, *, wait: timedelta) -> None:
        """Move on by what is known of an attempt: writes are fenced by its number, evidence is not.

        Told twice, the second time changes nothing.

        Args:
            attempt: which one.
            outcome: how it ended.
            now: the present.
            wait: the pause before another attempt.
        """
        others = {*self.unknown} - {attempt}
        self.unknown = sorted(others if outcome.definite else others | {attempt})
        if outcome.verdict is Verdict.DONE:
            self._end(State.DONE, outcome, now)
        elif attempt == self.attempt and self.state in UNDER_WAY:
            self._after(outcome, now, wait)
        elif outcome.verdict is Verdict.EXPIRED and self.state is State.PENDING:
            self._end(State.EXPIRED, outcome, now)
        elif outcome.verdict is Verdict.REFUSED and self.state in _OPEN_TO_EVIDENCE:
            self._end(State.REFUSED, outcome, now)
        elif self.state is State.UNKNOWN and not self.unknown:
            self._resume(now)

    def _after(self, outcome: Outcome, now: datetime, wait: timedelta) -> None:
        """The attempt under way has ended."""
        if outcome.verdict is Verdict.REFUSED:
            self._end(State.REFUSED, outcome, now)
        elif outcome.verdict is Verdict.UNKNOWN and len(self.unknown) > self.repeats:
            self._end(State.UNKNOWN, outcome, now)
        else:
            self.state, self.lease_until = State.PENDING, None
            if outcome.verdict is Verdict.AGAIN:
                self.due_at = now
                return
            self.failures += 1
            self.due_at = min(now + wait, self.expire_at)
            self.code, self.alarm = outcome.code, outcome.verdict is Verdict.OURS

    def _end(self, state: State, outcome: Outcome, now: datetime) -> None:
        """Nothing more is tried. What may have been done is not said to be refused or expired."""
        doubtful = self.unknown and state is not State.DONE
        self.state = State.UNKNOWN if doubtful else state
        self.code, self.alarm, self.lease_until = outcome.code, False, None
        self.ended_at = self.ended_at or now

    def _resume(self, now: datetime) -> None:
        """The attempt of which nothing was known is known to have failed: there is no more doubt."""
        self.state, self.due_at, self.ended_at = State.PENDING, min(now, self.expire_at), None
