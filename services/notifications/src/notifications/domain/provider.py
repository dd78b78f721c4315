"""Whether a provider takes our messages: a circuit breaker, one for all replicas.

    AVAILABLE --FAILURES_MAX failures in a row, or it asks to be left alone--> UNAVAILABLE
    UNAVAILABLE --the pause is over, or somebody says so: one message tries--> PROBING
    PROBING --taken--> AVAILABLE
       `------not----> UNAVAILABLE, for longer

A failure is about us, or about nobody: it cannot be reached, does not want us, has counted enough of our
messages, or does not answer. What it refuses for the recipient's sake shows that it works. So does what it
refuses for what is said, which is one department's: that counts while it refuses another template's as well.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from notifications.names import PROVIDER

FAILURES_MAX = 5
PAUSE, PAUSE_MOST = timedelta(seconds=30), timedelta(minutes=15)
PROBE = timedelta(minutes=2)  # in which a probe is answered, or another is made
SOON = timedelta(seconds=5)  # when who waits for a probe, or for room, asks again
_DOUBLINGS_MAX = 10


class State(StrEnum):
    """How it is with a provider."""

    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    PROBING = "PROBING"


@dataclass(slots=True)
class Provider:
    """A provider of one channel, as all replicas know it."""

    id: str
    channel: str
    state: State
    state_time: datetime  # since when it is available, or is not
    seen_time: datetime  # when a process last said that it has it
    failures: int = 0  # in a row
    openings: int = 0  # pauses in a row: each is longer
    last_error_code: str = ""
    last_error_time: datetime | None = None
    retry_time: datetime | None = None  # while it is not available: when it is tried again
    free_time: datetime | None = None  # when its rate allows another message; None without one
    # The ids of templates whose messages it refused for what they say, since it took one: two are enough.
    unwanted: list[str] = field(default_factory=list)

    name = PROVIDER.named("id")

    @property
    def faultless(self) -> bool:
        """Whether a message that it takes says nothing new of it."""
        return self.state is State.AVAILABLE and not self.failures and not self.unwanted

    def fail(self, code: str, now: datetime, leave_alone: timedelta | None = None) -> None:
        """It failed. `leave_alone`: for how long it asks for no more, which is heeded up to PAUSE_MOST."""
        self.failures += 1
        self.last_error_code, self.last_error_time = code, now
        if self.state is State.UNAVAILABLE:  # of what left before it was known to be
            if leave_alone is not None:
                self.retry_time = max(self.retry_time or now, now + min(leave_alone, PAUSE_MOST))
            return
        if self.state is State.AVAILABLE:
            if self.failures < FAILURES_MAX and leave_alone is None:
                return
            self.state_time = now
        pause = min(PAUSE * 2 ** min(self.openings, _DOUBLINGS_MAX), PAUSE_MOST)
        if leave_alone is not None:
            pause = min(leave_alone, PAUSE_MOST)
        self.state, self.retry_time, self.openings = State.UNAVAILABLE, now + pause, self.openings + 1

    def take(self, now: datetime) -> None:
        """It took a message, or refused one for the recipient's sake: it works."""
        if self.state is not State.AVAILABLE:
            self.state_time = now
        self.state, self.retry_time, self.failures, self.openings = State.AVAILABLE, None, 0, 0
        self.unwanted = []

    def refuse(self, template_id: str, code: str, now: datetime) -> None:
        """It refused a message of a template for what it says: alone that is no failure, and it works."""
        if template_id not in self.unwanted:
            self.unwanted = [*self.unwanted, template_id][-2:]
        if len(self.unwanted) > 1:
            self.fail(code, now)
            return
        if self.state is not State.AVAILABLE:
            self.take(now)
            self.unwanted = [template_id]
        self.last_error_code, self.last_error_time = code, now

    def try_now(self, now: datetime) -> bool:
        """Have the next message try whether it works. False when it does, or is being tried."""
        if self.state is not State.UNAVAILABLE:
            return False
        self.retry_time = now
        return True

    def opens(self, now: datetime) -> datetime | None:
        """When a message may ask again; None for now. For who asks in vain during a probe: soon."""
        if self.state is State.AVAILABLE or self.retry_time is None or self.retry_time <= now:
            return None
        return now + SOON if self.state is State.PROBING else self.retry_time


@dataclass(slots=True)
class ProviderFigures(Provider):
    """A provider, and what becomes of what it is to take."""

    sent_count: int = 0  # messages that it accepted, of those handed to it within MEASURED
    failed_count: int = 0  # attempts within MEASURED that failed, or of which nobody knows
    waiting_count: int = 0  # notices that wait for it now


MEASURED = timedelta(hours=1)
SAID_EVERY = timedelta(hours=1)  # that a process has one
KEPT = timedelta(days=1)  # how long one is that no process has any more: an older one may still start
