"""A notice, its delivery, and the attempts at it.

    REQUESTED --handed over--> SENDING --accepted--> SENT
        |        ^                |                 |--reported delivered----> DELIVERED
        |        |                |                 `--reported undelivered--> FAILED, from DELIVERED too
        |        |                |------refused---> FAILED
        |        `-----later------|------no answer-> UNKNOWN, or REQUESTED for a repeat
        |--the customer wants quiet----------------> REQUESTED, deferred until that is over
        |--forbidden, no longer true, taken back---> SUPPRESSED
        |--expired---------------------------------> SUPPRESSED, or FAILED when it was tried
        `<--another channel-- SENT that came back, or of which nobody reports that it arrived

What may have been accepted is never said to be suppressed or failed: it ends UNKNOWN, until the answer comes.
What was accepted on one channel stays SENT whatever comes of another, until it is reported that it came back.
Known not to have been, it is wanted again, unless something newer is. In doubt it is not revised: a newer
date gets a notice of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from chassis.facts import Decision
from notifications.domain.decisions import kept
from notifications.domain.reasons import Reason
from notifications.domain.strategy import DeliveryStrategy
from notifications.domain.template import Text
from notifications.names import NOTICE, POLICY, TEMPLATE


class State(StrEnum):
    """Where a notice is."""

    REQUESTED = "REQUESTED"
    SENDING = "SENDING"
    SENT = "SENT"
    SUPPRESSED = "SUPPRESSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"  # handed over, and the answer was lost: told or not, nobody knows
    DELIVERED = "DELIVERED"  # as its provider reports


class Concern(StrEnum):
    """What a policy's notice tells of a promise."""

    NONE = ""  # a department's notice, about whatever it says
    AT_RISK = "AT_RISK"
    RECOVERED = "RECOVERED"


@dataclass(slots=True)
class Notice:
    """One proactive message to one customer about one thing."""

    id: UUID
    customer: str
    kind: str
    purpose: str  # what the contact is for, `purposes/{purpose}`
    template_id: str
    variables: dict[str, str]  # what the sender gave for the template: `reason` is a code, dates are RFC 3339
    promise: str
    case: str
    expire_time: datetime
    create_time: datetime
    update_time: datetime  # when it was last kept
    request_event: UUID  # the id of its latest NoticeRequested event, to which what becomes of it points back
    # With policy_version: the rule that asked for it; "" and 0 when a department did.
    notice_policy_id: str = ""
    policy_version: int = 0
    promise_version: int = 0  # the promise's version that it tells of; 0 when a department asked
    # What a policy tells of the promise: one unended for each promise, customer and concern.
    concern: Concern = Concern.NONE
    department: str = ""  # who asked, or whose promise a policy tells of; may be empty
    # With time_zone: by when the promise is due; where its days are days, "" when it is of a moment.
    due_time: datetime | None = None
    time_zone: str = ""
    heard_version: int = 0  # the highest version of the promise that was heard of: what it tells of, or later
    # With said_version and said_revision: the variables, the promise's version and the revision that were
    # handed over last; empty and 0 when none were.
    said: dict[str, str] = field(default_factory=dict)
    said_version: int = 0
    said_revision: int = 0
    # Whether the customer may have been told something newer of the promise, so that this does not count.
    superseded: bool = False
    state: State = State.REQUESTED
    reason_code: str = ""
    # With language_code and text_version: how it was handed over last, and in which text.
    channel: str = "UNSPECIFIED"
    language_code: str = ""
    text_version: int = 0
    content_hash: str = ""
    send_time: datetime | None = None
    revision: int = 0  # how often a newer fact replaced what it says before it was sent
    attempt_count: int = 0  # to hand it over: what was deferred or forbidden before that is none
    in_doubt: bool = False  # whether an attempt may have been accepted without our knowing
    version: int = 1  # of the row
    urgent: bool = False  # whether it is sent when the customer wants quiet, too
    # With defer_reason_code: until when the customer wants quiet, while it waits for that to be over.
    defer_time: datetime | None = None
    defer_reason_code: str = ""
    # How it was decided whether to send it, the latest last: see `decide`.
    decisions: list[Decision] = field(default_factory=list)
    # The number of its latest attempt: they count what was deferred, too. 0 in rows of before it was kept.
    latest_number: int = 0
    text_partials: list[str] = field(default_factory=list)  # the versions in what was handed over last
    subject: str = ""  # with trigger_event: what a policy on any event tells of, and that event
    trigger_event: UUID | None = None  # of a customer's date what stands for it, and no subject
    schedule_time: datetime | None = None  # from when on it is sent; None is at once
    # With send_hour: the day, or the moment on whose day, RFC 3339, or so many days after it, it is sent.
    send_on: str = ""
    day_offset: int = 0
    send_hour: int = 0
    years: int | None = None  # after that day, of what is told each year; None of what is told once
    deliver_time: datetime | None = None  # as its provider reports; None before, and when it was not
    # When the customer first turned to us after it was sent: about anything, and about the same thing.
    inbound_time: datetime | None = None
    subject_inbound_time: datetime | None = None
    call_by_time: datetime | None = None  # until when it waits for a person to call first, if it does
    call_outcome_code: str = ""  # what came of that, if anything did before
    category: str = ""  # of its purpose, as the customer service had it when it was handed over last
    delivery: DeliveryStrategy | None = None  # by which channels; None: as the customer prefers
    spent: dict[str, str] = field(default_factory=dict)  # the channels where it came to nothing, and why
    rank: int = 1  # as `domain.rank` has it
    waits_for: str = ""  # the id of the provider for which it waits, while it is deferred for that

    name = NOTICE.named("id")
    template = TEMPLATE.named("template_id")
    notice_policy = POLICY.named("notice_policy_id")  # or empty

    @property
    def ended(self) -> bool:
        """Whether nothing more will be tried."""
        return self.state not in (State.REQUESTED, State.SENDING)

    @property
    def latest_attempt(self) -> int:
        """The number of its latest attempt; 0 before there is one."""
        return max(self.latest_number, self.attempt_count)

    @property
    def waits(self) -> bool:
        """Whether it is to be sent, and not being sent."""
        return self.state == State.REQUESTED

    @property
    def withdrawn(self) -> bool:
        """Whether it came to be untrue after it was handed over, so that no more is tried than was.

        Of a promise's its owner is asked: it may be true again.
        """
        if self.state == State.UNKNOWN:
            return self.reason_code in (Reason.SUPERSEDED, Reason.CAUSE_GONE)
        return self.state == State.SENDING and bool(self.reason_code)

    @property
    def told(self) -> bool:
        """Whether a provider is known to have accepted it, and not to have failed with it."""
        return self.state in (State.SENT, State.DELIVERED)

    @property
    def bounced(self) -> bool:
        """Whether its provider reported that it was not delivered: whatever is heard later, it is over."""
        return self.state == State.FAILED and self.reason_code == Reason.BOUNCED

    @property
    def accepted_on(self) -> str:
        """The channel from which it went on: accepted there, and nobody reports that it arrived. Or ""."""
        return next((channel for channel, why in self.spent.items() if why == Reason.NOT_DELIVERED), "")

    @property
    def may_have_arrived(self) -> bool:
        """Whether the customer was told, is being told, or may have been: not known to be untold."""
        return self.in_doubt or self.told or self.state in (State.SENDING, State.UNKNOWN)

    def begin(self, attempt: int, channel: str, text: Text, partials: Sequence[str] = ()) -> None:
        """It is about to be handed over."""
        self.channel, self.language_code, self.text_version = channel, text.language_code, text.version
        self.text_partials = [*partials]
        self.wait_no_longer()
        self.state, self.said, self.said_version = State.SENDING, self.variables, self.promise_version
        self.said_revision = self.revision
        self.tried(attempt)

    def accept(self, at: datetime, content_hash: str) -> None:
        """A provider accepted at `at` what was handed over, which may be older than what it was to say."""
        self.content_hash, self.send_time = content_hash, at
        self._end(State.SENT, "")

    def deliver(self, at: datetime) -> None:
        """Its provider reports that it arrived."""
        if self.state == State.SENT:
            self.deliver_time = at
            self._end(State.DELIVERED, "")

    def bounce(self) -> None:
        """Its provider reports that it did not arrive and never will, whatever its answer was."""
        if not self.bounced:
            self.deliver_time = None
            self._end(State.FAILED, Reason.OUTCOME_UNKNOWN if self.in_doubt else Reason.BOUNCED)

    def tried(self, attempt: int) -> None:
        """An attempt of that number was made."""
        if attempt > self.latest_attempt:
            self.latest_number = attempt
            self.attempt_count += 1
            self.version += 1

    def postpone(self, *, replaced: bool = False) -> None:
        """The attempt came to nothing that lasts: wanted again, unless it was withdrawn meanwhile.

        It is `replaced` when another notice tells, or has told, the customer something newer of the promise.
        """
        if self.state not in (State.SENDING, State.UNKNOWN):
            return
        if self.withdrawn:
            self._end(State.SUPPRESSED, self.reason_code)
        elif self.in_doubt and self.variables != self.said:
            self._end(State.UNKNOWN, Reason.OUTCOME_UNKNOWN)
        elif replaced:
            self._end(State.SUPPRESSED, Reason.ALREADY_TOLD)
        else:  # also what a promise's news withdrew meanwhile
            self.state, self.reason_code = State.REQUESTED, ""
            self.version += 1

    def want_again(self, spent_channel: str, why: Reason) -> None:
        """It came to nothing on a channel: wanted again, on another."""
        self.wait_no_longer()
        self.spent, self.deliver_time = self.spent | {spent_channel: why}, None
        self.state, self.reason_code = State.REQUESTED, ""
        self.send_time = self.send_time if self.accepted_on else None
        self.version += 1

    def defer(self, until: datetime, why: Reason, waits_for: str = "") -> None:
        """Until then the customer wants quiet, or its provider is away. Nothing for one that ended."""
        if self.waits and (self.defer_time, self.defer_reason_code) != (until, why):
            self.defer_time, self.defer_reason_code, self.waits_for = until, why, waits_for
            self.version += 1

    def decide(self, steps: Sequence[Decision]) -> None:
        """Keep how it was decided."""
        self.decisions = kept(self.decisions, steps)

    def give_up(self, state: State, why: Reason) -> None:
        """Nothing more is tried: SUPPRESSED, FAILED or UNKNOWN, for a reason."""
        withdrawn = self.withdrawn
        if not self.ended or (self.state == State.UNKNOWN and not self.in_doubt):
            self._end(State.SUPPRESSED if withdrawn else state, self.reason_code if withdrawn else why)

    def take_back(self) -> None:
        """Who asked wants it no more; of a promise that has a say. FailedPrecondition NOTICE_UNDER_WAY."""
        if self.concern != Concern.NONE or not self.waits or self.in_doubt or self.accepted_on:
            told = "Only a notice that is not handed over, and tells no promise's date, can be taken back."
            raise FailedPrecondition("NOTICE_UNDER_WAY", told, {"resource": self.name})
        self.suppress(Reason.TAKEN_BACK)

    def suppress(self, why: Reason) -> None:
        """Not to be sent."""
        self._end(State.SUPPRESSED, why)

    def revise(self, variables: dict[str, str], expire_time: datetime, promise_version: int) -> None:
        """Say something newer instead. For a notice that waits and is not in doubt, or is under way."""
        self.variables, self.expire_time, self.promise_version = variables, expire_time, promise_version
        self.heard_version = max(self.heard_version, promise_version)
        self.reason_code = ""  # it is true again
        self.wait_no_longer()
        # To say again what was handed over is a repeat, with its Message-ID; nothing else left in between.
        self.revision = self.said_revision if variables == self.said else self.revision + 1
        self.version += 1

    def withdraw(self, why: Reason) -> None:
        """What it says is no longer true. What was handed over cannot be called back, but is the last."""
        if self.state == State.REQUESTED:
            self.suppress(why)
        elif self.state in (State.SENDING, State.UNKNOWN):
            self.reason_code = why
            self.version += 1

    def count(self, superseded: bool) -> None:
        """What it told counts, or no longer does."""
        self.superseded = superseded
        self.version += 1

    def wait_no_longer(self) -> None:
        """What it was deferred for is over, or it was tried in vain since."""
        self.defer_time, self.defer_reason_code, self.waits_for = None, "", ""

    def _end(self, state: State, reason_code: str) -> None:
        self.wait_no_longer()
        self.state, self.reason_code = state, reason_code
        if not self.told and (accepted_on := self.accepted_on):
            self.state, self.reason_code, self.channel = State.SENT, "", accepted_on
        elif not self.told and self.in_doubt:
            self.state = State.UNKNOWN
        if self.may_have_arrived:
            self.variables, self.promise_version = self.said, self.said_version
        self.version += 1
