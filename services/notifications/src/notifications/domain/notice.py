"""A notice and its delivery.

    REQUESTED --handed over--> SENDING --accepted--> SENT
        |        ^                |------refused---> FAILED
        |        `-----later------|------no answer-> UNKNOWN, or REQUESTED for a repeat
        |--forbidden, or no longer true------------> SUPPRESSED
        `--expired---------------------------------> SUPPRESSED, or FAILED when it was tried

What may have been accepted is never said to be suppressed or failed: it ends UNKNOWN, until the answer comes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from notifications.domain.facts import (
    NoticeFailed,
    NoticeRequested,
    NoticeSent,
    NoticeSuppressed,
    NoticeUnknown,
)

LIFETIME = timedelta(days=1)  # of a notice that does not say when it is of no more use
EXPIRED = "EXPIRED"
PROMISE_ENDED = "PROMISE_ENDED"
GAVE_UP = "GAVE_UP"
REFUSED = "REFUSED"
NOT_RENDERABLE = "NOT_RENDERABLE"
OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


class State(StrEnum):
    """Where a notice is."""

    REQUESTED = "REQUESTED"
    SENDING = "SENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    SUPPRESSED = "SUPPRESSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"  # handed over, and the answer was lost: told or not, nobody knows


LIVE = (State.REQUESTED, State.SENDING, State.SENT, State.DELIVERED)  # tells the customer, or will, or did


@dataclass(slots=True)
class Notice:
    """One proactive message to one customer about one thing.

    Attributes:
        variables: what the sender gave for the template: `reason` is a code, dates are RFC 3339.
        policy, policy_version: the rule that asked for it; "" and 0 when a department did.
        promise_version: the promise's version that it tells of; 0 when a department asked.
        request_event: the id of its latest NoticeRequested event, to which what becomes of it points back.
        revision: how often a newer fact replaced what it says before it was sent.
        attempt_count: the number of its latest attempt.
        in_doubt: whether an attempt may have been accepted without our knowing.
        version: of the row.

    """

    id: UUID
    customer: str
    kind: str
    template: str
    variables: dict[str, str]
    promise: str
    case: str
    policy: str
    policy_version: int
    promise_version: int
    expire_time: datetime
    request_time: datetime
    request_event: UUID
    state: State = State.REQUESTED
    reason_code: str = ""
    channel: str = ""
    template_version: int = 0
    content_hash: str = ""
    send_time: datetime | None = None
    revision: int = 0
    attempt_count: int = 0
    in_doubt: bool = False
    version: int = 1

    @property
    def name(self) -> str:
        """The resource name."""
        return f"notices/{self.id}"

    @property
    def new_due_time(self) -> datetime | None:
        """The new due time that it tells, if it tells one."""
        new_date = self.variables.get("new_date")
        return datetime.fromisoformat(new_date) if new_date else None

    @property
    def ended(self) -> bool:
        """Whether nothing more will be tried."""
        return self.state not in (State.REQUESTED, State.SENDING)

    def provider_key(self, domain: str) -> str:
        """The Message-ID: the same for every attempt to say the same thing, another for a revision."""
        revision = f".{self.revision}" if self.revision else ""
        return f"<{self.id}{revision}@{domain}>"

    def request_fact(self) -> NoticeRequested:
        """What to tell the others when it is requested or revised."""
        return NoticeRequested(self.name, self.customer, self.kind, self.promise, self.case)

    @property
    def waits(self) -> bool:
        """Whether it is to be sent, and not being sent."""
        return self.state == State.REQUESTED

    @property
    def told(self) -> bool:
        """Whether a provider is known to have accepted it."""
        return self.state in (State.SENT, State.DELIVERED)

    def begin(self, attempt: int) -> None:
        """It is about to be handed over."""
        self.state = State.SENDING
        self.tried(attempt)

    def accept(self, now: datetime, channel: str, content_hash: str, said: dict[str, str]) -> None:
        """A provider accepted it, saying `said`, which may be older than a revision made meanwhile."""
        self.channel, self.content_hash, self.send_time, self.variables = channel, content_hash, now, said
        self._end(State.SENT, "")

    def tried(self, attempt: int) -> None:
        """An attempt of that number was made."""
        if attempt > self.attempt_count:
            self.attempt_count = attempt
            self.version += 1

    def postpone(self) -> None:
        """The attempt came to nothing that lasts: wanted again, unless it was withdrawn meanwhile."""
        if self.state == State.UNKNOWN:  # it was not accepted, as we learn now
            self._end(State.FAILED, GAVE_UP)
        elif self.state == State.SENDING and self.reason_code:
            self._end(State.SUPPRESSED, self.reason_code)
        elif self.state == State.SENDING:
            self.state = State.REQUESTED
            self.version += 1

    def give_up(self, state: State, reason_code: str) -> None:
        """Nothing more is tried: SUPPRESSED, FAILED or UNKNOWN, for a reason."""
        if self.state == State.SENDING and self.reason_code:  # withdrawn
            state, reason_code = State.SUPPRESSED, self.reason_code
        if not self.ended or (self.state == State.UNKNOWN and not self.in_doubt):
            self._end(state, reason_code)

    def suppress(self, reason_code: str) -> None:
        """Not to be sent."""
        self._end(State.SUPPRESSED, reason_code)

    def revise(self, variables: dict[str, str], expire_time: datetime, promise_version: int) -> None:
        """Say something newer instead. For a notice that has not ended."""
        self.variables, self.expire_time, self.promise_version = variables, expire_time, promise_version
        self.revision += 1
        self.version += 1

    def end_fact(self) -> NoticeSent | NoticeSuppressed | NoticeFailed | NoticeUnknown:
        """What to tell the others once it has ended."""
        if self.state == State.SUPPRESSED:
            return NoticeSuppressed(self.name, self.customer, self.kind, self.promise, self.reason_code)
        if self.state == State.UNKNOWN:
            return NoticeUnknown(self.name, self.customer, self.kind, self.promise, self.reason_code)
        if self.state == State.FAILED:
            return NoticeFailed(self.name, self.customer, self.kind, self.promise, self.reason_code)
        return NoticeSent(
            self.name,
            self.customer,
            self.kind,
            self.promise,
            self.case,
            self.channel,
            new_due_time=self.new_due_time,
            reason_code=self.variables.get("reason", ""),
        )

    def withdraw(self) -> None:
        """What it says is no longer true. An attempt under way cannot be called back, but is the last."""
        if self.state == State.REQUESTED:
            self.suppress(PROMISE_ENDED)
        elif not self.ended:
            self.reason_code = PROMISE_ENDED
            self.version += 1

    def _end(self, state: State, reason_code: str) -> None:
        doubtful = self.in_doubt and state != State.SENT
        self.state, self.reason_code = State.UNKNOWN if doubtful else state, reason_code
        self.version += 1
