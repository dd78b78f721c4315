"""Consent and preferences: what customers said, and what holds of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, TypedDict
from uuid import UUID

from chassis.errors import FailedPrecondition
from customer.domain.quiet import Pause, QuietHours
from customer.domain.timeline import Channel
from customer.names import CONSENT, CUSTOMER, PREFERENCES, PURPOSE

CLOCKS_DIFFER = timedelta(minutes=1)  # by how much a time may be ahead of ours


class ConsentState(StrEnum):
    """What the customer said. Before they say anything the purpose's default holds."""

    GRANTED = "GRANTED"
    DENIED = "DENIED"


# The channels by how consents are named after them.
CHANNEL_IDS = {
    channel.lower().replace("_", "-"): channel for channel in Channel if channel is not Channel.UNSPECIFIED
}


class Said(TypedDict, total=False):
    """What can be noted of what a customer said. Without a time they say it now."""

    state: ConsentState
    source: str
    wording_version: str
    proof: str
    effective_time: datetime | None


@dataclass(slots=True)
class Consent:
    """What a customer said about one purpose on one channel, and where and when they said it.

    `id` is like `service.email` or `marketing.field-visit`.
    """

    customer_id: UUID
    id: str
    purpose_id: str
    channel: Channel
    state: ConsentState
    source: str
    wording_version: str
    effective_time: datetime
    create_time: datetime
    update_time: datetime
    version: int
    proof: str = ""  # a reference to what proves it

    name = CONSENT.named("customer_id", "id")
    purpose = PURPOSE.named("purpose_id")
    customer = CUSTOMER.named("customer_id")

    def noted(self, changes: Said, now: datetime) -> Self:
        """What is noted by `changes`. Those of where and how alone correct it: it stays said when it was.

        What is said again has the proof that is given with it, and none of what was said before.

        FailedPrecondition CONSENT_SUPERSEDED for what was said before what is known.
        """
        again = "state" in changes or "effective_time" in changes
        noted = replace(self)
        for name, value in (self._said_again(changes, now) if again else changes).items():
            setattr(noted, name, value)
        return noted

    def _said_again(self, changes: Said, now: datetime) -> Said:
        state, given = changes.get("state", self.state), changes.get("effective_time")
        if given is not None and given > now:  # by a clock that is ahead of ours
            denied = self.state is ConsentState.DENIED and now - self.effective_time < CLOCKS_DIFFER
            if denied and state is ConsentState.GRANTED:  # which may have been said after it, by that clock
                raise self._superseded()
            given = None
        if given is not None and self._is_past(state, given):
            raise self._superseded()
        # Clocks differ, and who waited for the row has an earlier now: what is said now is last.
        said_at = given or max(now, self.effective_time)
        return {"source": "", "wording_version": "", "proof": "", **changes, "effective_time": said_at}

    def _is_past(self, state: ConsentState, said_at: datetime) -> bool:
        """What they said last holds, in whatever order it is noted; a no of the same time before a yes."""
        denies = (state is ConsentState.DENIED, self.state is ConsentState.DENIED)
        return (said_at, denies[0]) < (self.effective_time, denies[1])

    def _superseded(self) -> FailedPrecondition:
        known = self.effective_time.isoformat()
        return FailedPrecondition(
            "CONSENT_SUPERSEDED",
            f"{self.name} says what the customer said at {known}: what they said before that is past,"
            " and of the same time a no holds.",
            {"resource": self.name, "effective_time": known},
        )


@dataclass(slots=True)
class ConsentVersion(Consent):
    """What was noted once, and by whom."""

    actor: str = ""

    @property
    def noter(self) -> str:
        """Who noted it, as contracts name them."""
        role, _, who = self.actor.partition(":")
        kind = {"service": "services", "customer": "customers"}.get(role, "agents")
        return f"{kind}/{who}"


@dataclass(slots=True)
class Preferences:
    """How a customer wants to be reached, channels best first, and when not. Version 0 was never set."""

    customer_id: UUID
    channels: list[str]
    update_time: datetime | None
    version: int
    quiet_hours: list[QuietHours] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)

    name = PREFERENCES.named("customer_id")
    customer = CUSTOMER.named("customer_id")


@dataclass(slots=True)
class SaidPreferences(Preferences):
    """What somebody preferred by one of their names; `since` the names became one, or before."""

    since: bool = False


def preferred(said: Sequence[SaidPreferences]) -> Preferences | None:
    """What holds of what was preferred by all names, the last first: that, and the quiet that any wanted.

    What was said since they are one is the whole of it.
    """
    if not said:
        return None
    last = said[0]
    wanted = said[:1] if last.since else said
    quiet_hours, pauses = list[QuietHours](), list[Pause]()
    for each in wanted:
        quiet_hours += [hours for hours in each.quiet_hours if hours not in quiet_hours]
        pauses += [pause for pause in each.pauses if pause not in pauses]
    version = max(each.version for each in said)  # which the next follows, by any name
    return Preferences(last.customer_id, last.channels, last.update_time, version, quiet_hours, pauses)
