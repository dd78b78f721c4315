"""Imports of customers, step by step, and rows about few people, which meet each other."""

from datetime import timedelta
from uuid import uuid4

from google.type.postal_address_pb2 import PostalAddress

from rapport.customer.v1.customer_pb2 import Address, Customer, Person
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2 import (
    AppendImportRowsRequest,
    CommitImportJobRequest,
    CreateImportJobRequest,
    GetImportJobRequest,
    ListImportEffectsRequest,
    ListImportFindingsRequest,
    PreviewImportJobRequest,
)
from rapport_testing.wait import eventually

State = ImportJob.State


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
