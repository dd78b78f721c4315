"""What people decide of customers who may be one."""

from uuid import UUID

from chassis.api.entities import found, write
from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from customer.domain.matches import (
    ACCEPTED,
    GONE,
    ONE_ALREADY,
    MatchCandidate,
    MatchState,
    said_to_be_two,
)
from customer.names import MATCH_CANDIDATE
from customer.store import matches as store
from customer.usecases.hot_views import HotViews
from customer.usecases.match_decisions import People, people_of, said_two, say_two, tell
from customer.usecases.match_links import link
from customer.usecases.match_records import load
from customer.usecases.match_step import Matcher
from customer.usecases.merges import decide_alone, merge_of, undo_merge

TAKEN_BACK = "accepted-by-mistake"


async def accept_match(
    tx: Transaction, hot: HotViews, *, match_candidate_id: UUID, etag: str, survivor_id: UUID | None
) -> MatchCandidate:
    """Link the two, of whom one goes on; close it when that is so already, or one is no more.

    NotFound; Aborted ETAG_MISMATCH; FailedPrecondition MATCH_DECIDED, MATCH_REJECTED.
    """
    candidate = await _locked(tx, match_candidate_id, etag)
    candidate.require_pending()
    if survivor_id not in (None, *candidate.pair):
        allowed = f"must be {candidate.first_customer} or {candidate.other_customer}"
        raise invalid("survivor", "INVALID_NAME", allowed)
    if (people := await _two(tx, candidate)) is None:
        return candidate
    if said := await said_two(tx, people):
        raise said_to_be_two(said)
    survivor = survivor_id or candidate.customer_id
    (merged,) = set(candidate.pair) - {survivor}
    await link(tx, hot, survivor, merged)
    return await _decide(tx, candidate, MatchState.LINKED, ACCEPTED)


async def reject_match(
    tx: Transaction, *, match_candidate_id: UUID, etag: str, reason_code: str, comment: str
) -> MatchCandidate:
    """Keep for ever that the two are two, under all names of both; or close it, as `accept_match`."""
    candidate = await _locked(tx, match_candidate_id, etag)
    candidate.require_pending()
    tx.because(reason_code)
    if (people := await _two(tx, candidate)) is None:
        return candidate
    return await say_two(tx, candidate.pair, people, reason_code=reason_code, comment=comment)


async def reopen_match(
    tx: Transaction, hot: HotViews, matcher: Matcher, *, match_candidate_id: UUID, etag: str
) -> MatchCandidate:
    """Ask again about two of whom somebody said that they are two, as they are now.

    Or about two whom the caller accepted: they are taken apart first. NotFound; Aborted ETAG_MISMATCH;
    FailedPrecondition MATCH_NOT_REOPENABLE.
    """
    candidate = await _locked(tx, match_candidate_id, etag)
    if candidate.accepted_by(tx.call.principal.subject):
        merge = await merge_of(tx, candidate.pair)
        await undo_merge(tx, hot, customer_merge_id=merge.id, reason_code=TAKEN_BACK, etag="")
        candidate = await _locked(tx, match_candidate_id, "")
    candidate.require_reopenable()
    if await _two(tx, candidate) is None:
        return candidate
    known = await load(tx, candidate.pair)
    judge = await matcher.judge(tx)
    a, b = (known[each] for each in candidate.pair)
    candidate.ask_again()
    if weighed := judge.weigh(a, b):
        candidate.score(weighed, judge.parameters_id, tx.now)
    return await _decide(tx, candidate, MatchState.PENDING, "")


async def _locked(tx: Transaction, candidate_id: UUID, etag: str) -> MatchCandidate:
    await decide_alone(tx)
    return await found(tx, MATCH_CANDIDATE, store.LOCKED_CANDIDATE, candidate_id, etag=etag)


async def _two(tx: Transaction, candidate: MatchCandidate) -> People | None:
    """The names of each of the two; None of those who are one or no more: then nobody need decide."""
    if len(await load(tx, candidate.pair)) < 2:
        await _decide(tx, candidate, MatchState.CLOSED, GONE)
        return None
    groups = await groups_of(tx, candidate.pair)
    if len(groups.members) < 2:
        await _decide(tx, candidate, MatchState.CLOSED, ONE_ALREADY)
        return None
    return people_of(candidate.pair, groups.whose)


async def _decide(
    tx: Transaction, candidate: MatchCandidate, state: MatchState, reason_code: str, comment: str = ""
) -> MatchCandidate:
    candidate.become(state, tx.call.principal.subject if reason_code else "", reason_code, tx.now, comment)
    tell(tx, candidate)
    await write(tx, store.SAVE_CANDIDATE, candidate)
    return candidate
