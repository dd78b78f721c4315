"""Consent and preferences, and the one question a sender asks: may I, and where."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, TypedDict
from uuid import UUID

from chassis.errors import FailedPrecondition
from chassis.facts import Decision, Outcome
from customer.domain.identifiers import Identifier, IdentifierType, Quality
from customer.domain.purposes import Default
from customer.domain.quiet import Pause, Quiet, QuietHours
from customer.domain.timeline import Channel
from customer.names import CONSENT, CUSTOMER, PREFERENCES, PURPOSE

CLOCKS_DIFFER = timedelta(minutes=1)  # by how much a time may be ahead of ours


class ConsentState(StrEnum):
    """What the customer said. Before they say anything the purpose's default holds."""

    GRANTED = "GRANTED"
    DENIED = "DENIED"


_CONSENT, _ADDRESS, _QUIET = "consent", "address", "quiet"  # the steps of whether somebody may be contacted
URGENT = "urgent"

# The channels by how consents are named after them.
CHANNEL_IDS = {
    channel.lower().replace("_", "-"): channel for channel in Channel if channel is not Channel.UNSPECIFIED
}

# The handles by which a channel reaches somebody.
REACHED_BY = {
    Channel.EMAIL: IdentifierType.EMAIL,
    Channel.SMS: IdentifierType.PHONE,
    Channel.VOICE: IdentifierType.PHONE,
    Channel.FAX: IdentifierType.FAX,
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
        return f"services/{who}" if role == "service" else f"agents/{who}"


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for one purpose: its default, and what the customer said on one channel, if anything."""

    contact_default: Default
    channel: str | None
    state: ConsentState | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where to send, or why not to: `consent-denied`, `no-address`, `quiet-hours` or `paused`.

    What is not allowed for the hour alone is allowed from `open_time` on, if that is ever. `decisions` are
    the steps by which that was found.
    """

    allowed: bool
    decisions: list[Decision]
    reason_code: str = ""
    channel: Channel = Channel.UNSPECIFIED
    address: str = ""
    open_time: datetime | None = None

    def unless(self, quiet: Quiet | None, inputs: dict[str, str]) -> "Contact":
        """What may be done in such quiet, found by `inputs`. What is not allowed at all stays so."""
        if not self.allowed:
            return self
        if quiet is None:
            return replace(self, decisions=[*self.decisions, Decision(_QUIET, Outcome.PASSED, inputs=inputs)])
        outcome = Outcome.DEFERRED if quiet.until else Outcome.STOPPED
        if quiet.until:
            inputs = inputs | {"open_time": quiet.until.isoformat()}
        step = Decision(_QUIET, outcome, quiet.reason_code, inputs)
        return Contact(False, [*self.decisions, step], quiet.reason_code, open_time=quiet.until)

    def past_quiet(self) -> "Contact":
        """What is urgent: no quiet keeps it."""
        step = Decision(_QUIET, Outcome.PASSED, URGENT)
        return replace(self, decisions=[*self.decisions, step]) if self.allowed else self


def choose_contact(
    standings: Sequence[Standing],
    offered: Sequence[Channel],
    preferred: Sequence[str],
    identifiers: Sequence[Identifier],
) -> Contact:
    """The first channel that the customer allows and can be reached on.

    Channels the customer prefers come first, in their order; then the rest of `offered`, best first. A
    customer who never said is taken to prefer e-mail.
    """
    said = {standing.channel: standing.state for standing in standings}
    default = standings[0].contact_default
    wishes = list(preferred) or [Channel.EMAIL]
    ranked = sorted(offered, key=lambda channel: wishes.index(channel) if channel in wishes else len(wishes))
    granted = {None: default is Default.ALLOWED, ConsentState.GRANTED: True, ConsentState.DENIED: False}
    permitted = [channel for channel in ranked if granted[said.get(channel)]]
    inputs = {"default": default.lower()} | {
        channel.lower(): (said.get(channel) or "unsaid").lower() for channel in ranked
    }
    if not permitted:
        return _stopped(Decision(_CONSENT, Outcome.STOPPED, "consent-denied", inputs))
    consent = Decision(_CONSENT, Outcome.PASSED, inputs=inputs)
    for channel in permitted:
        address = _address(channel, identifiers)
        if address:
            found = Decision(_ADDRESS, Outcome.PASSED, inputs={"channel": channel.lower()})
            return Contact(True, [consent, found], channel=channel, address=address)
    tried = {"channels": " ".join(channel.lower() for channel in permitted)}
    return _stopped(consent, Decision(_ADDRESS, Outcome.STOPPED, "no-address", tried))


def _stopped(*decisions: Decision) -> Contact:
    return Contact(False, [*decisions], decisions[-1].reason_code)


def _address(channel: Channel, identifiers: Sequence[Identifier]) -> str:
    """The best address on a channel: valid before possible, then the one we have had longest."""
    kind = REACHED_BY.get(channel)
    known = [i for i in identifiers if i.type == kind and i.normalized_value and not i.unreachable_time]
    best = min(known, key=lambda i: (i.quality != Quality.VALID, i.create_time, i.id), default=None)
    if best is None:
        return ""
    return (
        best.value.strip() if best.type == IdentifierType.EMAIL else best.normalized_value.partition(";")[0]
    )
