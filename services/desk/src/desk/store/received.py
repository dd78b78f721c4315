"""What webhooks brought: deliveries as they came, and the contacts that they make up."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class State(StrEnum):
    """What became of a contact."""

    RECEIVED = "RECEIVED"  # it is still to be recorded
    RECORDED = "RECORDED"  # it is on a timeline
    WAITING = "WAITING"  # a person has to say whose it is
    NOT_UNDERSTOOD = "NOT_UNDERSTOOD"
    DROPPED = "DROPPED"  # a person said that it is none


UNDECIDED = (State.WAITING, State.NOT_UNDERSTOOD)


@dataclass(slots=True)
class Received:
    """What becomes one contact on a timeline: a webhook, or all that came about one call.

    Attributes:
        id: made of the source and the sender's id; of a call, of the source and the call's.
        reason_code: why it waits or was not understood; empty otherwise.
        problems: what cannot be understood, by field; never a value.
        candidates: the customers who may be meant, `customers/{uuid}`.
        customer: whose a person said it is, or whose timeline it is on.
        entry: the entry of the timeline.
        words: what it says, for a person who decides. Personal: it goes with the payload.
        caller: who calls, while it rings. Personal, as above.
        ringing: the codes of the agents at whom it rings, or of the one who answered, until it is over.
        answered, over: whether a call was answered, and has ended.
        round: how often it was given to be recorded: by its sender, then by a person.
        decided_by, note: who decided, and why it was dropped.

    """

    id: UUID
    source: str
    kind: str
    receive_time: datetime
    update_time: datetime
    state: State = State.RECEIVED
    reason_code: str = ""
    problems: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)
    customer: str = ""
    entry: str = ""
    words: str = ""
    caller: str = ""
    ringing: list[str] = field(default_factory=list)
    ring_time: datetime | None = None
    answered: bool = False
    over: bool = False
    round: int = 1
    decided_by: str = ""
    note: str = ""

    @property
    def key(self) -> str:
        """What the work of recording it is known by: another with each round, for ended work stays ended."""
        return f"{self.id}.{self.round}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it came.

    Attributes:
        id: made of the source and the sender's id.
        received: what it is part of.
        payload: what of the body is kept; empty when its time is over.

    """

    id: UUID
    received: UUID
    receive_time: datetime
    payload: bytes = field(repr=False)
