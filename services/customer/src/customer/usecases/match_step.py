"""Comparing some customers with all others: candidates found, scored anew or closed, and links made."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, log2
from uuid import UUID

from prometheus_client import Counter

from chassis import ids
from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from chassis.errors import Refusal
from customer.domain.match_board import Board, Step
from customer.domain.matches import LINK_REFUSED, Judge, MatchState, Pair, pair_of
from customer.names import CUSTOMER
from customer.store import matches as store
from customer.usecases.hot_views import HotViews
from customer.usecases.match_decisions import tell
from customer.usecases.match_links import link, lock_for_links, reached
from customer.usecases.match_records import index, load, partners
from customer.usecases.merges import decide_alone
from rapport_identity.parameters import Parameters

WEIGHED_AT_ONCE = 100
SKIPPED = Counter(
    "rapport_match_skipped_keys", "Looks for customers that were left out, because too many share the key."
)


@dataclass(slots=True)
class Matched:
    """What came of a step: asked of people, linked by itself, looks left out."""

    asked: int = 0
    linked: int = 0
    skipped: int = 0


def bits_of(probability: float) -> float:
    """A probability in bits; 1 is never reached."""
    return log2(probability / (1 - probability)) if probability < 1 else inf


class Matcher:
    """Matches by the parameters in force.

    Args:
        hot: forgets the views of who is linked.
        link_probability: from where on two are linked by themselves.
        ask_probability: from where on a person is asked.
    """

    def __init__(self, hot: HotViews, *, link_probability: float, ask_probability: float) -> None:
        self._hot = hot
        self._bits = {"link_bits": bits_of(link_probability), "ask_bits": bits_of(ask_probability)}
        self._judge: Judge | None = None

    async def judge(self, tx: Transaction) -> Judge:
        """Who weighs by what is in force now."""
        in_force = (await store.IN_FORCE.one(tx))["id"]
        if self._judge is None or self._judge.parameters_id != in_force:
            held = await store.PARAMETERS.one(tx, id=in_force)
            parameters = Parameters.from_json(held.document)
            self._judge = Judge(held.id, parameters, learned=held.learned, **self._bits)
        return self._judge

    async def match(
        self, tx: Transaction, customer_ids: Collection[UUID], *, everybody: bool = False
    ) -> Matched:
        """Compare these customers with all who share a key.

        Those of whom nothing that is compared has changed are left, unless this is a part of comparing
        `everybody`, who all have their keys: then a pair is compared when the first of both is.
        """
        judge = await self.judge(tx)
        indexed = await index(tx, customer_ids)
        anew = indexed.known.keys() if everybody else indexed.changed
        found, skipped = await partners(tx, [indexed.known[each] for each in anew], judge.stop)
        SKIPPED.inc(skipped)
        pairs = {pair_of(*each) for each in found if not everybody or each[0] < each[1]}
        board = Board(judge, Step(tx.now, tx.call.principal.subject, partial(ids.uuid7, tx.now)))
        board.know(indexed.known)
        board.know(await load(tx, {each for pair in pairs for each in pair if not board.has(each)}))
        # Weighed before anybody who merges or decides has to wait for it.
        if not await _weigh(board, sorted(pairs)) and not await _held(tx, customer_ids):
            return Matched(skipped=skipped)

        await decide_alone(tx)  # from here on who is one, and what was said of whom, stays so
        held = await _held(tx, customer_ids)
        pairs |= {pair for pair in held if not anew.isdisjoint(pair)}
        await _put_down(tx, board, {each for pair in pairs | held for each in pair})
        board.review(held)
        board.compare(pairs)
        if fresh := board.fresh:
            await _put_down(tx, board, await reached(tx, fresh))
        causes = await _causes(tx, board, customer_ids)
        if links := board.links():
            await self._link(tx, board, links, causes)
        board.ask_once()
        return Matched(skipped=skipped, **await _write(tx, board, causes))

    async def _link(
        self, tx: Transaction, board: Board, links: Sequence[Pair], causes: Mapping[UUID, UUID]
    ) -> None:
        """Make links, each because of the latest that happened to its customers."""
        await lock_for_links(tx, links)
        call = tx.call
        for pair in links:
            if pair[1] in board.group(pair[0]):
                continue
            tx.act(replace(call, cause_id=_cause(pair, causes) or call.cause_id))
            try:
                await link(tx, self._hot, *pair)
            except Refusal:
                board.hold_back(pair, LINK_REFUSED)
            else:
                board.linked(pair)
        tx.act(call)


async def _weigh(board: Board, pairs: Sequence[Pair]) -> bool:
    """As `Board.weigh`; between some pairs and some more, calls are answered, for thousands take a while."""
    found = False
    for at in range(0, len(pairs), WEIGHED_AT_ONCE):
        found = board.weigh(pairs[at : at + WEIGHED_AT_ONCE]) or found
        await asyncio.sleep(0)
    return found


async def _held(tx: Transaction, customer_ids: Collection[UUID]) -> set[Pair]:
    """Of whom there is a candidate: of these, or of other names of theirs, for they may have been merged."""
    names = (await groups_of(tx, customer_ids)).everybody
    return {each.pair for each in await store.CANDIDATES_OF.all(tx, customer_ids=names)}


async def _put_down(tx: Transaction, board: Board, customer_ids: Iterable[UUID]) -> None:
    """Put down customers, those who are one with them, and the candidates of all of them."""
    groups = await groups_of(tx, customer_ids)
    board.know(await load(tx, {each for each in groups.everybody if not board.has(each)}))
    board.add(groups.members.values(), await store.candidates_among(tx, groups.everybody))


async def _causes(tx: Transaction, board: Board, because_of: Collection[UUID]) -> dict[UUID, UUID]:
    """The latest fact about each of those because of whom something is another now."""
    named = {CUSTOMER.format(each): each for c in board.changed for each in c.pair if each in because_of}
    rows = await store.LATEST_FACTS.all(tx, names=sorted(named)) if named else []
    return {named[row["name"]]: row["id"] for row in rows}


def _cause(pair: Pair, causes: Mapping[UUID, UUID]) -> UUID | None:
    return causes.get(pair[1]) or causes.get(pair[0])


async def _write(tx: Transaction, board: Board, causes: Mapping[UUID, UUID]) -> dict[str, int]:
    """Keep candidates that are another now, and tell what became of them."""
    counts = dict.fromkeys(("asked", "linked"), 0)
    for each in board.changed:
        was = board.before[each.pair]
        if was is not each.state:
            tell(tx, each, is_new=was is None, caused_by=_cause(each.pair, causes))
            counts["asked"] += each.state is MatchState.PENDING
            counts["linked"] += each.state is MatchState.LINKED
    await store.SAVE_CANDIDATES.rows(tx, board.changed)
    return counts
