import asyncio
import hashlib
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import grpc
import pytest

from chassis.api.actors import what
from chassis.explain.chain import chain
from chassis.grpc.status import refusal
from customer.usecases.reverting import FORGET_TIMER
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2 import (
    AppendImportRowsRequest,
    CancelImportJobRequest,
    CommitImportJobRequest,
    CreateImportJobRequest,
    GetImportJobRequest,
    ListImportFindingsRequest,
    ListImportJobsRequest,
)
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceStub
from rapport_imports import people
from rapport_imports.customers import CustomerImporter
from rapport_imports.decoding import Encoding
from rapport_imports.reading import Reading
from rapport_testing.wait import eventually

State = ImportJob.State


def source(text="customers.csv"):
    return hashlib.sha256(text.encode()).hexdigest()


async def create(desk, text="customers.csv"):
    request = CreateImportJobRequest(import_job=ImportJob(source=source(text)))
    return await desk.imports.CreateImportJob(request)


async def append(desk, job, rows):
    request = AppendImportRowsRequest(
        name=job.name, rows=[ImportRow(line=line, customer=customer) for line, customer in rows]
    )
    return await desk.imports.AppendImportRows(request, timeout=30)


async def commit(desk, job):
    """Commit, and wait until every row is applied."""

    async def committed():
        try:
            return await desk.imports.CommitImportJob(CommitImportJobRequest(name=job.name))
        except grpc.aio.AioRpcError as error:
            if (
                error.code() is not grpc.StatusCode.ABORTED
            ):  # another replica has the job: again, as importers do
                raise
        return None

    await eventually(committed, timeout_s=60)

    async def done():
        desk.clock.advance(timedelta(seconds=1))  # a chunk that lost a race is tried again a second later
        now = await desk.imports.GetImportJob(GetImportJobRequest(name=job.name))
        return now if now.state == State.STATE_DONE else None

    return await eventually(done, timeout_s=60)


async def errors(desk, job, **paging):
    return await desk.imports.ListImportFindings(ListImportFindingsRequest(parent=job.name, **paging))


def customer(desk, i):
    return Customer(
        identifiers=[desk.external(f"crm:{i:05}"), desk.email(f"c{i}@example.com")],
        person=Person(given_name=f"C{i}"),
    )


async def found(desk, handle):
    resolved = await desk.resolve(handle)
    return await desk.customers.GetCustomer(GetCustomerRequest(name=resolved.customer))


async def test_rows_become_customers(desk):
    job = await create(desk)
    assert job.state == State.STATE_OPEN
    job = await append(desk, job, [(i, customer(desk, i)) for i in range(1, 4)])
    assert (job.row_count, job.last_line, job.refused_count) == (3, 3, 0)
    done = await commit(desk, job)
    assert (done.created_count, done.matched_count, done.refused_count) == (3, 0, 0)
    assert done.HasField("end_time")
    imported = await found(desk, desk.email("C2@example.com"))
    assert (imported.display_name, imported.etag) == ("C2", '"1"')
    assert imported.relationship_manager == "agents/front-desk"
    assert len(await desk.facts("CustomerCreated")) == 3


async def test_who_committed_an_import_made_its_customers_however_late_they_are_made(desk):
    job = await create(desk)
    for first in (1, 601):  # more than one chunk
        await append(desk, job, [(i, customer(desk, i)) for i in range(first, first + 600)])
    carol = desk.running.stub(ImportServiceStub, subject="agent:carol")
    desk.imports, before = carol, desk.imports
    await commit(desk, job)
    desk.imports = before
    made = [fact for fact in await desk.running.published() if fact.type.endswith("CustomerCreated")]
    assert {fact.actor for fact in made} == {"agent:carol"}
    last = await found(desk, desk.email("c1200@example.com"))
    explained = await chain(desk.running.db, resource=last.name)
    assert [
        (what(cause).rpartition("/")[2].rpartition(".")[2], cause.actor) for cause in explained.causes
    ] == [("CustomerCreated", "agents/carol"), ("CommitImportJob", "agents/carol")]


async def test_a_source_has_one_job_under_way_so_that_an_import_resumes(desk):
    first = await append(desk, await create(desk), [(1, customer(desk, 1))])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await create(desk)
    refused = refusal(caught.value)
    assert (refused.reason, refused.metadata["resource"]) == ("IMPORT_UNDER_WAY", first.name)
    assert (await create(desk, "other.csv")).name != first.name
    await commit(desk, first)
    assert (await create(desk)).name != first.name


async def test_a_file_whose_import_was_interrupted_is_sent_to_the_job_that_it_began(desk):
    table = SimpleNamespace(digest=source(), encoding=Encoding("utf-8"), confirm=False)
    for line in (1, 2):
        importer = desk.running.stub(lambda channel: CustomerImporter(channel, table, "crm", dry_run=False))
        importer.begin(Reading())
        await importer.send([(None, ImportRow(line=line, customer=customer(desk, line)))])
    (job,) = (await desk.imports.ListImportJobs(ListImportJobsRequest())).import_jobs
    assert (job.row_count, job.last_line) == (2, 2)


async def test_whoever_is_in_two_batches_at_once_is_whoever_they_are_in_one_after_the_other(desk):
    known = desk.running.stub(lambda channel: people.Customers(channel, "shop", dry_run=False))

    async def right(names):
        """Nothing is wrong with these rows."""

    async def of(*who):
        return await known.of([SimpleNamespace(person=people.Person(*each)) for each in who], right)

    (named,), (guest,) = await asyncio.gather(of(("7", "y@example.com")), of(("", "y@example.com")))
    assert named == guest == (await desk.resolve(desk.email("y@example.com"))).customer
    await desk.create(desk.email("both@example.com"))
    (one,), (other,) = await asyncio.gather(of(("8", "both@example.com")), of(("9", "both@example.com")))
    assert one != other  # two ids of one system are two customers


async def test_a_source_has_one_job_of_each_department(desk):
    first = await create(desk)
    other = desk.running.stub(ImportServiceStub, department="finance")
    theirs = await other.CreateImportJob(CreateImportJobRequest(import_job=ImportJob(source=source())))
    assert theirs.name != first.name


async def test_of_parallel_requests_for_one_source_one_gets_a_job(desk):
    jobs = await asyncio.gather(*(create(desk) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(job, ImportJob) for job in jobs) == 1


async def test_jobs_are_listed_newest_first_by_source_state_and_department(desk):
    made = []
    for text in ("a.csv", "b.csv", "c.csv"):
        desk.clock.advance(timedelta(seconds=1))
        made.append(await create(desk, text))
    await desk.imports.CancelImportJob(CancelImportJobRequest(name=made[2].name))

    async def listed(filter=""):
        found = await desk.imports.ListImportJobs(ListImportJobsRequest(filter=filter))
        return [made.index(next(each for each in made if each.name == job.name)) for job in found.import_jobs]

    assert await listed() == [2, 1, 0]
    assert await listed("state = OPEN") == [1, 0]
    assert await listed(f'source = "{source("a.csv")}"') == [0]
    assert await listed(f'department = "{made[0].department}"') == [2, 1, 0]
    assert await listed('department = "departments/nobody"') == []


async def test_lines_received_before_are_skipped_in_any_order(desk):
    job = await create(desk)
    await append(desk, job, [(2, customer(desk, 2)), (3, Customer())])
    job = await append(desk, job, [(i, customer(desk, i)) for i in (1, 2, 3, 4, 4)])
    assert (job.row_count, job.last_line, job.refused_count) == (4, 4, 1)
    assert (await commit(desk, job)).created_count == 3


async def test_a_rejected_row_is_listed_with_every_field_and_never_its_value(desk):
    job = await create(desk)
    wrong = Customer(
        person=Person(given_name="Sekret\0"), region_code="Germany", identifiers=[desk.external("crm:1")]
    )
    rows = [
        (1, wrong),
        (2, Customer(identifiers=[desk.email("sekret")])),
        (3, Customer(identifiers=[desk.phone("sekret")])),
        (4, Customer(person=Person(given_name="Sekret"))),
        (5, customer(desk, 5)),
    ]
    job = await append(desk, job, rows)
    assert (job.row_count, job.refused_count) == (5, 4)
    listed = (await errors(desk, job)).import_findings
    assert [(error.line, error.field, error.reason) for error in listed] == [
        (1, "person.given_name", "INVALID_TEXT"),
        (1, "region_code", "INVALID_CODE"),
        (2, "identifiers[0].value", "INVALID_EMAIL"),
        (3, "identifiers[0].value", "INVALID_PHONE"),
        (4, "identifiers", "REQUIRED"),
    ]
    assert not any("ekret" in error.description for error in listed)
    done = await commit(desk, job)
    assert (done.created_count, done.refused_count) == (1, 4)


async def test_errors_are_listed_in_pages(desk):
    job = await append(desk, await create(desk), [(i, Customer()) for i in range(1, 8)])
    lines, token = [], ""
    while True:
        page = await errors(desk, job, page_size=3, page_token=token)
        lines += [error.line for error in page.import_findings]
        token = page.next_page_token
        if not token:
            break
    assert lines == list(range(1, 8))
    found = await errors(desk, job, filter="line > 2 AND reason = REQUIRED")
    assert [error.line for error in found.import_findings] == list(range(3, 8))
    assert not (await errors(desk, job, filter="reason = CHANGED")).import_findings


async def test_a_bad_handle_beside_a_good_one_is_kept_flagged(desk):
    row = Customer(identifiers=[desk.external("crm:1"), desk.email("nonsense")])
    await commit(desk, await append(desk, await create(desk), [(1, row)]))
    imported = await found(desk, desk.external("crm:1"))
    assert [(i.value, i.normalized_value) for i in imported.identifiers] == [("1", "1"), ("nonsense", "")]


async def test_a_matched_customer_gets_what_is_missing_and_changed_and_keeps_the_rest(desk):
    anna = await desk.create(desk.external("crm:1"), family_name="Berg", region_code="DE")
    row = Customer(
        person=Person(family_name="Tal"), identifiers=[desk.email("anna@example.com"), desk.external("crm:1")]
    )
    done = await commit(desk, await append(desk, await create(desk), [(1, row)]))
    assert (done.created_count, done.matched_count) == (0, 1)
    now = await found(desk, desk.email("anna@example.com"))
    assert (now.name, now.person.given_name, now.person.family_name, now.region_code) == (
        anna.name,
        "Anna",
        "Tal",
        "DE",
    )
    assert [i.value for i in now.identifiers] == ["1", "anna@example.com"]
    assert [fact.type.rsplit(".", 1)[1] for fact in await desk.facts()][2:] == [
        "CustomerUpdated",
        "IdentifierCreated",
    ]


async def test_a_row_matches_by_its_external_id_before_its_email(desk):
    by_id = await desk.create(desk.external("crm:1"))
    by_email = await desk.create(desk.email("anna@example.com"))
    row = Customer(
        person=Person(family_name="Tal"), identifiers=[desk.email("anna@example.com"), desk.external("crm:1")]
    )
    await commit(desk, await append(desk, await create(desk), [(1, row)]))
    assert (await found(desk, desk.external("crm:1"))).person.family_name == "Tal"
    untouched = await found(desk, desk.email("anna@example.com"))
    assert (untouched.name, untouched.person.family_name) == (by_email.name, "")
    assert untouched.name != by_id.name


async def test_rows_about_one_customer_become_one_customer(desk):
    rows = [
        (1, Customer(person=Person(given_name="Anna"), identifiers=[desk.external("crm:1")])),
        (
            2,
            Customer(
                person=Person(family_name="Berg"),
                identifiers=[desk.external("crm:1"), desk.email("a@example.com")],
            ),
        ),
        (3, Customer(identifiers=[desk.email("A@example.com"), desk.phone("+493012345678")])),
    ]
    done = await commit(desk, await append(desk, await create(desk), rows))
    assert (done.created_count, done.matched_count) == (1, 2)
    anna = await found(desk, desk.phone("+493012345678"))
    assert (anna.display_name, len(anna.identifiers), anna.etag) == ("Anna Berg", 3, '"1"')
    (fact,) = await desk.facts("CustomerCreated")
    assert (fact.data.customer, fact.version) == (anna.name, 1)
    assert not await desk.facts("CustomerUpdated")


async def test_importing_the_same_rows_from_another_file_changes_nothing(desk):
    rows = [(i, customer(desk, i)) for i in range(1, 4)]
    await commit(desk, await append(desk, await create(desk, "one.csv"), rows))
    told = len(await desk.facts())
    done = await commit(desk, await append(desk, await create(desk, "two.csv"), rows))
    assert (done.created_count, done.matched_count) == (0, 3)
    assert len(await desk.facts()) == told


async def test_a_cancelled_job_applies_nothing_and_its_source_may_come_again(desk, refused):
    job = await append(desk, await create(desk), [(1, customer(desk, 1))])
    for _ in range(2):
        cancelled = await desk.imports.CancelImportJob(CancelImportJobRequest(name=job.name))
    assert cancelled.state == State.STATE_CANCELLED
    refusal = "FAILED_PRECONDITION IMPORT_NOT_OPEN"
    assert await refused(append(desk, job, [(2, customer(desk, 2))])) == refusal
    commit_it = desk.imports.CommitImportJob(CommitImportJobRequest(name=job.name))
    assert await refused(commit_it) == refusal
    assert (await create(desk)).name != job.name

    async def forgotten():
        async with desk.running.db.connection() as connection:
            return await connection.fetchval("SELECT count(*) FROM import_rows") == 0

    await eventually(forgotten)


async def test_people_of_an_import_that_nobody_goes_on_with_are_forgotten(desk):
    async def state(job):
        return (await desk.imports.GetImportJob(GetImportJobRequest(name=job.name))).state

    async def forgotten():
        async with desk.running.db.connection() as connection:
            return await connection.fetchval("SELECT count(*) FROM import_rows") == 2

    left, going = [
        await append(desk, await create(desk, text), [(1, customer(desk, 1))]) for text in ("left", "going")
    ]
    desk.clock.advance(timedelta(days=6))
    await append(desk, going, [(2, customer(desk, 2))])
    assert await state(left) == State.STATE_OPEN
    desk.clock.advance(timedelta(days=2))
    await eventually(forgotten)
    assert await state(left) == State.STATE_CANCELLED
    assert (await commit(desk, going)).created_count == 2


async def test_a_committed_job_takes_no_rows_and_cannot_be_cancelled(desk, refused):
    job = await append(desk, await create(desk), [(1, customer(desk, 1))])
    done = await commit(desk, job)
    refusal = "FAILED_PRECONDITION IMPORT_NOT_OPEN"
    assert await refused(append(desk, job, [(2, customer(desk, 2))])) == refusal
    cancel = desk.imports.CancelImportJob(CancelImportJobRequest(name=job.name))
    assert await refused(cancel) == refusal
    assert await desk.imports.CommitImportJob(CommitImportJobRequest(name=job.name)) == done


async def test_an_empty_job_is_done_at_once(desk):
    done = await commit(desk, await create(desk))
    assert (done.row_count, done.created_count) == (0, 0)


async def test_many_rows_are_applied_in_several_chunks_once_and_leave_nothing_staged(desk):
    job = await create(desk)
    for first in range(1, 2501, 500):
        job = await append(desk, job, [(i, customer(desk, i)) for i in range(first, first + 500)])
    done = await commit(desk, job)
    assert (done.created_count, done.matched_count) == (2500, 0)
    assert len(await desk.facts("CustomerCreated")) == 2500
    async with desk.running.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM customers") == 2500
        assert await connection.fetchval("SELECT count(*) FROM import_rows") == 0
        waiting = await connection.fetch("SELECT kind FROM timers")
        assert [row["kind"] for row in waiting] == [FORGET_TIMER]  # in 90 days


async def test_two_replicas_apply_every_row_once(open_desk):
    desk = await open_desk()
    other = await open_desk(database_url=desk.running.app.settings.database_url)
    job = await create(desk)
    for first in range(1, 3001, 1000):
        job = await append(other, job, [(i, customer(desk, i)) for i in range(first, first + 1000)])
    done, _ = await asyncio.gather(commit(desk, job), commit(other, job))
    assert (done.created_count, done.matched_count) == (3000, 0)
    assert len(await desk.facts("CustomerCreated")) == 3000


async def test_an_import_whose_handles_others_create_meanwhile_matches_them(desk):
    rows = [(i, customer(desk, i)) for i in range(1, 301)]
    job = await append(desk, await create(desk), rows)
    resolving = [desk.resolve(desk.external(f"crm:{i:05}"), create=Customer()) for i in range(1, 301, 10)]
    done, *_ = await asyncio.gather(commit(desk, job), *resolving)
    assert done.created_count + done.matched_count == 300
    assert len(await desk.facts("CustomerCreated")) == 300


@pytest.mark.parametrize("text", ["", "a b", "ä", "x" * 101])
async def test_a_source_is_a_code_of_the_client(desk, refused, text):
    request = CreateImportJobRequest(import_job=ImportJob(source=text))
    reason = "INVALID_CODE" if text else "REQUIRED"
    assert await refused(desk.imports.CreateImportJob(request)) == f"INVALID_ARGUMENT {reason}"


async def test_rows_come_in_bounded_batches_with_line_numbers(desk, refused):
    job = await create(desk)
    row = (1, customer(desk, 1))
    for rows, reason in (([], "REQUIRED"), ([row] * 1001, "TOO_LONG"), ([(0, Customer())], "INVALID_NUMBER")):
        assert await refused(append(desk, job, rows)) == f"INVALID_ARGUMENT {reason}"


async def test_a_job_that_does_not_exist_is_not_found(desk, refused):
    job = ImportJob(name=f"importJobs/{uuid4()}")
    for call in (
        desk.imports.GetImportJob(GetImportJobRequest(name=job.name)),
        append(desk, job, [(1, customer(desk, 1))]),
        errors(desk, job),
        desk.imports.CommitImportJob(CommitImportJobRequest(name=job.name)),
        desk.imports.CancelImportJob(CancelImportJobRequest(name=job.name)),
    ):
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"
