"""A piece of work, how attempts at it end, and what their outcomes make of it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import grpc
import structlog

from chassis.grpc.status import reason

_log = structlog.get_logger()

_NEXT_WORD = re.compile(r"_|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Nothing that passes by itself: our permissions, our token, our request.
_OURS = (
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
)


class Verdict(StrEnum):
    """What an outcome means for the work."""

    DONE = "DONE"
    REFUSED = "REFUSED"  # no repetition can help
    LATER = "LATER"  # the network, a service that is down, a server that is busy
    OURS = "OURS"  # as LATER, and somebody of ours has to mend something
    DEFERRED = "DEFERRED"  # nothing is wrong, and it is not to be done before a time
    AGAIN = "AGAIN"  # nothing was handed over, and nothing is wrong: prepare it anew
    UNKNOWN = "UNKNOWN"  # it was handed over, and nobody knows what became of it
    EXPIRED = "EXPIRED"  # it is of no more use


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    The code is the other side's as it is, or one of ours for what stopped us, such as
    `smtp-server-disconnected`; never its text, which may be personal.
    """

    verdict: Verdict
    code: str = ""
    result: Any = None  # what `Worker.act` returned, or the `NotDone` that it raised

    @property
    def definite(self) -> bool:
        """Whether it is known what became of the attempt."""
        return self.verdict is not Verdict.UNKNOWN


class NotDone(Exception):
    """What `Worker.act` raises when the work was not done, and it is sure of that.

        NotDone
          Later    it may work later: no connection, a service that is down, a busy server
          Ours     it will work once we have mended something: a login, a quota. As Later, and it is shown
          Deferred it is not to be done before a time. No failure
          Refused  it will never work

    The code is as an outcome has it.
    """

    verdict = Verdict.LATER

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Later(NotDone):
    """It may work later."""


class Ours(NotDone):
    """It will work once we have mended something."""

    verdict = Verdict.OURS


class Deferred(NotDone):
    """It is not to be done before `until`: it is prepared anew then, if it is of use still."""

    verdict = Verdict.DEFERRED

    def __init__(self, code: str, until: datetime) -> None:
        super().__init__(code)
        self.until = until


class Refused(NotDone):
    """It will never work."""

    verdict = Verdict.REFUSED


class Superseded(NotDone):
    """Our turn is over: another attempt has begun, or what the work is about has changed."""

    verdict = Verdict.AGAIN


def code_of(name: str) -> str:
    """The code for the name of an error, a reason or a status: lower-case words with dashes."""
    return _NEXT_WORD.sub("-", name).lower()


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
    """A piece of work; see `chassis.db.schema.WORK`. A repeat must have the same fingerprint."""

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
    rank: int = 0

    def settle(self, attempt: int, outcome: Outcome, now: datetime, *, wait: timedelta) -> None:
        """Move on by what is known of an attempt: writes are fenced by its number, evidence is not.

        Told twice, the second time changes nothing. Nor does what comes of an attempt of which all was known
        when the work was opened again. `wait` is the pause before another attempt.
        """
        under_way = attempt == self.attempt and self.state in UNDER_WAY
        if not under_way and attempt not in self.unknown and outcome.verdict is not Verdict.EXPIRED:
            return
        others = {*self.unknown} - {attempt}
        self.unknown = sorted(others if outcome.definite else others | {attempt})
        if outcome.verdict is Verdict.DONE:
            self._end(State.DONE, outcome, now)
        elif under_way:
            self._after(outcome, now, wait)
        elif outcome.verdict is Verdict.EXPIRED and self.state is State.PENDING:
            self._end(State.EXPIRED, outcome, now)
        elif outcome.verdict is Verdict.REFUSED and self.state in _OPEN_TO_EVIDENCE:
            self._end(State.REFUSED, outcome, now)
        elif self.state is State.UNKNOWN and not self.unknown:
            self._resume(now)

    def _after(self, outcome: Outcome, now: datetime, wait: timedelta) -> None:
        if outcome.verdict is Verdict.REFUSED:
            self._end(State.REFUSED, outcome, now)
        elif outcome.verdict is Verdict.UNKNOWN and len(self.unknown) > self.repeats:
            self._end(State.UNKNOWN, outcome, now)
        else:
            self.state, self.lease_until = State.PENDING, None
            if outcome.verdict is Verdict.AGAIN:
                self.due_at = now
                return
            if isinstance(outcome.result, Deferred):
                self.due_at, self.code = min(outcome.result.until, self.expire_at), outcome.code
                self.alarm = False
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


def not_answered(service: str, error: grpc.aio.AioRpcError) -> NotDone:
    """Later, or Ours when somebody of ours has to mend something: then the log has what they need.

    It is called as the refusal is, or its code: `customer-schema-incompatible`, `cases-unavailable`.
    """
    why = reason(error)
    if error.code() in _OURS:
        _log.error("a service refuses what we ask", service=service, reason=why, told=error.details())
        return Ours(code_of(f"{service}_{why}"))
    return Later(code_of(f"{service}_{why}"))
