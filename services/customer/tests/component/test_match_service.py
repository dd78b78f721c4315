"""Customers who may be one are found while others work, asked about, linked, and decided once."""

import asyncio
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.type.postal_address_pb2 import PostalAddress

from chassis.context import Call, Principal, acting
from customer.store import matches as store
from customer.usecases import match_figures, match_jobs, match_records, match_training
from customer.usecases.match_step import SKIPPED
from rapport.customer.v1 import customer_merge_service_pb2 as merge_service_pb2
from rapport.customer.v1 import (
    match_pb2,
)
from rapport.customer.v1 import match_service_pb2 as pb
from rapport.customer.v1.customer_pb2 import Address, Organization, Person
from rapport_testing.running import reason
from rapport_testing.wait import eventually

State = match_pb2.MatchCandidate.State


async def test_a_second_record_of_a_person_is_asked_about_with_what_each_field_says(matches: Any) -> None:
    one = await matches.customer(given="Robert", family="Müller", born="1960-01-17")
    other = await matches.customer(given="Bob", family="Mueller", born="1960-01-17")
    candidate = await matches.only()
    assert (candidate.customer, candidate.other_customer) == (one, other)
    said = {each.field: each.level for each in candidate.fields}
    assert (said["given_name"], said["family_name"], said["birth_date"]) == ("nickname", "same", "same")
    assert said["email"] == "unknown"
    assert sum(each.weight for each in candidate.fields) == pytest.approx(candidate.weight, abs=0.05)
    assert candidate.probability > 0.99
    assert list(candidate.bars) == [match_pb2.MatchCandidate.BAR_NOT_LEARNED]


async def test_strangers_are_not_asked_about(matches: Any) -> None:
    await matches.customer(given="Robert", family="Müller", born="1960-01-17")
    await matches.customer(given="Ines", family="Mueller", born="1984-05-30")
    assert await matches.listed() == []


async def test_who_becomes_like_another_is_found_then_and_no_longer_asked_about_when_that_was_wrong(
    matches: Any,
) -> None:
    await matches.customer(given="Robert", family="Müller", born="1960-01-17")
    other = await matches.customer(given="Ines", family="Sommer", born="1960-01-17")
    assert await matches.listed() == []
    await matches.rename(other, given_name="Robert", family_name="Müller")
    assert (await matches.only()).state == State.STATE_PENDING
    await matches.rename(other, given_name="Ines", family_name="Sommer")
    assert (await matches.only(State.STATE_CLOSED)).reason_code == "apart"
    await matches.rename(other, given_name="Robert", family_name="Müller")
    assert (await matches.only()).decider == ""


async def test_what_was_learned_links_by_itself_and_says_so(matches: Any) -> None:
    await matches.learn()
    await matches.customer(given="Robert", family="Müller", born="1960-01-17")
    await matches.customer(given="Robert", family="Müller", born="1960-01-17")
    candidate = await matches.only(State.STATE_LINKED)
    assert (candidate.decider, candidate.reason_code) == ("services/customer", "weight")


async def test_a_link_by_itself_is_a_merge_and_explains_itself_back_to_who_made_the_second_record(
    matches: Any,
) -> None:
    await matches.learn()
    one = await matches.customer(given="Robert", family="Müller", born="1960-01-17")
    other = await matches.customer(given="Robert", family="Müller", born="1960-01-17")
    await matches.only(State.STATE_LINKED)
    (merge,) = await matches.merges()
    assert (merge.customer, merge.merged_customer, merge.reason_code) == (one, other, "match")
    request = merge_service_pb2.ExplainCustomerMergeRequest(name=merge.name)
    causes = (await matches.merging.ExplainCustomerMerge(request)).causes
    assert (causes[1].resource, causes[1].event_type) == (other, "rapport.customer.v1.CustomerCreated")


async def test_who_was_merged_meanwhile_by_somebody_is_not_asked_about_under_any_of_their_names(
    matches: Any,
) -> None:
    first, second, third = [await matches.customer(born="1984-04-12") for _ in range(3)]
    assert len(await matches.listed()) == 3
    await matches.desk.merge(first, second)
    states = [each.state for each in await matches.listed()]
    assert sorted(states) == [State.STATE_PENDING, State.STATE_CLOSED, State.STATE_CLOSED]
    await matches.desk.merge(second, third)
    assert {each.reason_code for each in await matches.listed()} == {"one-already"}


async def test_two_ids_of_one_system_are_never_linked_by_themselves(matches: Any) -> None:
    await matches.learn()
    same = {"given": "Robert", "family": "Müller", "born": "1960-01-17"}
    await matches.customer(matches.desk.external("crm:1"), **same)
    await matches.customer(matches.desk.external("crm:2"), **same)
    candidate = await matches.only()
    assert list(candidate.bars) == [match_pb2.MatchCandidate.BAR_OTHER_IDS]


async def test_a_number_that_a_household_shares_makes_nobody_one(matches: Any) -> None:
    await matches.learn()
    phone = matches.desk.phone("+49 30 1234567")
    await matches.customer(phone, given="Robert", family="Müller", born="1960-01-17")
    await matches.customer(phone, given="Ines", family="Müller", born="1984-05-30")
    assert [each.state for each in await matches.listed()] in ([], [State.STATE_PENDING])


async def test_a_person_and_an_organization_are_never_one(matches: Any) -> None:
    phone = matches.desk.phone("+49 30 1234567")
    await matches.customer(phone, given="Robert", family="Müller")
    await matches.desk.create(phone, organization=Organization(legal_name="Robert Müller"))
    assert await matches.listed() == []


async def test_two_records_of_an_organization_are_asked_about(matches: Any) -> None:
    where = Address(
        postal_address=PostalAddress(
            region_code="DE", postal_code="10115", locality="Berlin", address_lines=["Hauptstraße 5"]
        )
    )
    for name in ("Müller Logistik GmbH", "Mueller Logistik GmbH"):
        await matches.desk.create(organization=Organization(legal_name=name), addresses=[where])
    assert (await matches.only()).probability > 0.5


async def test_candidates_are_listed_by_weight_by_state_and_of_one_customer(matches: Any) -> None:
    anna = await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    await matches.customer(given="Ana", born="1984-04-21")
    everybody = await matches.listed()
    assert len(everybody) == 3
    weights = [each.weight for each in everybody]
    assert weights == sorted(weights, reverse=True)
    assert [each.weight for each in await matches.listed(order_by="weight")] == sorted(weights)
    await matches.reject(everybody[0])
    assert len(await matches.listed(filter="state = PENDING")) == 2
    assert len(await matches.listed(customer=anna)) == 2
    assert await matches.listed(customer=anna, filter="state = LINKED") == []


async def test_a_candidate_explains_itself_back_to_who_made_the_second_record(matches: Any) -> None:
    await matches.customer(born="1984-04-12")
    other = await matches.customer(born="1984-04-12")
    candidate = await matches.only()
    request = pb.ExplainMatchCandidateRequest(name=candidate.name)
    explanation = await matches.service.ExplainMatchCandidate(request)
    assert explanation.summary.startswith("A person is asked: nothing is learned from these customers yet")
    assert explanation.rule_version == candidate.match_parameters
    assert explanation.inputs["birth_date"].startswith("same (+")
    found, created, call = explanation.causes[:3]
    assert found.event_type == "rapport.customer.v1.MatchCandidateCreated"
    assert (created.resource, created.event_type) == (other, "rapport.customer.v1.CustomerCreated")
    assert call.actor == "agents/alice"


async def test_a_key_that_too_many_share_finds_nobody_and_is_counted(
    matches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = matching_skipped()
    for n in range(130):
        await matches.desk.create(matches.desk.phone("+49 30 1234567"), person=Person(given_name=f"X{n}"))
    await matches.settled()
    assert matching_skipped() > before


def matching_skipped() -> float:
    """How many looks were left out so far."""
    return SKIPPED._value.get()  # type: ignore[no-any-return]


async def test_a_customer_who_cannot_be_compared_holds_up_nobody(
    matches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = match_records.features_of

    def failing(customer: Any, identifiers: Any) -> Any:
        if customer.given_name == "Poison":
            raise ValueError("no such thing")
        return right(customer, identifiers)

    monkeypatch.setattr(match_records, "features_of", failing)
    await matches.customer(given="Poison")
    await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    await matches.only()


async def test_who_changed_is_compared_between_two_steps_of_a_job(matches: Any, waits: Any) -> None:
    await matches.customer(born="1984-04-12")
    await matches.settled()
    with acting(Call("test", Principal("service:customer"))):
        async with matches.desk.running.db.transaction() as step:
            await store.LOCK.run(step)
            await matches.customer(born="1984-04-12")
            await waits(step)  # in line, before the next step
    await matches.only()


async def test_everybody_is_matched_by_a_job_that_goes_on_where_it_was(matches: Any) -> None:
    await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    await matches.settled()
    db = matches.desk.running.db
    async with db.connection() as connection:  # as if they were from before there was matching
        for table in ("match_keys", "match_records", "match_candidates"):
            await connection.execute(f"DELETE FROM {table}")
    job = await matches.service.CreateMatchJob(pb.CreateMatchJobRequest(match_job=match_pb2.MatchJob()))
    done = await ended(matches, job.name)
    assert (done.state, done.matched_count, done.candidate_count) == (match_pb2.MatchJob.STATE_DONE, 2, 1)
    await matches.only()


async def ended(matches: Any, name: str) -> match_pb2.MatchJob:
    """The job, once it has ended."""

    async def found() -> match_pb2.MatchJob | None:
        job = await matches.service.GetMatchJob(pb.GetMatchJobRequest(name=name))
        return job if job.HasField("end_time") else None

    return await eventually(found, timeout_s=30)


async def test_one_job_runs_at_a_time_and_ends_when_it_is_cancelled(
    matches: Any, refused: Callable[..., Any]
) -> None:
    asked = [
        matches.service.CreateMatchJob(pb.CreateMatchJobRequest(match_job=match_pb2.MatchJob()))
        for _ in range(5)
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    jobs = [each for each in answers if isinstance(each, match_pb2.MatchJob)]
    assert jobs
    beaten = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert {reason(each) for each in beaten} <= {"MATCH_JOB_UNDER_WAY", "REQUEST_IN_FLIGHT"}
    cancelled = await matches.service.CancelMatchJob(pb.CancelMatchJobRequest(name=jobs[0].name))
    assert cancelled.state in (match_pb2.MatchJob.STATE_CANCELLED, match_pb2.MatchJob.STATE_DONE)


async def test_nothing_is_learned_from_a_few(matches: Any, refused: Callable[..., Any]) -> None:
    await matches.customer()
    request = pb.CreateMatchJobRequest(match_job=match_pb2.MatchJob(retrain=True))
    assert await refused(matches.service.CreateMatchJob(request)) == "FAILED_PRECONDITION TOO_FEW_CUSTOMERS"


async def test_parameters_are_learned_from_customers_and_then_link_by_themselves(
    matches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_jobs, "LEARN_FROM_MIN", 40)
    monkeypatch.setattr(match_training, "LEARN_FROM_MIN", 40)
    drawn = random.Random(7)
    given = ("Anna", "Bernd", "Clara", "David", "Elif", "Franz", "Greta", "Hugo", "Ines", "Jonas")
    family = ("Adler", "Brandt", "Cramer", "Dietz", "Ebert", "Fuchs", "Gruber", "Hahn", "Jung", "Klein")
    for _ in range(40):
        who = {
            "given": drawn.choice(given),
            "family": drawn.choice(family) + drawn.choice(("", "mann", "er")),
            "born": f"19{drawn.randrange(40, 99)}-{drawn.randrange(1, 13):02}-{drawn.randrange(1, 29):02}",
        }
        for _ in range(drawn.choice((1, 1, 2))):
            await matches.customer(**who)
    await matches.settled()
    request = pb.CreateMatchJobRequest(match_job=match_pb2.MatchJob(retrain=True))
    job = await ended(matches, (await matches.service.CreateMatchJob(request)).name)
    newest = (await matches.service.ListMatchParameters(pb.ListMatchParametersRequest())).match_parameters[0]
    assert newest.learned
    assert newest.name == job.match_parameters
    assert job.linked_count > 0
    assert {each.match_parameters for each in await matches.listed(filter="state = LINKED")} == {newest.name}
    told = await matches.desk.facts("MatchJobCreated", "MatchParametersCreated", "MatchJobEnded")
    assert [each.type.rpartition(".")[2] for each in told] == [
        "MatchJobCreated",
        "MatchParametersCreated",
        "MatchJobEnded",
    ]


async def test_what_waits_and_how_many_are_one_is_measured(matches: Any) -> None:
    one = await matches.customer(born="1984-04-12")
    await matches.customer(born="1984-04-12")
    await matches.only()
    await match_figures.measure(matches.desk.running.db)
    assert match_figures.WAITING._value.get() == 1
    assert match_figures.CONSOLIDATION._value.get() == 0
    await matches.desk.merge(one, await matches.customer(given="Ines", family="Sommer"))
    await match_figures.measure(matches.desk.running.db)
    assert match_figures.CONSOLIDATION._value.get() > 0


async def test_the_parameters_in_force_can_be_read(matches: Any) -> None:
    (believed,) = (
        await matches.service.ListMatchParameters(pb.ListMatchParametersRequest())
    ).match_parameters
    assert not believed.learned
    (given,) = [each for each in believed.fields if each.field == "given_name"]
    assert [each.level for each in given.levels][:2] == ["same", "nickname"]
    assert UUID(believed.name.partition("/")[2])
