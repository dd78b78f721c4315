"""What waits for a person, as they see it: pure functions of what is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from desk.language.catalogues import N_
from desk.store.tables import Received, State

PAYLOAD_MAX = 2000  # of what cannot be understood
WHY: Mapping[str, str] = {
    "identifier-shared": N_("Several customers have this number. Whose is it?"),
    "identifiers-differ": N_("What it says belongs to several customers. Whose is it?"),
    "no-identifier": N_("Nothing in it says who it is."),
    "identifier-unusable": N_("Nobody can be looked for by that: perhaps its country's code is missing."),
    "unknown-customer": N_("Nobody has this address or number."),
    "customer-not-found": N_("The customer that the sender names is not there."),
    "source-gone": N_("Its sender is no longer set up."),
    "gave-up": N_("It could not be recorded for too long."),
    "not-understood": N_("It cannot be understood."),
}


@dataclass(frozen=True)
class Item:
    """One thing to decide.

    Attributes:
        id: what it is known by.
        kind, source: what it is and who sent it.
        time: since when it is here.
        code: why a person has to decide.
        why: the same, in words.
        problems: what cannot be understood, by field.
        words: what it says, or the beginning of what came.
        choices: customers who may be meant, and what they are called.
        may_choose: whether it can be read, so that only whose it is has to be said.
    """

    id: str
    kind: str
    source: str
    time: datetime
    code: str
    why: str
    problems: tuple[str, ...]
    words: str
    choices: tuple[tuple[str, str], ...]
    may_choose: bool


def item(received: Received, payload: bytes, names: Mapping[str, str], found: Iterable[str] = ()) -> Item:
    """One thing to decide.

    Args:
        received: as it is stored.
        payload: the first that came.
        names: what customers are called.
        found: further customers whom somebody looked for.
    """
    candidates = dict.fromkeys([*received.candidates, *found])
    return Item(
        id=str(received.id),
        kind=received.kind,
        source=received.source,
        time=received.receive_time,
        code=received.reason_code,
        why=WHY.get(received.reason_code, received.reason_code),
        problems=tuple(received.problems),
        words=received.words or payload[:PAYLOAD_MAX].decode(errors="replace"),
        choices=tuple((each, names[each]) for each in candidates if each in names),
        may_choose=received.state is State.WAITING,
    )
