"""Where each field of a profile comes from, and what an import leaves as a person has said it."""

import hashlib
from datetime import timedelta

import pytest

from chassis.api.messages import timestamp
from rapport.customer.v1 import attribute_pb2 as messages
from rapport.customer.v1 import attribute_service_pb2 as pb
from rapport.customer.v1.attribute_service_pb2_grpc import AttributeServiceStub
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2 import (
    CreateCustomerRequest,
    GetCustomerRequest,
    UpdateCustomerRequest,
)
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2 import (
    AppendImportRowsRequest,
    CommitImportJobRequest,
    CreateImportJobRequest,
    GetImportJobRequest,
    ListImportFindingsRequest,
)
from rapport_testing.wait import eventually

A, V = messages.Attribute, messages.AttributeValue
MANUAL = {"rule": A.RULE_MANUAL, "trusted_sources": []}


@pytest.fixture
async def attributes(desk):
    return desk.running.stub(AttributeServiceStub)


@pytest.fixture
def value(attributes):
    async def read(customer, field):
        name = f"{customer}/attributeValues/profile.{field}"
        return await attributes.GetAttributeValue(pb.GetAttributeValueRequest(name=name))

    return read


@pytest.fixture
def release(attributes):
    async def by_hand(customer, field):
        name = f"{customer}/attributeValues/profile.{field}"
        return await attributes.ReleaseAttributeValue(pb.ReleaseAttributeValueRequest(name=name))

    return by_hand


async def load(desk, *rows, system="", source="a"):
    """Import rows; returns the job and what was told of them, by line."""
    job = ImportJob(source=hashlib.sha256(source.encode()).hexdigest(), system=system)
    job = await desk.imports.CreateImportJob(CreateImportJobRequest(import_job=job))
    sent = [ImportRow(line=line, customer=row) for line, row in enumerate(rows, start=2)]
    await desk.imports.AppendImportRows(AppendImportRowsRequest(name=job.name, rows=sent))
    await desk.imports.CommitImportJob(CommitImportJobRequest(name=job.name))

    async def done():
        desk.clock.advance(timedelta(seconds=1))
        now = await desk.imports.GetImportJob(GetImportJobRequest(name=job.name))
        return now if now.state == ImportJob.STATE_DONE else None

    finished = await eventually(done, timeout_s=60)
    told = await desk.imports.ListImportFindings(ListImportFindingsRequest(parent=job.name))
    return finished, [(each.field, each.reason, each.applied) for each in told.import_findings]


async def update(desk, name, stub=None, source="", **person):
    request = UpdateCustomerRequest(customer=Customer(name=name, person=Person(**person)), source=source)
    request.update_mask.paths.extend(f"person.{field}" for field in person)
    return await (stub or desk.customers).UpdateCustomer(request)


async def get(desk, name):
    return await desk.customers.GetCustomer(GetCustomerRequest(name=name))


async def test_every_field_says_which_source_it_has_from_whom_when_and_by_which_rule(desk, value):
    row = Customer(person=Person(given_name="Anna"), identifiers=[desk.external("crm:1")])
    job, _ = await load(desk, row, system="crm")
    assert job.system == "crm"
    name = (await desk.resolve(desk.external("crm:1"))).customer
    imported = await value(name, "given-name")
    stands = imported.standing
    assert (stands.value.text, stands.source, stands.recorder) == ("Anna", "crm", "agents/alice")
    assert (stands.department, imported.rule, stands.reason) == (
        "departments/front-desk",
        A.RULE_MANUAL,
        V.REASON_ONLY,
    )
    when = desk.clock.now()
    await update(desk, name, source="call-centre", given_name="Anne", family_name="Berg")
    changed = await value(name, "given-name")
    assert (changed.standing.value.text, changed.standing.source) == ("Anne", "call-centre")
    assert changed.standing.observe_time == timestamp(when)
    assert (changed.pinner, changed.standing.reason) == ("agents/alice", V.REASON_PINNED)
    assert [(each.value.text, each.source) for each in changed.others] == [("Anna", "crm")]
    assert (await value(name, "language-code")).standing.source == ""  # nobody said so


async def test_the_observation_of_an_import_names_the_job(desk, attributes, value):
    row = Customer(person=Person(given_name="Anna"), identifiers=[desk.external("crm:1")])
    job, _ = await load(desk, row)
    name = (await desk.resolve(desk.external("crm:1"))).customer
    (observation,) = (await attributes.ListObservations(pb.ListObservationsRequest(parent=name))).observations
    assert (observation.origin, observation.source) == (job.name, "import")
    explained = await attributes.ExplainAttributeValue(
        pb.ExplainAttributeValueRequest(name=f"{name}/attributeValues/profile.given-name")
    )
    assert "Anna" not in str(explained)
    assert explained.inputs["source"] == "import"


async def test_who_creates_a_customer_is_their_first_source_and_an_import_may_say_otherwise(desk, value):
    made = await desk.customers.CreateCustomer(
        CreateCustomerRequest(
            customer=Customer(person=Person(given_name="Anna"), identifiers=[desk.external("crm:1")]),
            source="web-form",
        )
    )
    assert (await value(made.name, "given-name")).standing.source == "web-form"
    _, told = await load(desk, Customer(person=Person(given_name="Ann"), identifiers=made.identifiers[:1]))
    assert told == [("person.given_name", "RENAMED", True)]
    assert (await value(made.name, "given-name")).standing.source == "import"


async def test_what_a_person_said_is_not_overwritten_by_an_import_until_it_is_released(desk, release):
    handle = desk.external("crm:1")
    anna = await desk.create(handle, family_name="Berg")
    await update(desk, anna.name, family_name="Sommer")
    row = Customer(
        person=Person(given_name="Anna", family_name="Berg"), region_code="DE", identifiers=[handle]
    )
    _, told = await load(desk, row)
    now = await get(desk, anna.name)
    assert (now.person.family_name, now.region_code) == ("Sommer", "DE")
    assert told == [("person.family_name", "VALUE_KEPT", True)]
    full = Customer(display_name="Anna Berg", identifiers=[handle])
    _, told = await load(desk, full, source="b")
    assert ((await get(desk, anna.name)).display_name, told) == (
        "Anna Sommer",
        [("display_name", "VALUE_KEPT", True)],
    )
    released = await release(anna.name, "family-name")
    assert (released.pinner, released.standing.value.text) == ("", "Sommer")
    assert await release(anna.name, "family-name") == released
    _, told = await load(desk, row, source="c")
    assert (await get(desk, anna.name)).person.family_name == "Berg"
    assert told == [("person.given_name", "RENAMED", True)]


async def test_what_a_system_updates_is_not_held_and_what_a_person_emptied_may_come_back(desk, value):
    handle = desk.external("crm:1")
    anna = await desk.create(handle, family_name="Berg")
    system = desk.running.stub(CustomerServiceStub, subject="service:billing")
    await update(desk, anna.name, system, family_name="Sommer")
    assert (await value(anna.name, "family-name")).standing.source == "billing"
    row = Customer(person=Person(given_name="Anna", family_name="Neu"), identifiers=[handle])
    await load(desk, row)
    assert (await get(desk, anna.name)).person.family_name == "Neu"
    await update(desk, anna.name, family_name="")
    assert not (await value(anna.name, "family-name")).HasField("standing")
    await load(desk, row, source="b")
    assert (await get(desk, anna.name)).person.family_name == "Neu"


async def test_a_more_trusted_source_keeps_its_word_where_the_rule_says_so(desk, attributes, value):
    rule = pb.PutAttributeRequest(
        name="attributes/profile.family-name",
        display_name="Family name",
        type=A.TYPE_TEXT,
        data_class=A.DATA_CLASS_PERSONAL,
        rule=A.RULE_TRUSTED_SOURCE,
        trusted_sources=["front-desk.registry", "front-desk.crm"],
    )
    await attributes.PutAttribute(rule)

    def row(name):
        return Customer(person=Person(family_name=name), identifiers=[desk.external("crm:1")])

    told = [
        (await load(desk, row(name), system=system, source=name))[1]
        for name, system in [("A", "crm"), ("B", "shop"), ("C", "registry"), ("D", "crm")]
    ]
    kept = [("person.family_name", "VALUE_KEPT", True)]
    assert told == [[], kept, [("person.family_name", "RENAMED", True)], kept]
    name = (await desk.resolve(desk.external("crm:1"))).customer
    assert (await value(name, "family-name")).standing.value.text == "C"


async def test_rows_about_one_customer_in_one_import_are_one_observation(desk, attributes, value):
    handle = desk.external("crm:1")
    await load(
        desk,
        Customer(person=Person(given_name="Anna"), identifiers=[handle]),
        Customer(person=Person(family_name="Berg"), identifiers=[handle]),
    )
    name = (await desk.resolve(handle)).customer
    found = (await attributes.ListObservations(pb.ListObservationsRequest(parent=name))).observations
    assert [[each.attribute for each in one.values] for one in found] == [
        ["attributes/profile.given-name", "attributes/profile.family-name"]
    ]


async def test_an_update_that_changes_nothing_records_nothing(desk, attributes):
    anna = await desk.create(family_name="Berg")
    await update(desk, anna.name, family_name="Berg")
    found = await attributes.ListObservations(pb.ListObservationsRequest(parent=anna.name))
    assert len(found.observations) == 1


async def test_what_the_release_before_wrote_is_by_nobody_who_is_known(desk, value, release):
    anna = await desk.create(family_name="Berg")
    async with desk.running.db.connection() as connection:
        await connection.execute("UPDATE customers SET profile_sources = ''")
    found = await value(anna.name, "family-name")
    assert (found.standing.value.text, found.standing.source, found.standing.recorder) == ("Berg", "", "")
    assert (await release(anna.name, "family-name")).standing == found.standing
