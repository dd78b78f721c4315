"""What people decide while customers are compared, and the other way about: who waits sees what was decided.

Each test holds one transaction open at the point that its name says, lets another come to it, and goes on.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from chassis.context import Call, Principal, acting
from chassis.db.statement import Statement
from chassis.errors import FailedPrecondition
from customer.domain.matches import MatchCandidate, MatchState
from customer.jobs.matching import Matching
from customer.names import CUSTOMER, MATCH_CANDIDATE
from customer.store import matches as store
from customer.usecases.hot_views import HotViews
from customer.usecases.identifiers import update_identifier
from customer.usecases.match_records import load
from customer.usecases.match_step import Matcher
from customer.usecases.matches import accept_match, reject_match
from customer.usecases.merges import merge_customers
from rapport.customer.v1 import customer_service_pb2
from rapport.customer.v1.customer_pb2 import Customer, Person

CANDIDATES = Statement(sa.select(store.MATCH_CANDIDATES), row=MatchCandidate)


class Pair:
    """Two customers who may be one, and replicas that compare when a test says so."""

    def __init__(self, matches: Any, unheard: HotViews, waits: Any) -> None:
        self.desk, self.db, self.learn = matches.desk, matches.desk.running.db, matches.learn
        self.unheard, self.waits = unheard, waits
        self.matcher = Matcher(unheard, link_probability=0.99, ask_probability=0.1)
        self.one = self.other = ""
        self.phones: list[str] = []

    async def begin(self) -> None:
        """Two who are called the same, with one birthday and one phone number, and are asked about."""
        for _ in range(2):
            person = Person(
                given_name="Anna", family_name="Keller", birth_date=Date(year=1984, month=4, day=12)
            )
            made = await self.desk.create(self.desk.phone("+49 30 901820"), person=person)
            self.one, self.other = self.other, made.name
            self.phones.append(made.identifiers[0].name)
        await self.compare()

    async def compare(self) -> None:
        """Have everybody who changed compared."""
        while await self.replica().once():
            pass

    def replica(self) -> Matching:
        """A replica's matching."""
        return Matching(self.db, Matcher(self.unheard, link_probability=0.99, ask_probability=0.1))

    async def candidate(self) -> MatchCandidate:
        """The candidate of both."""
        pair = {*CUSTOMER.ids(self.one), *CUSTOMER.ids(self.other)}
        (found,) = [each for each in await CANDIDATES.all(self.db) if set(each.pair) == pair]
        return found

    async def touch(self) -> None:
        """Have one of them be called nearly as before, and so be compared anew."""
        changed = Customer(name=self.one, person=Person(given_name="Anne"))
        mask = FieldMask(paths=["person.given_name"])
        request = customer_service_pb2.UpdateCustomerRequest(customer=changed, update_mask=mask)
        await self.desk.customers.UpdateCustomer(request)

    async def merges(self) -> int:
        """How many merges there are."""
        async with self.db.connection() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM customer_merges"))

    async def accept(self, tx: Any) -> MatchCandidate:
        """Say that they are one."""
        (candidate_id,) = MATCH_CANDIDATE.ids((await self.candidate()).name)
        said = {"match_candidate_id": candidate_id, "etag": "", "survivor_id": None}
        return await accept_match(tx, self.unheard, **said)  # type: ignore[arg-type]

    async def reject(self, tx: Any) -> MatchCandidate:
        """Say that they are two."""
        (candidate_id,) = MATCH_CANDIDATE.ids((await self.candidate()).name)
        return await reject_match(
            tx, match_candidate_id=candidate_id, etag="", reason_code="twins", comment=""
        )

    async def merge(self, tx: Any, survivor: str = "") -> Any:
        """Merge the second into the first, or into somebody else, by hand."""
        (survivor_id,), (merged_id,) = CUSTOMER.ids(survivor or self.one), CUSTOMER.ids(self.other)
        said = {"survivor_id": survivor_id, "merged_id": merged_id, "reason_code": "same"}
        return await merge_customers(tx, self.unheard, **said)  # type: ignore[arg-type]

    async def match(self, tx: Any) -> Any:
        """Compare both, as the step of a replica."""
        await store.LOCK.run(tx)
        return await self.matcher.match(tx, {*CUSTOMER.ids(self.one), *CUSTOMER.ids(self.other)})

    async def share(self, tx: Any, phone: str) -> Any:
        """Have a number be known as shared."""
        customer_id, identifier_id = (UUID(part) for part in phone.split("/")[1::2])
        said = {"customer_id": customer_id, "identifier_id": identifier_id, "etag": ""}
        return await update_identifier(tx, changes={"shared": True}, **said)  # type: ignore[arg-type]

    async def do(self, what: Callable[[Any], Any]) -> Any:
        """In a transaction of its own."""
        async with self.db.transaction() as tx:
            return await what(tx)

    async def held(self, first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Any:
        """Do the first, and the second, which waits for it, before it commits. Returns the second's."""
        async with self.db.transaction() as tx:
            await first(tx)
            other = asyncio.ensure_future(self.do(second))
            await self.waits(tx)
        return await other


@pytest.fixture(autouse=True)
def nobody_else_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: Matching) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Matching, "run", never)


@pytest.fixture
async def pair(nobody_else_compares: None, matches: Any, unheard: HotViews, waits: Any) -> Any:
    found = Pair(matches, unheard, waits)
    await found.begin()
    with acting(Call("test", Principal("agent:alice"))):
        yield found


async def test_of_two_replicas_that_compare_a_pair_at_once_one_does_and_the_other_finds_nothing_new(
    pair: Pair,
) -> None:
    await pair.touch()
    async with pair.db.transaction() as tx:
        await pair.match(tx)
        other = asyncio.ensure_future(pair.replica().once())
        await pair.waits(tx)  # in line, with what it has read from the queue
    compared = await pair.candidate()
    assert await other
    assert not await store.QUEUED.all(pair.db, limit=1)
    assert await pair.candidate() == compared
    assert len(await pair.desk.facts("MatchCandidateCreated")) == 1


async def test_rejected_while_an_acceptance_is_about_to_commit_is_refused_and_they_are_one(
    pair: Pair,
) -> None:
    with pytest.raises(FailedPrecondition, match=r"agent:alice decided this"):
        await pair.held(pair.accept, pair.reject)
    assert (await pair.candidate()).state is MatchState.LINKED
    assert await pair.merges() == 1


async def test_accepted_while_a_rejection_is_about_to_commit_is_refused_and_nobody_is_merged(
    pair: Pair,
) -> None:
    with pytest.raises(FailedPrecondition, match=r"agent:alice decided this"):
        await pair.held(pair.reject, pair.accept)
    assert (await pair.candidate()).state is MatchState.REJECTED
    assert await pair.merges() == 0


async def test_accepted_while_both_are_merged_by_hand_is_closed_and_there_is_one_merge(pair: Pair) -> None:
    accepted = await pair.held(pair.merge, pair.accept)
    assert (accepted.state, accepted.reason_code) == (MatchState.CLOSED, "one-already")
    assert await pair.merges() == 1


async def test_accepted_while_one_is_merged_into_somebody_else_makes_one_of_all_three(pair: Pair) -> None:
    third = (await pair.desk.create(person=Person(given_name="Ines", family_name="Sommer"))).name
    accepted = await pair.held(partial(pair.merge, survivor=third), pair.accept)
    assert accepted.state is MatchState.LINKED
    assert len({(await pair.desk.get(name)).name for name in (pair.one, pair.other, third)}) == 1


async def test_merged_by_hand_while_an_acceptance_is_about_to_commit_is_refused(
    pair: Pair, refused: Any
) -> None:
    async with pair.db.transaction() as tx:
        await pair.accept(tx)
        merging = asyncio.ensure_future(pair.desk.merge(pair.one, pair.other))
        await pair.waits(tx)
    assert await refused(merging) == "ALREADY_EXISTS MERGED_ALREADY"
    assert await pair.merges() == 1


async def test_compared_while_a_rejection_is_about_to_commit_links_nobody(pair: Pair) -> None:
    await pair.learn()
    await pair.touch()
    await pair.held(pair.reject, pair.match)
    assert (await pair.candidate()).state is MatchState.REJECTED
    assert await pair.merges() == 0


async def test_rejected_while_a_link_by_itself_is_about_to_commit_is_refused_and_says_by_whom(
    pair: Pair,
) -> None:
    await pair.learn()
    await pair.touch()
    with pytest.raises(FailedPrecondition, match="decided this"):
        await pair.held(pair.match, pair.reject)
    assert (await pair.candidate()).state is MatchState.LINKED
    assert await pair.merges() == 1


async def as_they_are(pair: Pair) -> int:
    """What both weigh by what is known of them now, in thousandths of a bit."""
    async with pair.db.transaction() as tx:
        known = await load(tx, (await pair.candidate()).pair)
        weighed = (await pair.matcher.judge(tx)).weigh(*known.values())
    assert weighed
    return round(weighed.bits * 1000)


async def test_shared_while_a_comparison_is_about_to_commit_is_compared_again(pair: Pair) -> None:
    await pair.touch()
    async with pair.db.transaction() as tx:
        await pair.match(tx)  # has read that the number is nobody else's
        for phone in pair.phones:
            await pair.do(partial(pair.share, phone=phone))
    before = (await pair.candidate()).weight_millibits
    assert before > await as_they_are(pair)
    await pair.compare()
    assert (await pair.candidate()).weight_millibits == await as_they_are(pair)


async def test_compared_while_a_number_is_about_to_be_shared_is_compared_again_when_it_is(pair: Pair) -> None:
    await pair.touch()
    async with pair.db.transaction() as tx:
        for phone in pair.phones:
            await pair.share(tx, phone)
        await pair.compare()
    before = (await pair.candidate()).weight_millibits
    assert before > await as_they_are(pair)
    await pair.compare()
    assert (await pair.candidate()).weight_millibits == await as_they_are(pair)
