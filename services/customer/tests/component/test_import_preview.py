"""What an import would do is what it then does, and nothing that was known is overwritten without a word."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from google.type.postal_address_pb2 import PostalAddress

from customer.usecases import imports
from rapport.customer.v1.customer_pb2 import Address, Customer, Person
from rapport.customer.v1.import_job_pb2 import ImportEffect, ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2 import (
    AppendImportRowsRequest,
    CancelImportJobRequest,
    CommitImportJobRequest,
    CreateImportJobRequest,
    GetImportJobRequest,
    ListImportEffectsRequest,
    ListImportFindingsRequest,
    PreviewImportJobRequest,
)
from rapport_testing.wait import eventually

State, Outcome = ImportJob.State, ImportEffect.Outcome
COUNTS = (
    *("created_count", "matched_count", "changed_count"),
    *("renamed_count", "skipped_count", "refused_count"),
)


async def staged(desk, *rows, mode=ImportJob.MODE_UNSPECIFIED):
    job = ImportJob(source=uuid4().hex, system="crm", mode=mode)
    job = await desk.imports.CreateImportJob(CreateImportJobRequest(import_job=job))
    sent = [ImportRow(line=line, customer=row) for line, row in enumerate(rows, start=2)]
    return await desk.imports.AppendImportRows(AppendImportRowsRequest(name=job.name, rows=sent))


async def until(desk, job, state):
    async def there():
        desk.clock.advance(timedelta(seconds=1))
        now = await desk.imports.GetImportJob(GetImportJobRequest(name=job.name))
        return now if now.state == state else None

    return await eventually(there, timeout_s=60)


async def previewed(desk, job):
    await desk.imports.PreviewImportJob(PreviewImportJobRequest(name=job.name))
    return await until(desk, job, State.STATE_PREVIEWED)


async def committed(desk, job):
    await desk.imports.CommitImportJob(CommitImportJobRequest(name=job.name))
    return await until(desk, job, State.STATE_DONE)


async def effects(desk, job):
    request = ListImportEffectsRequest(parent=job.name, page_size=1000)
    return list((await desk.imports.ListImportEffects(request)).import_effects)


async def findings(desk, job):
    request = ListImportFindingsRequest(parent=job.name, page_size=1000)
    return list((await desk.imports.ListImportFindings(request)).import_findings)


def counts(job):
    return {name: getattr(job, name) for name in COUNTS}


def random_row(desk, dice):
    """Somebody of few, who has handles of few: rows meet each other, and those who are known."""
    handles = [
        desk.external(f"crm:{dice.randint(1, 5)}"),
        desk.external(f"shop:{dice.randint(1, 5)}"),
        desk.email(f"m{dice.randint(1, 5)}@example.com"),
        desk.phone(f"+49 30 90182{dice.randint(0, 2)}"),
    ]
    person = Person(
        given_name=dice.choice(["", "Ada", "Ada", "Bo"]), family_name=dice.choice(["", "Lund", "Lund", "Ek"])
    )
    addresses = [
        Address(
            type=Address.TYPE_HOME,
            postal_address=PostalAddress(
                region_code="DE", locality=dice.choice(["Kiel", "Ulm"]), address_lines=["Weg 1"]
            ),
        )
    ]
    return Customer(
        identifiers=dice.sample(handles, dice.randint(0, 3)),
        person=person,
        language_code=dice.choice(["", "de", "fr"]),
        addresses=addresses if dice.random() < 0.4 else [],
    )


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
        did_something = (Outcome.OUTCOME_CREATED, Outcome.OUTCOME_CHANGED)
        assert [each for each in would_do if each.outcome in did_something] == did
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
    assert (new.outcome, new.customer, new.created_line) == (Outcome.OUTCOME_CREATED, "", 2)
    assert (known.outcome, known.customer, known.created_line) == (Outcome.OUTCOME_CHANGED, anna.name, 0)
    assert (known.matched_by, known.added_identifiers) == ("identifiers[1]", ["identifiers[0]"])
    assert [(c.field, c.before, c.after, c.overwrites) for c in known.changes] == [
        ("person.birth_date", "", "1984", False),
        ("language_code", "de", "fr", True),
    ]
    assert (again.matched_by, again.created_line, again.customer) == ("identifiers[0]", 2, "")
    told = [(each.line, each.reason, each.field, each.applied) for each in await findings(desk, job)]
    assert told == [
        (3, "CHANGED", "language_code", True),
        (4, "CHANGED", "language_code", True),  # English is what nobody said
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
