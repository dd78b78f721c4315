"""Who is who in an import: what proves it, what only suggests it, and what is told."""

import hashlib
from datetime import timedelta

import pytest
from google.type.date_pb2 import Date
from google.type.postal_address_pb2 import PostalAddress

from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2 import (
    AppendImportRowsRequest,
    CommitImportJobRequest,
    CreateImportJobRequest,
    GetImportJobRequest,
    ListImportFindingsRequest,
)
from rapport_testing.wait import eventually


async def load(desk, *customers, source="a", confirmed=False):
    """Import rows, and wait until all are applied. Returns the job and what is told of rows, by line."""
    sha = hashlib.sha256(source.encode()).hexdigest()
    job = await desk.imports.CreateImportJob(CreateImportJobRequest(import_job=ImportJob(source=sha)))
    rows = [
        ImportRow(line=line, customer=customer, confirmed=confirmed)
        for line, customer in enumerate(customers, start=2)
    ]
    await desk.imports.AppendImportRows(AppendImportRowsRequest(name=job.name, rows=rows))
    await desk.imports.CommitImportJob(CommitImportJobRequest(name=job.name))

    async def done():
        desk.clock.advance(timedelta(seconds=1))
        now = await desk.imports.GetImportJob(GetImportJobRequest(name=job.name))
        return now if now.state == ImportJob.STATE_DONE else None

    finished = await eventually(done, timeout_s=60)
    told = await desk.imports.ListImportFindings(ListImportFindingsRequest(parent=job.name, page_size=1000))
    return finished, [(e.line, e.reason, e.applied) for e in told.import_findings]


async def get(desk, handle):
    found = await desk.resolve(handle)
    return await desk.customers.GetCustomer(GetCustomerRequest(name=found.customer))


async def test_colleagues_behind_one_switchboard_stay_three_customers_and_it_is_told(desk, refused):
    number = "+49 30 1234567"
    job, told = await load(
        desk,
        *(
            Customer(
                person=Person(given_name=name),
                identifiers=[
                    desk.external(f"crm:{i}"),
                    desk.email(f"{name}@acme.example.com"),
                    desk.phone(phone),
                ],
            )
            for i, (name, phone) in enumerate(
                [("anna", number), ("bob", f"{number} ext 12"), ("cid", number)]
            )
        ),
    )
    assert (job.created_count, job.matched_count) == (3, 0)
    assert told == [(4, "IDENTIFIER_SHARED", True)]
    assert (await get(desk, desk.email("cid@acme.example.com"))).person.given_name == "cid"
    assert (await get(desk, desk.phone(f"{number} ext 12"))).person.given_name == "bob"
    assert await refused(desk.resolve(desk.phone(number))) == "FAILED_PRECONDITION IDENTIFIER_SHARED"


async def test_a_number_alone_finds_who_is_called_the_same_and_nobody_else(desk):
    def row(name):
        return Customer(display_name=name, identifiers=[desk.phone("+49301234567")])

    await load(desk, row("Anna Berg"), row("Bob Cole"), source="a")
    job, _ = await load(desk, row("ANNA  berg"), row("Cid Dahl"), row(""), source="b")
    assert (job.created_count, job.matched_count) == (2, 1)


async def test_strangers_whose_systems_count_alike_do_not_become_one_unless_somebody_says_so(desk):
    def row(name, *addresses):
        handles = [desk.email(f"{address}@example.com") for address in addresses]
        return Customer(display_name=name, identifiers=[desk.external("import:1"), *handles])

    await load(desk, row("Luís Gonçalves", "luis"), source="a")
    strangers = [row("Ben", "ben"), row("Ben", "ben", "luis"), row("Ben", "new"), row("Lu")]
    job, told = await load(desk, strangers[0], source="b")
    assert told == [(2, "NAME_DIFFERS", False)]
    assert (job.created_count, job.matched_count, job.renamed_count, job.refused_count) == (0, 0, 0, 1)
    found = await get(desk, desk.external("import:1"))
    assert (found.display_name, len(found.identifiers)) == ("Luís Gonçalves", 2)
    for i, alike in enumerate(strangers[1:]):
        _, told = await load(desk, alike, source=f"c{i}")
        assert [reason for _, reason, _ in told if reason == "NAME_DIFFERS"] == []
    job, told = await load(desk, row("Cy", "cy"), source="d", confirmed=True)
    assert (job.matched_count, told) == (1, [(2, "RENAMED", True)])


async def test_two_ids_of_one_system_never_join_whatever_they_share(desk):
    rows = [
        Customer(
            person=Person(given_name=name),
            identifiers=[desk.external(f"crm:{name}"), desk.email("both@example.com")],
        )
        for name in ("anna", "bob")
    ]
    job, told = await load(desk, *rows)
    assert (job.created_count, told) == (2, [(3, "IDENTIFIER_TAKEN", True)])
    assert (await get(desk, desk.external("crm:bob"))).person.given_name == "bob"
    assert (await get(desk, desk.email("both@example.com"))).person.given_name == "anna"


async def test_two_account_numbers_never_join_by_an_email_and_ids_of_two_systems_may(desk):
    def row(*handles):
        return Customer(identifiers=[*handles, desk.email("anna@example.com")])

    account = desk.external("x:1")
    account.type, account.system, account.value = account.TYPE_ACCOUNT_NUMBER, "", "A-1"
    other = desk.external("x:1")
    other.type, other.system, other.value = other.TYPE_ACCOUNT_NUMBER, "", "A-2"
    job, _ = await load(
        desk, row(account), row(other), row(desk.external("shop:1")), row(desk.external("crm:7"))
    )
    assert (job.created_count, job.matched_count) == (2, 2)
    assert (await get(desk, desk.external("shop:1"))).name == (await get(desk, desk.external("crm:7"))).name


async def test_an_email_alone_renames_nobody_and_it_is_told(desk):
    erika = await desk.create(desk.email("erika@example.com"), given_name="Erika", family_name="Sommer")
    row = Customer(
        person=Person(given_name="Erika", family_name="Neu"),
        region_code="DE",
        identifiers=erika.identifiers[:1],
    )
    job, told = await load(desk, row)
    now = await get(desk, desk.email("erika@example.com"))
    assert (now.display_name, now.region_code) == ("Erika Sommer", "DE")
    assert (job.matched_count, job.renamed_count, told) == (1, 0, [(2, "NAME_KEPT", True)])


async def test_two_rows_with_one_email_keep_the_first_name_and_tell_of_the_second(desk):
    rows = [
        Customer(display_name=name, identifiers=[desk.email("info@example.com")]) for name in ("Anna", "Bob")
    ]
    job, told = await load(desk, *rows)
    assert (job.created_count, job.matched_count, told) == (1, 1, [(3, "NAME_KEPT", True)])
    assert (await get(desk, desk.email("info@example.com"))).display_name == "Anna"


async def test_an_id_renames_and_it_is_counted_and_told(desk):
    await desk.create(desk.external("crm:1"), given_name="Erika", family_name="Sommer")
    row = Customer(person=Person(given_name="Erika", family_name="Neu"), identifiers=[desk.external("crm:1")])
    job, told = await load(desk, row)
    assert (job.renamed_count, told) == (1, [(2, "RENAMED", True)])
    assert (await get(desk, desk.external("crm:1"))).display_name == "Erika Neu"


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ({"person": Person(given_name="ERIKA")}, [(2, "CHANGED", True)]),
        ({"person": Person(family_name="Sommer")}, []),
        ({"display_name": "erika"}, []),
    ],
)
async def test_a_name_that_agrees_or_adds_is_another_name_of_nobody(desk, name, changed):
    await desk.create(desk.external("crm:1"), given_name="Erika")
    job, told = await load(desk, Customer(identifiers=[desk.external("crm:1")], **name))
    assert (job.matched_count, job.renamed_count, told) == (1, 0, changed)


async def test_a_real_name_replaces_a_stand_in(desk):
    await desk.resolve(desk.external("nw:ALFKI"), create=Customer(display_name="ALFKI"))
    await desk.resolve(desk.email("b@example.com"), create=Customer(display_name="b@example.com"))
    job, told = await load(
        desk,
        Customer(
            person=Person(given_name="Anna", family_name="Berg"), identifiers=[desk.external("nw:ALFKI")]
        ),
        Customer(organization=Organization(legal_name="Acme"), identifiers=[desk.email("b@example.com")]),
    )
    assert (job.matched_count, told) == (2, [])
    assert (await get(desk, desk.external("nw:ALFKI"))).display_name == "Anna Berg"
    assert (await get(desk, desk.email("b@example.com"))).display_name == "Acme"


async def test_a_row_makes_a_person_of_an_organization_and_never_the_reverse(desk):
    def row(**kind):
        return Customer(identifiers=[desk.external("crm:1")], **kind)

    acme = row(organization=Organization(legal_name="Acme"))
    await load(desk, acme, row(person=Person(given_name="Anna", organization_name="Acme")), acme)
    found = await get(desk, desk.external("crm:1"))
    assert found.person == Person(given_name="Anna", organization_name="Acme")


async def test_whoever_shares_the_address_of_an_organization_makes_no_person_of_it(desk):
    info = desk.email("info@acme.example.com")
    acme = await desk.create(info, organization=Organization(legal_name="Acme GmbH"))
    anna = Person(given_name="Anna", family_name="Schmidt", birth_date=Date(year=1984))
    job, told = await load(
        desk,
        Customer(person=anna, region_code="DE", identifiers=[info, desk.external("crm:1")]),
        Customer(display_name="Bob's Burgers", identifiers=[info]),
    )
    found = await get(desk, info)
    assert (found.organization, found.display_name) == (acme.organization, "Acme GmbH")
    assert (found.region_code, len(found.identifiers)) == ("DE", 1)
    assert (job.renamed_count, told) == (0, [(2, "NAME_KEPT", True), (3, "NAME_KEPT", True)])


def address(line, kind=Address.TYPE_HOME, **fields):
    return Address(type=kind, postal_address=PostalAddress(region_code="DE", address_lines=[line]), **fields)


async def test_an_address_takes_the_place_of_the_one_of_its_type_and_the_primary_one_stays(desk):
    handle = desk.external("crm:1")
    await desk.create(
        handle, addresses=[address("Weg 1", primary=True), address("Gasse 2", Address.TYPE_WORK)]
    )
    rows = [
        address("Platz 3"),
        address("Gasse 2", Address.TYPE_BILLING),
        address("Post 4", Address.TYPE_BILLING),
    ]
    await load(desk, *(Customer(identifiers=[handle], addresses=[row]) for row in rows))
    found = [(a.postal_address.address_lines[0], a.primary) for a in (await get(desk, handle)).addresses]
    assert found == [("Platz 3", True), ("Gasse 2", False), ("Post 4", False)]


async def test_of_several_addresses_of_a_type_each_is_kept_as_far_as_there_is_room(desk):
    async def brought(*lines, kind=Address.TYPE_HOME):
        row = Customer(identifiers=[handle], addresses=[address(line, kind) for line in lines])
        _, told = await load(desk, row, source=f"{lines} {kind}")
        found = (await get(desk, handle)).addresses
        return [each.postal_address.address_lines[0] for each in found], told

    handle = desk.external("crm:1")
    await desk.create(handle)
    assert await brought("A", "B") == (["A", "B"], [])
    overwritten = [(2, "CHANGED", True)]
    assert await brought("A", "C") == (["A", "C"], overwritten)
    assert await brought("D", "E", "F") == (["D", "E", "F"], overwritten)
    homes, _ = await brought(*(f"Weg {i}" for i in range(20)))
    assert await brought("W", kind=Address.TYPE_WORK) == (homes, [(2, "TOO_MANY_ADDRESSES", True)])


async def test_who_only_shares_an_email_lends_neither_birthday_nor_address(desk):
    email = desk.email("us@example.com")
    await desk.create(email, given_name="Anna")
    bert = Person(given_name="Bert", birth_date=Date(year=1984))
    row = Customer(person=bert, addresses=[address("Weg 1")], region_code="DE", identifiers=[email])
    _, told = await load(desk, row)
    found = await get(desk, email)
    assert (found.person, list(found.addresses)) == (Person(given_name="Anna"), [])
    assert (found.region_code, told) == ("DE", [(2, "NAME_KEPT", True)])


async def test_mailboxes_of_two_domains_stay_two_customers(desk):
    addresses = ("anna@strasse.example", "anna@straße.example", "\u212aate@example.com", "kate@example.com")
    job, _ = await load(desk, *(Customer(identifiers=[desk.email(a)]) for a in addresses))
    assert job.created_count == 4


async def test_a_handle_that_reaches_nobody_is_kept_and_told(desk):
    rows = [
        Customer(identifiers=[desk.external("crm:1"), desk.email("xxx.yyy.@docomo.ne.jp")]),
        Customer(identifiers=[desk.external("crm:2"), desk.phone("030 1234567")]),
    ]
    job, told = await load(desk, *rows)
    assert job.created_count == 2
    assert told == [(2, "INVALID_EMAIL", True), (3, "INVALID_PHONE", True)]


async def test_an_address_lends_no_id_to_another_name_that_would_rename_with_it_later(desk):
    def row(system, name):
        return Customer(display_name=name, identifiers=[desk.external(system), desk.email("us@example.com")])

    await load(desk, row("crm:1", "Anna"), source="a")
    for source in "bc":
        _, told = await load(desk, row("shop:2", "Bert"), source=source)
        assert told == [(2, "NAME_KEPT", True)]
    found = await get(desk, desk.email("us@example.com"))
    assert (found.display_name, len(found.identifiers)) == ("Anna", 2)
    await load(desk, row("shop:3", "anna"), source="d")
    assert (await get(desk, desk.external("shop:3"))).name == found.name


async def test_what_a_row_has_too_much_of_is_told(desk):
    def row(first, count):
        handles = [desk.email(f"m{i}@example.com") for i in range(first, first + count)]
        return Customer(display_name="Anna", identifiers=[desk.external("crm:1"), *handles])

    _, told = await load(desk, row(0, 20), source="a")
    assert told == [(2, "TOO_LONG", False)]
    for batch in range(5):
        _, told = await load(desk, row(batch * 19, 19), source=f"b{batch}", confirmed=True)
        assert told == []
    _, told = await load(desk, row(95, 10), source="c", confirmed=True)
    assert told == [(2, "TOO_MANY_IDENTIFIERS", True)]
    assert len((await get(desk, desk.external("crm:1"))).identifiers) == 100


INFO = "info@example.com"


async def test_an_import_joins_nobody_by_what_is_shared(desk, refused):
    rows = []
    for n, name in enumerate(("Anna", "Bert", "Cleo")):
        info = desk.email(INFO)
        info.shared = n == 1
        rows.append(Customer(person=Person(given_name=name), identifiers=[desk.external(f"crm:{n}"), info]))
    job, told = await load(desk, *rows)
    assert job.created_count == 3
    assert {reason for _, reason, _ in told} == {"IDENTIFIER_SHARED"}
    assert await refused(desk.resolve(desk.email(INFO))) == "FAILED_PRECONDITION IDENTIFIER_SHARED"
    again, _ = await load(desk, *rows, source="b")
    assert (again.created_count, again.matched_count) == (0, 3)
    dora = Customer(person=Person(given_name="Dora"), identifiers=[desk.email(INFO)])
    assert (await load(desk, dora, source="c"))[0].created_count == 1


async def test_an_import_that_says_shared_of_what_somebody_has_alone_leaves_it_there(desk):
    anna = await desk.create(desk.email(INFO))
    info = desk.email(INFO)
    info.shared = True
    row = Customer(person=Person(given_name="Bert"), identifiers=[desk.external("crm:1"), info])
    job, told = await load(desk, row)
    assert (job.created_count, told) == (1, [(2, "IDENTIFIER_TAKEN", True)])
    assert (await desk.resolve(desk.email(INFO))).customer == anna.name


async def test_of_two_records_of_one_system_that_were_merged_each_keeps_what_its_rows_say(desk):
    def row(number, name, **more):
        handles = [desk.external(f"crm:{number}"), *more.get("handles", ())]
        return Customer(display_name=name, identifiers=handles, region_code=more.get("region", ""))

    export = [row(1, "Jon Smith"), row(2, "John Smyth")]
    await load(desk, *export, source="first")
    jon, john = [(await get(desk, desk.external(f"crm:{n}"))).name for n in (1, 2)]
    merge = await desk.merge(jon, john)
    before = await desk.get(jon)
    for night in ("second", "third"):
        job, told = await load(desk, *export, source=night)
        assert (job.matched_count, job.renamed_count, told) == (2, 0, [])
    assert await desk.get(jon) == before
    await load(
        desk, row(2, "John Smythe", region="GB", handles=[desk.email("j@smythe.example")]), source="fourth"
    )
    now = await desk.get(john)  # which is Jon
    assert (now.name, now.display_name, now.region_code) == (jon, "Jon Smith", "")
    assert len(now.identifiers) == 3
    await desk.undo(merge)
    jon_again, john_again = [await desk.get(name) for name in (jon, john)]
    assert (jon_again.display_name, len(jon_again.identifiers)) == ("Jon Smith", 1)
    assert (john_again.display_name, john_again.region_code) == ("John Smythe", "GB")
    assert [each.value for each in john_again.identifiers] == ["2", "j@smythe.example"]


async def test_an_export_that_comes_back_finds_customers_by_the_names_they_have_here(desk):
    nameless = await desk.create(given_name="Ann")
    key = desk.external(f"rapport:{nameless.name}")
    job, told = await load(desk, Customer(person=Person(given_name="Anna"), identifiers=[key]))
    assert (job.created_count, job.matched_count, told) == (0, 1, [(2, "RENAMED", True)])
    found = await get(desk, key)
    assert (found.name, found.person.given_name, [*found.identifiers]) == (nameless.name, "Anna", [])
    elsewhere = desk.external("rapport:customers/00000000-0000-0000-0000-000000000001")
    job, _ = await load(desk, Customer(display_name="Bo", identifiers=[elsewhere]), source="b")
    assert job.created_count == 1
    assert [i.value for i in (await get(desk, elsewhere)).identifiers] == [elsewhere.value]
