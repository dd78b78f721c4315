"""The one question a sender asks: may I, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis.facts import Decision, Outcome
from chassis.names import acted
from customer.domain.consents import ConsentState
from customer.domain.identifiers import Identifier, IdentifierType, Quality
from customer.domain.purposes import Default, LegalBasis
from customer.domain.quiet import Quiet
from customer.domain.suppressions import SUPPRESSED, Suppression
from customer.domain.timeline import Channel

# The steps of whether somebody may be contacted.
_CONSENT, _SUPPRESSION, _ADDRESS, _QUIET = "consent", "suppression", "address", "quiet"
URGENT = "urgent"

# The handles by which a channel reaches somebody.
REACHED_BY = {
    Channel.EMAIL: IdentifierType.EMAIL,
    Channel.SMS: IdentifierType.PHONE,
    Channel.VOICE: IdentifierType.PHONE,
    Channel.FAX: IdentifierType.FAX,
}
# Where it is confirmed by the very address that a channel reaches: of such a yes only addresses count that
# their owner was proved to have, for anybody could have one added afterwards.
PROVED = {Channel.EMAIL: IdentifierType.EMAIL, Channel.SMS: IdentifierType.PHONE}


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for one purpose: its default, and what the customer said on one channel, if anything."""

    contact_default: Default
    channel: str | None
    state: ConsentState | None
    legal_basis: LegalBasis | None = None
    category: str = ""
    essential: bool = False
    confirm_time: datetime | None = None
    stop_time: datetime | None = None  # since when they want nothing but what they have of us
    stop_actor: str | None = None  # and who noted that


@dataclass(frozen=True, slots=True)
class Contact:
    """Where to send, or why not to: `consent-denied`, `suppressed`, `no-address`, `quiet-hours` or `paused`.

    What is not allowed for the hour alone is allowed from `open_time` on, if that is ever. `decisions` are
    the steps by which that was found.
    """

    allowed: bool
    decisions: list[Decision]
    reason_code: str = ""
    channel: Channel = Channel.UNSPECIFIED
    address: str = ""
    identifier: str = ""  # whose address it is, by its name
    open_time: datetime | None = None
    category: str = ""  # of the purpose
    essential: bool = False  # and whether that is of what they have of us
    language_code: str = ""  # in which they are written to, BCP 47
    time_zone: str = ""  # in which they live

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
        return replace(_stopped(*self.decisions, step), open_time=quiet.until)

    def past_quiet(self) -> "Contact":
        """What is urgent: no quiet keeps it."""
        step = Decision(_QUIET, Outcome.PASSED, URGENT)
        return replace(self, decisions=[*self.decisions, step]) if self.allowed else self


def choose_contact(
    standings: Sequence[Standing],
    offered: Sequence[Channel],
    preferred: Sequence[str],
    identifiers: Sequence[Identifier],
    suppressed: Mapping[UUID, Suppression],
    *,
    app_for_everybody: bool = False,
) -> Contact:
    """The first channel that the customer allows and can be reached on, by an identifier not `suppressed`.

    Channels the customer prefers come first, in their order; then the rest of `offered`, best first. A
    customer who never said is taken to prefer e-mail, and the inbox is for who prefers it, unless it is
    `app_for_everybody`. What is essential nobody stops.
    """
    said = {standing.channel: standing.state for standing in standings}
    default = standings[0].contact_default
    wishes = list(preferred) or [Channel.EMAIL]
    ranked = sorted(offered, key=lambda channel: wishes.index(channel) if channel in wishes else len(wishes))
    stopped = None if standings[0].essential else standings[0].stop_time
    granted = {
        None: default is Default.ALLOWED and not stopped,
        ConsentState.GRANTED: True,
        ConsentState.DENIED: False,
    }
    permitted = [channel for channel in ranked if granted[said.get(channel)]]
    inputs = {"default": "stopped" if stopped else default.lower()} | {
        channel.lower(): (said.get(channel) or "unsaid").lower() for channel in ranked
    }
    if stopped:
        inputs["stop_time"] = stopped.isoformat()
        if standings[0].stop_actor:
            inputs["stop_noter"] = acted(standings[0].stop_actor)
    if not permitted:
        return _stopped(Decision(_CONSENT, Outcome.STOPPED, "consent-denied", inputs))
    decisions = [Decision(_CONSENT, Outcome.PASSED, inputs=inputs)]
    tried = {"channels": " ".join(channel.lower() for channel in permitted)}
    confirmed = {each.channel for each in standings if each.confirm_time and each.channel in PROVED}
    kept_from = False
    for channel in permitted:
        if channel is Channel.APP and (app_for_everybody or channel in preferred):
            found = Decision(_ADDRESS, Outcome.PASSED, inputs={"channel": channel.lower()})
            return Contact(True, [*decisions, found], channel=channel)
        known = [
            each for each in _known(channel, identifiers) if each.verify_time or channel not in confirmed
        ]
        free = [each for each in known if each.id not in suppressed]
        if kept := next((suppressed[each.id] for each in known if each.id in suppressed), None):
            outcome, why = (Outcome.PASSED, "") if free else (Outcome.STOPPED, SUPPRESSED)
            about = {"channel": channel.lower()} | kept.inputs
            decisions.append(Decision(_SUPPRESSION, outcome, why, about))
            kept_from = kept_from or not free
        if free:
            found = Decision(_ADDRESS, Outcome.PASSED, inputs={"channel": channel.lower()})
            address, whose = _address(free[0]), free[0].name
            return Contact(True, [*decisions, found], channel=channel, address=address, identifier=whose)
    if kept_from:
        return _stopped(*decisions)
    return _stopped(*decisions, Decision(_ADDRESS, Outcome.STOPPED, "no-address", tried))


def _stopped(*decisions: Decision) -> Contact:
    return Contact(False, [*decisions], decisions[-1].reason_code)


def _known(channel: Channel, identifiers: Sequence[Identifier]) -> list[Identifier]:
    """The addresses on a channel, the best first: valid before possible, then what we have had longest."""
    kind = REACHED_BY.get(channel)
    known = [i for i in identifiers if i.type == kind and i.normalized_value and not i.unreachable_time]
    return sorted(known, key=lambda i: (i.quality != Quality.VALID, i.create_time, i.id))


def _address(best: Identifier) -> str:
    """What is written to, or dialled."""
    if best.type == IdentifierType.EMAIL:
        return best.value.strip()
    return best.normalized_value.partition(";")[0]
