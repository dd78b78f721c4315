"""The desk's tables, of the entities that they hold."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.db.tables import table

METADATA = sa.MetaData()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in, in one browser.

    Attributes:
        id: made of the secret in the browser's cookie, from which nobody gets back to it.
        subject: who, `agent:alice`.
        display_name: what the identity provider calls them.
        tokens: theirs, encrypted with a key that is made of the same secret.
        revision: how often the tokens were replaced.
        create_time: when they signed in.
        expire_time: when it ends, unless it is used before.
        refresh_until: while somebody gets new tokens, until when nobody else tries.
    """

    id: bytes
    subject: str
    display_name: str
    tokens: bytes = field(repr=False)
    revision: int
    create_time: datetime
    expire_time: datetime
    refresh_until: datetime | None


SESSIONS = table(METADATA, "sessions", Session)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody typed and did not send yet.

    Attributes:
        subject: who, `agent:alice`.
        about: which form of theirs.
        fields: what it holds.
        update_time: when they typed last.
    """

    subject: str
    about: str
    fields: dict[str, Any] = field(repr=False)
    update_time: datetime


DRAFTS = table(METADATA, "drafts", Draft, key=("subject", "about"))


class State(StrEnum):
    """What became of a contact."""

    RECEIVED = "RECEIVED"  # it is still to be recorded
    RECORDED = "RECORDED"  # it is on a timeline
    WAITING = "WAITING"  # a person has to say whose it is
    NOT_UNDERSTOOD = "NOT_UNDERSTOOD"
    DROPPED = "DROPPED"  # a person said that it is none, or nobody decided


UNDECIDED = (State.WAITING, State.NOT_UNDERSTOOD)


@dataclass(slots=True)
class Received:
    """What becomes one contact on a timeline: a webhook, or all that came about one call.

    Attributes:
        id: made of the source and the sender's id; of a call, of the source and the call's.
        reason_code: why it waits or was not understood; empty otherwise.
        problems: what cannot be understood, by field; never a value.
        candidates: the customers who may be meant, `customers/{uuid}`.
        customer: whose a person said it is, or on whose timeline it is, or may be already.
        entry: the entry of the timeline; empty of one whose answer was lost and that was to say more since.
        words: what it says, for a person who decides. Personal: it goes with the payload.
        caller: who calls, while it rings. Personal, as above.
        ringing: the codes of the agents at whom it rings, and of who answered, until it is over.
        talking: of these, who answered.
        forgotten: whether what is personal in it was let go of.
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
    talking: list[str] = field(default_factory=list)
    forgotten: bool = False
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


RECEIVED = table(METADATA, "received", Received)
DELIVERIES = table(METADATA, "deliveries", Delivery)
