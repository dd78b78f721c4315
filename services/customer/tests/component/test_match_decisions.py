"""What people decide of customers who may be one holds, whoever decides or matches at the same time."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from chassis.context import Call, Principal, acting
from chassis.db.migrate import migrate
from chassis.grpc.status import refusal
from customer.domain.matches import pair_of
from customer.jobs import matching
from customer.names import CUSTOMER
from customer.service import service
from customer.usecases.match_decisions import people_of, say_two
from customer.usecases.match_step import Matcher
from customer.usecases.merges import merge_customers
from rapport.customer.v1 import (
    customer_service_pb2,
    match_pb2,
    match_service_pb2_grpc,
)
from rapport.customer.v1 import match_service_pb2 as pb
from rapport_testing.engines.postgres import owner_of
from rapport_testing.running import reason

State = match_pb2.MatchCandidate.State


async def test_who_is_accepted_is_one_under_the_name_that_was_chosen(matches: Any) -> None:
    one = await matches.customer(born="1984-04-12")
    other = await matches.customer(born="1984-04-12")
    accepted = await matches.accept(await matches.only(), survivor=other)
    assert (accepted.state, accepted.reason_code) == (State.STATE_LINKED, "accepted")
    read = customer_service_pb2.GetCustomerRequest(name=one)
    assert (await matches.desk.customers.GetCustomer(read)).name == other
    assert len(await matches.listed(customer=one)) == 1


async def test_a_third_cannot_survive(matches: Any, refused: Callable[..., Any]) -> None:
    await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    third = await matches.customer(given="Ines", family="Sommer")
    accepting = matches.accept(await matches.only(), survivor=third)
    assert await refused(accepting) == "INVALID_ARGUMENT INVALID_NAME"


async def test_a_link_that_was_taken_back_is_remembered_at_once_and_not_made_again(matches: Any) -> None:
    await matches.learn()
    one = await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    linked = await matches.only(State.STATE_LINKED)
    (merge,) = await matches.merges()
    await matches.desk.undo(merge)
    request = pb.GetMatchCandidateRequest(name=linked.name)
    said = await matches.service.GetMatchCandidate(request)
    assert (said.state, said.decider, said.reason_code) == (
        State.STATE_REJECTED,
        "agents/alice",
        "two-persons",
    )
    await matches.rename(one, given_name="Anne")
    await matches.rename(one, given_name="Anna")
    await matches.only(State.STATE_REJECTED)


async def test_a_merge_by_hand_that_was_undone_is_not_made_again_by_itself(matches: Any) -> None:
    one = await matches.customer(born="1984-04-12")
    other = await matches.customer(born="1984-04-12")
    await matches.only()  # a person is asked, and merges them by hand
    await matches.desk.merge(one, other)
    await matches.only(State.STATE_CLOSED)
    (merge,) = await matches.merges()
    await matches.desk.undo(merge)
    await matches.learn()
    await matches.rename(one, given_name="Anne")
    await matches.rename(one, given_name="Anna")
    await matches.only(State.STATE_REJECTED)
    assert len(await matches.merges()) == 1


async def test_who_were_merged_before_they_were_compared_are_two_once_that_is_undone(
    matches: Any,
) -> None:
    one = await matches.customer(born="1984-04-12")
    other = await matches.customer(given="Ines", family="Sommer")
    await matches.desk.merge(one, other)
    (merge,) = await matches.merges()
    await matches.desk.undo(merge)
    said = await matches.only(State.STATE_REJECTED)
    request = pb.ExplainMatchCandidateRequest(name=said.name)
    explanation = await matches.service.ExplainMatchCandidate(request)
    assert explanation.summary == "REJECTED by agent:alice: two-persons."
    assert explanation.causes[1].event_type == "rapport.customer.v1.CustomerMergeUndone"
    await matches.learn()
    await matches.rename(other, given_name="Anna", family_name="Keller")
    await matches.only(State.STATE_REJECTED)


async def test_what_is_said_of_two_holds_of_all_who_are_one_with_either(
    matches: Any, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = [await matches.customer(born="1984-04-12") for _ in range(3)]
    asked = {(each.customer, each.other_customer): each for each in await matches.listed()}
    monkeypatch.setattr(matching.Matching, "once", nothing)  # the matcher has not seen the merge yet
    await matches.desk.merge(first, second)
    await matches.reject(asked[first, third])
    assert await refused(matches.accept(asked[second, third])) == "FAILED_PRECONDITION MATCH_DECIDED"
    request = pb.GetMatchCandidateRequest(name=asked[second, third].name)
    other = await matches.service.GetMatchCandidate(request)
    assert (other.state, other.reason_code, other.decider) == (State.STATE_CLOSED, "two", "agents/alice")
    assert len(await matches.merges()) == 1


async def test_of_two_people_with_several_names_one_question_is_asked(matches: Any) -> None:
    first, second, third = [await matches.customer(born="1984-04-12") for _ in range(3)]
    await matches.listed()
    await matches.desk.merge(first, second)
    reasons = sorted((each.state, each.reason_code) for each in await matches.listed(customer=third))
    assert reasons == [(State.STATE_PENDING, ""), (State.STATE_CLOSED, "asked-already")]
    (asked,) = await matches.listed(customer=third, filter="state = PENDING")
    changed = asked.customer  # by whose name it was asked: now it is by the other's
    await matches.rename_as_made(changed, "Ines", "Sommer")
    (again,) = await matches.listed(customer=third, filter="state = PENDING")
    assert {asked.customer, again.customer} == {first, second}


async def test_a_merge_and_two_decisions_at_once_leave_what_was_decided(matches: Any) -> None:
    one = await matches.customer(born="1984-04-12")
    other = await matches.customer(born="1984-04-12")
    candidate = await matches.only()
    deciding = [matches.accept(candidate), matches.desk.merge(one, other), matches.reject(candidate)]
    await asyncio.gather(*deciding, return_exceptions=True)
    (left,) = await matches.listed()
    are_one = (await matches.desk.get(one)).name == (await matches.desk.get(other)).name
    rejected_first = left.state == State.STATE_REJECTED  # which a person who merges overrides
    assert are_one or rejected_first
    assert left.state in (State.STATE_LINKED, State.STATE_CLOSED) or rejected_first
    assert len(await matches.merges()) <= 1


async def test_who_are_one_by_now_are_not_said_to_be_two(
    matches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await matches.customer(born="1984-04-12")
    other = await matches.customer(born="1984-04-12")
    candidate = await matches.only()
    monkeypatch.setattr(matching.Matching, "once", nothing)  # the matcher has not seen yet that they are one
    await matches.desk.merge(one, other)
    said = await matches.reject(candidate)
    assert (said.state, said.reason_code) == (State.STATE_CLOSED, "one-already")


async def test_two_are_accepted_only_once_it_is_taken_back_that_others_of_theirs_are_two(
    matches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = [await matches.customer(born="1984-04-12") for _ in range(3)]
    asked = {(each.customer, each.other_customer): each for each in await matches.listed()}
    monkeypatch.setattr(matching.Matching, "once", nothing)
    said = await matches.reject(asked[first, third])
    await matches.desk.merge(first, second)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await matches.accept(asked[second, third])
    told = refusal(caught.value)
    assert (told.reason, told.metadata["resource"]) == ("MATCH_REJECTED", said.name)
    await matches.service.ReopenMatchCandidate(pb.ReopenMatchCandidateRequest(name=said.name))
    assert (await matches.accept(asked[second, third])).state == State.STATE_LINKED


async def test_a_merge_that_was_undone_before_this_release_is_said_to_be_two_after_the_migration(
    infrastructure: Any,
) -> None:
    url = await infrastructure.fresh_database("customer", service.migrations)
    async with infrastructure.superuser(url) as connection:
        await connection.execute("""
            INSERT INTO customers (id, display_name, kind, given_name, additional_name, family_name,
                honorific_prefix, honorific_suffix, birth_date, organization_name, addresses, language_code,
                time_zone, region_code, relationship_manager, create_time, update_time, version)
            SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, '', '', '', '', '', '', '', '', '', '',
                'en', 'UTC', '', 'agents/a', now(), now(), 1 FROM generate_series(1, 6) n;
            INSERT INTO match_parameters VALUES (gen_random_uuid(), 'believed', false, 0, '{}', now());
            INSERT INTO customer_merges
            SELECT gen_random_uuid(), ('00000000-0000-0000-0000-00000000000' || 2 * n)::uuid,
                ('00000000-0000-0000-0000-00000000000' || 2 * n - 1)::uuid, 'same-person', '',
                'UNDONE', 'agent:alice', now(), 'agent:bob',
                'father-and-son', now(), n, n, 2
            FROM generate_series(1, 3) n;
            INSERT INTO alias_groups (customer_id, group_id, sequence, change_time)
            SELECT unnest(ARRAY[customer_id, merged_customer_id]), customer_id, 4, now()
            FROM customer_merges WHERE sequence = 3;  -- merged again
            INSERT INTO match_candidates
            SELECT gen_random_uuid(), merged_customer_id, customer_id, 'CLOSED', 9000, 'weight', '[]', '',
                gen_random_uuid(), 'service:customer', 'one-already', '', now(), now(), now(), 4
            FROM customer_merges WHERE sequence = 2;
            UPDATE alembic_version SET version_num = 'customer_0010' WHERE version_num LIKE 'customer_%';
            """)
        database = await connection.fetchval("SELECT current_database()")
        await migrate(
            infrastructure.postgres.url_for(database, owner_of("customer")), service.migrations, "customer"
        )
        found = await connection.fetch("SELECT * FROM match_candidates ORDER BY customer_id")
        said = [
            (e["state"], e["decider"], e["reason_code"], e["weight_millibits"], e["version"]) for e in found
        ]
        rejected = ("REJECTED", "agent:bob", "father-and-son")
        assert said == [(*rejected, 0, 1), (*rejected, 9000, 5)]
    await infrastructure.drop_database(url)


async def test_who_accepted_takes_it_back_and_nobody_else_does(matches: Any, refused: Any) -> None:
    one = await matches.customer(born="1984-04-12")
    other = await matches.customer(born="1984-04-12")
    accepted = await matches.accept(await matches.only(), survivor=other)
    request = pb.ReopenMatchCandidateRequest(name=accepted.name)
    may = ["customer.match_candidates.read", "customer.match_candidates.write"]
    bob, alice = (
        matches.desk.running.stub(match_service_pb2_grpc.MatchServiceStub, may, subject=f"agent:{who}")
        for who in ("bob", "alice")
    )
    assert await refused(bob.ReopenMatchCandidate(request)) == "FAILED_PRECONDITION MATCH_NOT_REOPENABLE"
    again = await alice.ReopenMatchCandidate(request)
    assert (again.state, list(again.bars)[-1]) == (
        State.STATE_PENDING,
        match_pb2.MatchCandidate.BAR_ASKED_AGAIN,
    )
    assert [(await matches.desk.get(each)).name for each in (one, other)] == [one, other]
    (merge,) = await matches.merges()
    assert (merge.undo_actor, merge.undo_reason_code) == ("agents/alice", "accepted-by-mistake")


async def nothing(self: Any) -> bool:
    """Compare nobody."""
    return False


async def test_who_were_said_to_be_two_never_come_up_again_until_somebody_asks(matches: Any) -> None:
    one = await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    rejected = await matches.reject(await matches.only(), comment="They are twins, both called Anna.")
    assert (rejected.state, rejected.decider, rejected.reason_code) == (
        State.STATE_REJECTED,
        "agents/alice",
        "twins",
    )
    await matches.learn()
    await matches.rename(one, given_name="Anne")
    await matches.rename(one, given_name="Anna")
    assert (await matches.only(State.STATE_REJECTED)).comment == "They are twins, both called Anna."
    request = pb.ReopenMatchCandidateRequest(name=rejected.name)
    again = await matches.service.ReopenMatchCandidate(request)
    assert again.state == State.STATE_PENDING
    await matches.rename(one, given_name="Anne")
    assert (await matches.only()).bars[-1] == match_pb2.MatchCandidate.BAR_ASKED_AGAIN


async def test_of_two_who_decide_at_once_one_wins_and_the_other_hears_who_and_when(matches: Any) -> None:
    await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    candidate = await matches.only()
    answers = await asyncio.gather(*(matches.reject(candidate) for _ in range(10)), return_exceptions=True)
    refused = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert len(refused) == 9
    assert all("agent:alice decided this" in str(each.details()) for each in refused)
    assert {reason(each) for each in refused} == {"MATCH_DECIDED"}


async def test_a_stale_etag_decides_nothing(matches: Any, refused: Callable[..., Any]) -> None:
    one = await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    candidate = await matches.only()
    await matches.rename(one, given_name="Anne")
    await matches.settled()
    assert await refused(matches.reject(candidate, etag=candidate.etag)) == "ABORTED ETAG_MISMATCH"


async def test_only_what_was_rejected_is_asked_again(matches: Any, refused: Callable[..., Any]) -> None:
    await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    asked = matches.service.ReopenMatchCandidate(
        pb.ReopenMatchCandidateRequest(name=(await matches.only()).name)
    )
    assert await refused(asked) == "FAILED_PRECONDITION MATCH_NOT_REOPENABLE"


async def test_what_is_decided_while_the_matcher_waits_for_it_holds(
    matches: Any, monkeypatch: pytest.MonkeyPatch, unheard: Any, waits: Any
) -> None:
    await matches.learn()
    anna, dora = (
        await matches.customer(born="1984-04-12"),
        await matches.customer(given="Dora", family="Sommer"),
    )
    await matches.settled()
    monkeypatch.setattr(matching.Matching, "once", nothing)
    twin = await matches.customer(born="1984-04-12")
    ids = {each: CUSTOMER.ids(each)[0] for each in (anna, dora, twin)}
    matcher = Matcher(unheard, link_probability=0.99, ask_probability=0.1)
    db = matches.desk.running.db

    async def match() -> None:
        async with db.transaction() as tx:
            await matcher.match(tx, {ids[twin]})

    with acting(Call("test", Principal("service:customer"))):
        async with db.transaction() as deciding:
            said = {"survivor_id": ids[anna], "merged_id": ids[dora], "reason_code": "same-person"}
            await merge_customers(deciding, unheard, **said)
            pair = pair_of(ids[dora], ids[twin])
            people = people_of(pair, {each: each for each in pair})
            await say_two(deciding, pair, people, reason_code="twins")
            matching_them = asyncio.ensure_future(match())  # and it knows already that the twin is like Anna
            await waits(deciding)
        await matching_them
    assert (await matches.desk.get(twin)).name == twin
    assert len(await matches.merges()) == 1
