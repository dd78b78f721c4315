"""Whether an agent is there, as they say and as far as something shows it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cases.names import DEPARTMENT, PRESENCE

LASTS = timedelta(seconds=60)  # without another word: of three that hold it, two may be lost


class PresenceState(StrEnum):
    """Whether they are there."""

    AVAILABLE = "AVAILABLE"
    BUSY = "BUSY"
    AWAY = "AWAY"
    OFFLINE = "OFFLINE"


PAUSED = frozenset({PresenceState.BUSY, PresenceState.AWAY})


@dataclass(frozen=True, slots=True)
class Presence:
    """What was said last, and until when that is believed."""

    agent_id: str
    state: PresenceState
    until_time: datetime | None
    since_time: datetime
    expire_time: datetime

    def at(self, now: datetime) -> "Presence":
        """As it is by now: over with what held it, and with what they said until when."""
        if self.until_time and self.until_time <= now < self.expire_time:
            return replace(self, state=PresenceState.AVAILABLE, until_time=None, since_time=self.until_time)
        if self.expire_time <= now:
            over = PresenceState.OFFLINE
            since = self.since_time if self.state is over else self.expire_time
            return replace(self, state=over, until_time=None, since_time=since)
        return self

    def wants_none(self, now: datetime) -> bool:
        """Whether they said that they are not to be given work. Who only was lost is there when they ask."""
        return self.state is PresenceState.OFFLINE or self.at(now).state in PAUSED

    def said(self, state: PresenceState, until: datetime | None, now: datetime) -> "Presence":
        """Say so; they are there for a while by that, unless they say that they are not."""
        since = self.since_time if self.at(now).state is state else now
        expires = now if state is PresenceState.OFFLINE else now + LASTS
        kept = until if state in PAUSED else None
        return replace(self, state=state, until_time=kept, since_time=since, expire_time=expires)

    def held(self, now: datetime) -> "Presence":
        """Go on to be there. Who comes back is available, unless they said until when they are not."""
        if self.expire_time > now:
            return replace(self.at(now), expire_time=now + LASTS)
        if self.until_time and self.until_time > now:
            return replace(self, expire_time=now + LASTS)
        return came(self.agent_id, now)


def came(agent_id: str, now: datetime) -> Presence:
    """Somebody comes who was not there."""
    return Presence(agent_id, PresenceState.AVAILABLE, None, now, now + LASTS)


@dataclass(frozen=True, slots=True)
class AgentPresence:
    """Whether an agent is there, and how much is theirs."""

    id: str  # of the agent
    department_id: str
    capacity: int
    open_work_count: int
    state: PresenceState = PresenceState.OFFLINE
    until_time: datetime | None = None
    since_time: datetime | None = None
    expire_time: datetime | None = None  # None: nothing was ever known of them

    name = PRESENCE.named("id")
    department = DEPARTMENT.named("department_id")

    def at(self, now: datetime) -> "AgentPresence":
        """As it is by now."""
        if self.since_time is None or self.expire_time is None:
            return self
        said = Presence(self.id, self.state, self.until_time, self.since_time, self.expire_time).at(now)
        return replace(self, state=said.state, until_time=said.until_time, since_time=said.since_time)
