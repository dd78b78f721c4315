"""Learning takes as long as it takes, in no transaction; what it reads and compares has a bound."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from asyncpg.exceptions import TransactionTimeoutError

from chassis.db.schema import WORK
from chassis.db.statement import Statement
from customer.store import matches as store
from customer.usecases import match_sample, match_training
from customer.usecases.match_jobs import LEARN
from customer.usecases.match_sample import Sample, pick, records_of
from customer.usecases.match_step import Matcher
from rapport.customer.v1 import match_pb2, match_service_pb2_grpc
from rapport.customer.v1 import match_service_pb2 as pb
from rapport.customer.v1.customer_pb2 import Person
from rapport_identity import training
from rapport_testing.wait import eventually

IN_TRANSACTION = Statement[Any](
    sa.select(sa.literal_column("pid")).select_from(
        sa.text(
            "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
            " AND pid <> pg_backend_pid()"
        )
    )
)
ATTEMPT = Statement[Any](sa.select(WORK).where(WORK.c.kind == sa.literal_column(f"'{LEARN}'")))


@pytest.fixture(autouse=True)
def a_few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customer.usecases.match_jobs.LEARN_FROM_MIN", 4)
    monkeypatch.setattr(match_training, "LEARN_FROM_MIN", 4)


@pytest.fixture
async def service(desk: Any) -> Any:
    """Matching, once eight customers were compared who are called the same."""
    for n in range(8):
        await desk.create(person=Person(given_name=("Anna", "Anne")[n % 2], family_name="Keller"))

    async def compared() -> bool:
        return not await store.QUEUED.all(desk.running.db, limit=1)

    await eventually(compared)
    return desk.running.stub(match_service_pb2_grpc.MatchServiceStub)


async def begin(service: Any) -> str:
    """Have it learn. Returns the name of the job."""
    job = await service.CreateMatchJob(pb.CreateMatchJobRequest(match_job=match_pb2.MatchJob(retrain=True)))
    return str(job.name)


async def ended(service: Any, name: str) -> match_pb2.MatchJob:
    """The job, once it has ended."""

    async def found() -> match_pb2.MatchJob | None:
        job = await service.GetMatchJob(pb.GetMatchJobRequest(name=name))
        return job if job.HasField("end_time") else None

    return await eventually(found, timeout_s=30)


async def learned(service: Any) -> list[str]:
    """The parameters that were learned, newest first."""
    listed = await service.ListMatchParameters(pb.ListMatchParametersRequest())
    return [each.name for each in listed.match_parameters if each.learned]


class Held:
    """Learning that has begun and ends when a test says so."""

    def __init__(self) -> None:
        self.begun, self.release = threading.Event(), threading.Event()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held, right = Held(), Sample.learned

    def late(*of: Any) -> Any:
        held.begun.set()
        assert held.release.wait(30)
        return right(*of)

    monkeypatch.setattr(Sample, "learned", late)
    yield held
    held.release.set()


async def test_while_it_is_learned_no_transaction_is_open_and_others_are_matched(
    desk: Any, service: Any, held: Held
) -> None:
    name = await begin(service)
    await eventually(held.begun.is_set)
    assert not await IN_TRANSACTION.all(desk.running.db)
    newcomer = await desk.create(person=Person(given_name="Anna", family_name="Keller"))

    async def found() -> bool:
        asked = pb.ListMatchCandidatesRequest(customer=newcomer.name)
        return bool((await service.ListMatchCandidates(asked)).match_candidates)

    await eventually(found)
    assert not await learned(service)
    held.release.set()
    job = await ended(service, name)
    assert [job.match_parameters] == await learned(service)


async def test_what_was_learned_for_a_job_that_was_cancelled_meanwhile_is_not_in_force(
    desk: Any, service: Any, held: Held
) -> None:
    name = await begin(service)
    await eventually(held.begun.is_set)
    await service.CancelMatchJob(pb.CancelMatchJobRequest(name=name))
    held.release.set()

    async def recorded() -> bool:
        return bool((await ATTEMPT.one(desk.running.db))["ended_at"])

    await eventually(recorded)
    assert not await learned(service)
    assert (await ended(service, name)).state == match_pb2.MatchJob.STATE_CANCELLED


async def test_an_attempt_that_fails_is_made_again_and_one_that_fails_for_an_hour_is_done_without(
    desk: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> Any:
        raise ValueError("no such thing")

    with monkeypatch.context() as broken:
        broken.setattr(Sample, "learned", failing)
        name = await begin(service)

        async def failed() -> bool:
            attempt = await ATTEMPT.maybe(desk.running.db)
            return attempt is not None and attempt["failures"] > 0

        await eventually(failed)
        job = await service.GetMatchJob(pb.GetMatchJobRequest(name=name))
        assert job.state == match_pb2.MatchJob.STATE_RUNNING
    desk.clock.advance(timedelta(minutes=1))
    job = await ended(service, name)
    assert [job.match_parameters] == await learned(service)

    monkeypatch.setattr(Sample, "learned", failing)
    name = await begin(service)

    async def failed_again() -> bool:
        return any(each["failures"] for each in await ATTEMPT.all(desk.running.db) if not each["ended_at"])

    await eventually(failed_again)
    desk.clock.advance(timedelta(hours=2))
    again = await ended(service, name)
    assert (again.state, again.match_parameters) == (match_pb2.MatchJob.STATE_DONE, job.match_parameters)


async def test_what_is_learned_from_is_bounded_by_the_pairs_that_customers_make(
    desk: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = desk.running.db
    everybody = await pick(db)
    assert (len(everybody.picked), len(everybody.pairs)) == (8, 8 * 7 // 2)
    monkeypatch.setattr(match_sample, "PAIRS_MAX", 10)
    some = await pick(db)
    assert len(some.pairs) == 10
    assert len(some.picked) == 2  # one with seven others, and one with as many more as there was room for
    drawn = some.candidates(await records_of(db, some))
    assert len(drawn.places) == 10
    monkeypatch.setattr(match_sample, "PAIRS_MAX", 1000)
    monkeypatch.setattr(match_sample, "PICKED_MAX", 3)
    assert len((await pick(db)).picked) == 3


async def test_what_takes_longer_than_a_transaction_may_is_compared_by_fewer_at_once(
    desk: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Matcher.match

    async def slow(self: Matcher, tx: Any, customer_ids: Any, **how: Any) -> Any:
        if len(customer_ids) > 3:
            raise TransactionTimeoutError("terminating connection due to transaction timeout")
        return await right(self, tx, customer_ids, **how)

    monkeypatch.setattr(Matcher, "match", slow)
    for _ in range(8):
        await desk.create(person=Person(given_name="Ines", family_name="Sommer"))

    async def compared() -> bool:
        return not await store.QUEUED.all(desk.running.db, limit=1)

    await eventually(compared, timeout_s=30)
    job = await service.CreateMatchJob(pb.CreateMatchJobRequest(match_job=match_pb2.MatchJob()))

    async def done() -> bool:
        desk.clock.advance(timedelta(minutes=10))  # the pause after a step that failed is over
        read = await service.GetMatchJob(pb.GetMatchJobRequest(name=job.name))
        return bool(read.matched_count == 16 and read.HasField("end_time"))

    await eventually(done, timeout_s=60)


async def test_earlier_parameters_are_put_in_force_again_once_and_told(desk: Any, service: Any) -> None:
    async def listed() -> list[match_pb2.MatchParameters]:
        found = await service.ListMatchParameters(pb.ListMatchParametersRequest())
        return list(found.match_parameters)

    job = await ended(service, await begin(service))
    learned_now, believed = await listed()
    assert (learned_now.name, job.reason_code) == (job.match_parameters, "")
    request = pb.ActivateMatchParametersRequest(name=believed.name)
    back = await service.ActivateMatchParameters(request)
    assert await service.ActivateMatchParameters(request) == back
    assert [each.name for each in await listed()] == [believed.name, learned_now.name]
    (told,) = await desk.facts("MatchParametersActivated")
    assert (told.data.match_parameters, told.data.previous_match_parameters) == (
        believed.name,
        learned_now.name,
    )
    one, other = [await desk.create(person=Person(given_name="Zita", family_name="Zorn")) for _ in range(2)]
    asked = pb.ListMatchCandidatesRequest(customer=other.name)

    async def weighed() -> list[match_pb2.MatchCandidate]:
        return list((await service.ListMatchCandidates(asked)).match_candidates)

    (candidate,) = await eventually(weighed)
    assert (candidate.customer, candidate.match_parameters) == (one.name, believed.name)
    assert match_pb2.MatchCandidate.BAR_NOT_LEARNED in candidate.bars


async def test_a_job_says_why_nothing_was_learned(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "is_of_people", lambda _: False)
    job = await ended(service, await begin(service))
    assert job.reason_code == "people-who-live-together"
    assert not await learned(service)
