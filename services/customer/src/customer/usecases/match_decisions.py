"""What is decided of customers who may be one: told, and kept when they are two.

Whoever decides about candidates, or keeps new ones, holds the lock of merges, which comes before the rows of
candidates, those of customers, and those of views: so of two who decide at once the second sees what the
first said, and none waits for the other in a circle.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from prometheus_client import Counter

from chassis import ids
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from customer.domain.facts import MatchCandidateCreated, MatchCandidateUpdated
from customer.domain.matches import (
    ACCEPTED,
    TWO,
    MatchCandidate,
    MatchState,
    Pair,
    new_candidate,
)
from customer.store import matches as store

People = tuple[Collection[UUID], Collection[UUID]]  # the names of one, and those of the other
OUTCOMES = Counter(
    "rapport_match_outcomes",
    "What became of two customers who may be one: pending (a person is asked), linked by itself, accepted or "
    "rejected by a person, closed.",
    ["outcome"],
)
for _each in ("pending", "linked", "accepted", "rejected", "closed"):
    OUTCOMES.labels(_each)  # told from the start, so that a first one is seen


def tell(
    tx: Transaction, candidate: MatchCandidate, *, is_new: bool = False, caused_by: UUID | None = None
) -> None:
    """Tell what became of a candidate, and count it if the transaction commits."""
    fact = fact_of(MatchCandidateCreated if is_new else MatchCandidateUpdated, candidate)
    tx.record(fact, version=candidate.version, caused_by=caused_by)
    outcome = ACCEPTED if candidate.reason_code == ACCEPTED else candidate.state.lower()
    tx.after_commit(OUTCOMES.labels(outcome).inc)


async def say_two(
    tx: Transaction,
    pair: Pair,
    people: People,
    *,
    reason_code: str,
    comment: str = "",
    caused_by: UUID | None = None,
) -> MatchCandidate:
    """Keep for ever that two are two, with all who are one with either: of the others nobody is asked.

    Args:
        tx: holds the lock of merges.
        pair: of which it is said.
        people: who they are.
        reason_code: why.
        comment: what is to be known beside it.
        caused_by: the fact that led to it.
    """
    actor = tx.call.principal.subject
    between = {each.pair: each for each in await store.candidates_across(tx, *people)}
    said = between.pop(pair, None)
    if is_new := said is None:
        said = new_candidate(ids.uuid7(tx.now), pair, (await store.IN_FORCE.one(tx))["id"], tx.now)
    said.become(MatchState.REJECTED, actor, reason_code, tx.now, comment)
    others = [each for each in between.values() if each.for_one]
    for each in others:
        each.become(MatchState.CLOSED, actor, TWO, tx.now)
    tell(tx, said, is_new=is_new, caused_by=caused_by)
    for each in others:
        tell(tx, each, caused_by=caused_by)
    await store.SAVE_CANDIDATES.rows(tx, [said, *others])
    return said


async def said_two(
    tx: Transaction, people: tuple[Collection[UUID], Collection[UUID]]
) -> MatchCandidate | None:
    """What somebody said of two people, if that is that they are two."""
    between = await store.candidates_across(tx, *people)
    return next((each for each in between if each.state is MatchState.REJECTED), None)


def people_of(pair: Pair, whose: Mapping[UUID, UUID]) -> People:
    """All names of each of two, of whose each name is."""
    one, other = ([name for name, of in whose.items() if of == whose[each]] for each in pair)
    return one, other
