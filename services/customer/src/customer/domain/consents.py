"""Consent and preferences: what customers said, and what holds of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from chassis.errors import FailedPrecondition, ResourceExhausted
from chassis.names import acted
from customer.domain.quiet import Pause, QuietHours
from customer.domain.stops import ContactStop
from customer.domain.timeline import Channel
from customer.names import CONSENT, CUSTOMER, PREFERENCES, PURPOSE

CONFIRM_WITHIN = timedelta(days=7)
ASKED_AGAIN = timedelta(hours=1)  # at the earliest
ASKED_MOST = 3  # within CONFIRM_WITHIN: whoever types an address sends its owner so many messages
ASKED_A_DAY = 5  # of all purposes together, for the same reason
DAY = timedelta(days=1)
CLOCKS_DIFFER = timedelta(minutes=1)  # by how much a time may be ahead of ours


class ConsentState(StrEnum):
    """What the customer said. Before they say anything the purpose's default holds."""

    GRANTED = "GRANTED"
    DENIED = "DENIED"
    UNSPECIFIED = "UNSPECIFIED"  # nothing any more: what was noted was not their word


# The channels by how consents are named after them.
CHANNEL_IDS = {
    channel.lower().replace("_", "-"): channel for channel in Channel if channel is not Channel.UNSPECIFIED
}


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
    wording: str = ""  # the version of ours that they agreed to, by its name
    confirm_expire_time: datetime | None = None  # of a yes that has to be confirmed, until when it can be
    confirm_time: datetime | None = None  # and when it was
    asked_version: int = 0  # of the row, as of which it waits to be confirmed
    stop_time: datetime | None = None  # of the stop by that very name that denies it: nobody said that of it

    name = CONSENT.named("customer_id", "id")
    purpose = PURPOSE.named("purpose_id")
    customer = CUSTOMER.named("customer_id")

    def __post_init__(self) -> None:
        # Written over by a release that knows of no confirming: what it noted waits for nothing.
        if self.confirm_time is None and self.asked_version != self.version:
            self.confirm_expire_time = None

    def noted(self, changes: dict[str, Any], now: datetime) -> Self:
        """What is noted by `changes`. Those of where and how alone correct it: it stays said when it was.

        What is said again has the proof that is given with it, and none of what was said before.

        FailedPrecondition CONSENT_SUPERSEDED for what was said before what is known.
        """
        again = "state" in changes or "effective_time" in changes
        noted = replace(self)
        if "state" in changes:
            noted.confirm_expire_time = noted.confirm_time = None
        if again:
            noted.stop_time = None
        for name, value in (self._said_again(changes, now) if again else changes).items():
            setattr(noted, name, value)
        return noted

    def stopped(self, stop: ContactStop) -> Self:
        """As a stop has it, whatever was said of it before."""
        said = {"state": ConsentState.DENIED, "source": stop.source, "proof": stop.proof}
        denied = self.noted(said, stop.stop_time)
        denied.effective_time = denied.stop_time = stop.stop_time
        return denied

    def await_confirmation(self, now: datetime) -> None:
        """Have a yes count as no until the customer confirms it."""
        self.state, self.confirm_expire_time = ConsentState.DENIED, now + CONFIRM_WITHIN

    def awaits_confirmation(self, now: datetime) -> bool:
        """Whether a yes waits for the customer to confirm it."""
        waits = self.state is ConsentState.DENIED and self.confirm_time is None
        return waits and self.confirm_expire_time is not None and now < self.confirm_expire_time

    def kept(self, version: int, now: datetime) -> None:
        """It is that version of the row now."""
        self.version, self.update_time = version, now
        if self.confirm_expire_time and not self.confirm_time:
            self.asked_version = version

    def token(self, token_hash: str, identifier_id: UUID, actor: str, now: datetime) -> "ConsentToken":
        """What confirms it, by who has the identifier. FailedPrecondition CONSENT_NOT_REQUESTED."""
        if not self.awaits_confirmation(now) or self.confirm_expire_time is None:
            told = f"{self.name} waits for no confirmation."
            raise FailedPrecondition("CONSENT_NOT_REQUESTED", told, {"resource": self.name})
        return ConsentToken(
            token_hash,
            self.customer_id,
            self.id,
            self.effective_time,
            self.confirm_expire_time,
            now,
            actor,
            identifier_id,
        )

    def confirmed_by(self, token: "ConsentToken") -> bool:
        """Whether a token confirmed it already."""
        return self.confirm_time is not None and self.confirm_expire_time == token.expire_time

    def waits_for(self, token: "ConsentToken", now: datetime) -> bool:
        """Whether a token can confirm it still: another word of the customer ends that."""
        return self.awaits_confirmation(now) and self.effective_time == token.effective_time

    def confirm(self, token: "ConsentToken", now: datetime) -> None:
        """Have it count, by a token that it waits for."""
        self.state, self.confirm_time = ConsentState.GRANTED, now
        self.effective_time = max(now, self.effective_time)
        self.proof = f"double-opt-in:{token.token_hash[:32]}"

    def _said_again(self, changes: dict[str, Any], now: datetime) -> dict[str, Any]:
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
        fresh: dict[str, Any] = {"source": "", "wording_version": "", "wording": "", "proof": ""}
        return {**fresh, **changes, "effective_time": said_at}

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
class ConsentToken:
    """What confirms a yes that was said at a time, until it expires; kept as its hash."""

    token_hash: str
    customer_id: UUID
    consent_id: str
    effective_time: datetime
    expire_time: datetime
    create_time: datetime
    actor: str
    identifier_id: UUID  # that it was sent to


def may_ask(asked: Sequence[datetime], of_all: int, waits: bool, now: datetime) -> bool:
    """Whether a customer is asked to confirm a yes; False where one waits that was asked for lately or often.

    `asked` is when they were within CONFIRM_WITHIN, and `of_all` how often within a DAY, of all purposes.
    ResourceExhausted CONSENT_ASKED_OFTEN where none waits.
    """
    few = len(asked) < ASKED_MOST
    if waits:
        return few and of_all < ASKED_A_DAY and now - max(asked) >= ASKED_AGAIN
    if not few:
        told = f"The customer was asked to confirm it {ASKED_MOST} times within {CONFIRM_WITHIN.days} days."
        raise _asked_often(told, ASKED_MOST, min(asked) + CONFIRM_WITHIN - now)
    if of_all >= ASKED_A_DAY:
        told = f"The customer was asked to confirm {ASKED_A_DAY} things within a day."
        raise _asked_often(told, ASKED_A_DAY, DAY)
    return True


def _asked_often(told: str, most: int, left: timedelta) -> ResourceExhausted:
    return ResourceExhausted("CONSENT_ASKED_OFTEN", told, {"most": most}, retry_after_s=left.total_seconds())


def request_ended() -> FailedPrecondition:
    """The refusal of a token that confirms nothing, whatever the reason: it may be a guess."""
    told = "The token confirms nothing: it is none, its time is over, or the customer has said otherwise."
    return FailedPrecondition("CONSENT_REQUEST_ENDED", told)


@dataclass(slots=True)
class ConsentVersion(Consent):
    """What was noted once, and by whom."""

    actor: str = ""

    @property
    def noter(self) -> str:
        """Who noted it, as contracts name them."""
        return acted(self.actor)


@dataclass(slots=True)
class Preferences:
    """How a customer wants to be reached, channels best first, and when not. Version 0 was never set."""

    customer_id: UUID
    channels: list[Channel]
    update_time: datetime | None
    version: int
    quiet_hours: list[QuietHours] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    language_code: str = ""  # that they chose, BCP 47; "" for that of the customer
    time_zone: str = ""  # that they chose; "" for what else is known

    name = PREFERENCES.named("customer_id")
    customer = CUSTOMER.named("customer_id")


@dataclass(slots=True)
class ShownPreferences(Preferences):
    """Preferences, and that their customer wants nothing but what they have of us, by any name."""

    contact_stop: ContactStop | None = None


@dataclass(slots=True)
class SaidPreferences(Preferences):
    """What somebody preferred by one of their names; `since` the names became one, or before."""

    since: bool = False


def preferred(said: Sequence[SaidPreferences]) -> Preferences | None:
    """What holds of what was preferred by all names, the last first: that, and the quiet that any wanted.

    What was said since they are one is the whole of it, but of language and zone it may say nothing.
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
    return Preferences(
        last.customer_id,
        last.channels,
        last.update_time,
        version,
        quiet_hours,
        pauses,
        language_code=next((each.language_code for each in said if each.language_code), ""),
        time_zone=next((each.time_zone for each in said if each.time_zone), ""),
    )
