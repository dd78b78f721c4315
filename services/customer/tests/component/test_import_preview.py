"""What an import would do is what it then does, and nothing that was known is overwritten without a word."""

import random
from datetime import timedelta

import pytest

from customer.usecases import imports
from rapport.common.v1.import_outcome_pb2 import (
    IMPORT_OUTCOME_CORRECTED,
    IMPORT_OUTCOME_CREATED,
    IMPORT_OUTCOME_SKIPPED,
)
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2 import (
    AppendImportRowsRequest,
    CancelImportJobRequest,
    CreateImportJobRequest,
    ListImportJobsRequest,
)
from rapport_imports import importing
from rapport_imports.result import Change, Result
from rapport_imports.wanted import Kind, Wanted
from rapport_testing.wait import eventually
from services.customer.tests.component.importing import (
    committed,
    effects,
    findings,
    previewed,
    random_row,
    staged,
)

State = ImportJob.State
COUNTS = (
    *("created_count", "matched_count", "changed_count"),
    *("renamed_count", "skipped_count", "refused_count"),
)


def counts(job):
    return {name: getattr(job, name) for name in COUNTS}


@pytest.mark.parametrize("seed", range(3))
async def test_what_a_preview_says_is_what_is_done(desk, monkeypatch, seed):
    monkeypatch.setattr(imports, "CHUNK", 3)  # rows meet those of other chunks, too
    dice = random.Random(seed)
    for mode in ImportJob.Mode.values():
        job = await staged(desk, *(random_row(desk, dice) for _ in range(11)), mode=mode)
        would = await previewed(desk, job)
        would_do, would_tell = await effects(desk, job), await findings(desk, job)
        assert would.state == State.STATE_PREVIEWED
        done = await committed(desk, job)
        did, told = await effects(desk, job), await findings(desk, job)
        assert counts(would) == counts(done)
        assert would_tell == told
        for effect in did:
            if effect.created_line:
                effect.customer = ""
        assert [each for each in would_do if each.outcome != IMPORT_OUTCOME_SKIPPED] == did
        assert len(would_do) == done.row_count - done.refused_count


async def test_a_preview_says_of_each_row_who_is_meant_by_what_and_what_changes_from_what(desk):
    anna = await desk.create(desk.external("crm:1"), family_name="Berg", language_code="de")
    job = await staged(
        desk,
        Customer(identifiers=[desk.email("new@example.com")], person=Person(given_name="Nils")),
        Customer(
            identifiers=[desk.email("anna@example.com"), desk.external("crm:1")],
            person=Person(family_name="Berg", birth_date={"year": 1984}),
            language_code="fr",
        ),
        Customer(identifiers=[desk.email("new@example.com")], language_code="sv"),
        Customer(),
    )
    would = await previewed(desk, job)
    assert counts(would) == dict(zip(COUNTS, (1, 2, 2, 0, 0, 1), strict=True))
    new, known, again = await effects(desk, job)
    assert (new.outcome, new.customer, new.created_line) == (IMPORT_OUTCOME_CREATED, "", 2)
    assert (known.outcome, known.customer, known.created_line) == (IMPORT_OUTCOME_CORRECTED, anna.name, 0)
    assert (known.matched_by, known.added_identifiers) == ("identifiers[1]", ["identifiers[0]"])
    assert [(c.field, c.before, c.after, c.overwrites) for c in known.changes] == [
        ("person.birth_date", "", "1984", False),
        ("language_code", "de", "fr", True),
    ]
    assert (again.matched_by, again.created_line, again.customer) == ("identifiers[0]", 2, "")
    told = [(each.line, each.reason, each.field, each.applied) for each in await findings(desk, job)]
    assert told == [
        (3, "CHANGED", "language_code", True),
        (5, "REQUIRED", "identifiers", False),
    ]
    assert await desk.get(anna.name) == anna
    assert len(await desk.facts("CustomerCreated")) == 1
    await desk.imports.CancelImportJob(CancelImportJobRequest(name=job.name))
    assert not await effects(desk, job)


async def test_only_those_are_imported_whom_the_mode_means_and_the_others_are_counted(desk):
    anna = await desk.create(desk.external("crm:1"))
    rows = [
        Customer(identifiers=[desk.external("crm:1")], language_code="fr"),
        Customer(identifiers=[desk.external("crm:2")], person=Person(given_name="Nils")),
        Customer(identifiers=[desk.external("crm:2")], language_code="sv"),
    ]
    done = await committed(desk, await staged(desk, *rows, mode=ImportJob.MODE_CREATE))
    assert counts(done) == dict(zip(COUNTS, (1, 1, 1, 0, 1, 0), strict=True))
    assert await desk.get(anna.name) == anna
    nils = (await desk.resolve(desk.external("crm:2"))).customer
    assert (await desk.get(nils)).language_code == "sv"

    strange = Customer(identifiers=[desk.external("crm:3")])
    done = await committed(desk, await staged(desk, *rows[:1], strange, mode=ImportJob.MODE_UPDATE))
    assert counts(done) == dict(zip(COUNTS, (0, 1, 1, 0, 1, 0), strict=True))
    assert (await desk.get(anna.name)).language_code == "fr"


async def test_a_job_that_is_previewed_takes_no_rows_and_is_under_way(desk, refused):
    job = await previewed(desk, await staged(desk, Customer(identifiers=[desk.external("crm:1")])))
    more = AppendImportRowsRequest(name=job.name, rows=[ImportRow(line=9)])
    assert await refused(desk.imports.AppendImportRows(more)) == "FAILED_PRECONDITION IMPORT_NOT_OPEN"
    again = CreateImportJobRequest(import_job=ImportJob(source=job.source))
    assert await refused(desk.imports.CreateImportJob(again)) == "ALREADY_EXISTS IMPORT_UNDER_WAY"


async def test_a_preview_that_is_given_up_is_told_no_more_at_once_and_forgotten_page_by_page(
    desk, monkeypatch
):
    monkeypatch.setattr(imports, "FORGOTTEN_AT_ONCE", 2)
    people = [Customer(identifiers=[desk.external(f"crm:{n}")], language_code="de") for n in range(5)]
    job = await previewed(desk, await staged(desk, *people, *people))
    assert len(await effects(desk, job)) == 10
    await desk.imports.CancelImportJob(CancelImportJobRequest(name=job.name))
    assert (await effects(desk, job), await findings(desk, job)) == ([], [])
    kept = ("rows", "findings", "effects", "previews", "preview_keys")

    async def forgotten():
        desk.clock.advance(timedelta(seconds=1))
        counted = [f"(SELECT count(*) FROM import_{each})" for each in kept]
        async with desk.running.db.connection() as connection:
            return await connection.fetchval(f"SELECT {' + '.join(counted)}") == 0

    await eventually(forgotten)


async def imported(desk, tmp_path, content, **wanted):
    file = tmp_path / "contacts.csv"
    file.write_text(content)
    result = Result()
    await importing.run(
        Wanted(Kind.CUSTOMERS, file, system="crm", **wanted),
        result,
        installed="",
        connect=lambda: lambda _: desk.running.stub(lambda channel: channel),
        say=lambda _: None,
        progress=lambda *_: None,
    )
    return result


async def test_a_dry_run_of_a_file_says_what_the_import_then_does_and_leaves_nothing(desk, tmp_path):
    anna = await desk.create(desk.external("crm:1"), language_code="de")
    content = "id,first name,e-mail,language\n2,Nils,n@example.com,sv\n1,Anna,a@example.com,fr\n,,nonsense,\n"
    tried = await imported(desk, tmp_path, content, dry_run=True)
    assert (tried.created, tried.known, tried.changed, tried.refused) == (1, 1, 1, 1)
    assert (tried.known_by, tried.changed_columns) == ({"id": 1}, {"language": 1, "e-mail": 1})
    assert tried.changes == [Change(3, anna.name, "language", "de", "fr", overwrites=True)]
    assert [(each.reason, each.column) for each in tried.told] == [("CHANGED", "language")]
    assert await desk.get(anna.name) == anna
    (job,) = (await desk.imports.ListImportJobs(ListImportJobsRequest())).import_jobs
    assert (job.state, await effects(desk, job)) == (State.STATE_CANCELLED, [])

    only_new = await imported(desk, tmp_path, content, only="new")
    assert (only_new.created, only_new.known, only_new.skipped) == (1, 0, 1)
    done = await imported(desk, tmp_path, content)
    assert (done.created, done.known, done.changed, done.refused) == (0, 2, 1, 1)
    assert (await imported(desk, tmp_path, content, dry_run=True)).notes[-1].startswith("imported already at")
