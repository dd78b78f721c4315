"""A notice and its delivery. The row is its own durable queue: every step leaves it where another can go on.

    REQUESTED --claim--> SENDING --accepted--> SENT
        |                   |------refused---> FAILED
        |                   |------forbidden-> SUPPRESSED
        |                   `------later-----> REQUESTED, to be claimed again
        `--expired, or no longer true--------> SUPPRESSED, or FAILED when it was tried

SENDING is also where a process that died leaves it: it is claimed again after the send timeout, and the
provider recognises the repeat by the provider key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from notifications.domain.facts import NoticeFailed, NoticeRequested, NoticeSent, NoticeSuppressed

LIFETIME = timedelta(days=1)  # of a notice that does not say when it is of no more use
EXPIRED = "EXPIRED"
PROMISE_ENDED = "PROMISE_ENDED"
GAVE_UP = "GAVE_UP"
REFUSED = "REFUSED"
NOT_RENDERABLE = "NOT_RENDERABLE"


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
        attempt_count: how often it was claimed for sending.
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

    def claim(self, now: datetime) -> bool:
        """Take it for one more attempt; False when it ended, by expiry if not before."""
        if self.ended:
            return False
        if now >= self.expire_time:
            tried = self.attempt_count > 0
            self._end(State.FAILED if tried else State.SUPPRESSED, GAVE_UP if tried else EXPIRED)
            return False
        self.state = State.SENDING
        self.attempt_count += 1
        self.version += 1
        return True

    def accept(self, now: datetime, channel: str, content_hash: str, said: dict[str, str]) -> None:
        """A provider accepted it, saying `said`, which may be older than a revision made meanwhile."""
        self.channel, self.content_hash, self.send_time, self.variables = channel, content_hash, now, said
        self._end(State.SENT, "")

    def postpone(self) -> None:
        """The attempt came to nothing that lasts: wanted again, and open to revision."""
        self.state = State.REQUESTED
        self.version += 1

    def suppress(self, reason_code: str) -> None:
        """Not to be sent."""
        self._end(State.SUPPRESSED, reason_code)

    def fail(self, reason_code: str) -> None:
        """Refused for good."""
        self._end(State.FAILED, reason_code)

    def revise(self, variables: dict[str, str], expire_time: datetime, promise_version: int) -> None:
        """Say something newer instead. For a notice that has not ended."""
        self.variables, self.expire_time, self.promise_version = variables, expire_time, promise_version
        self.revision += 1
        self.version += 1

    def end_fact(self) -> NoticeSent | NoticeSuppressed | NoticeFailed:
        """What to tell the others once it has ended."""
        if self.state == State.SUPPRESSED:
            return NoticeSuppressed(self.name, self.customer, self.kind, self.promise, self.reason_code)
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

    def withdraw(self, now: datetime) -> None:
        """What it says is no longer true. An attempt under way cannot be called back, but is the last."""
        if self.state == State.REQUESTED:
            self.suppress(PROMISE_ENDED)
        elif not self.ended:
            self.expire_time = now
            self.version += 1

    def _end(self, state: State, reason_code: str) -> None:
        self.state, self.reason_code = state, reason_code
        self.version += 1
