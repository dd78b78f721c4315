import asyncio
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from google.type.postal_address_pb2 import PostalAddress

from chassis.api import filters
from chassis.grpc.status import reason as reason_of
from chassis.grpc.status import refusal
from customer.store.tables import LIST_CUSTOMERS
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.customer.v1.consent_service_pb2 import CheckContactRequest
from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person
from rapport.customer.v1.customer_service_pb2 import (
    AssignRelationshipManagerRequest,
    BatchGetCustomersRequest,
    CreateCustomerRequest,
    CreateIdentifierRequest,
    DeleteIdentifierRequest,
    GetCustomerRequest,
    GetIdentifierRequest,
    ListCustomersRequest,
    ListIdentifiersRequest,
    UpdateCustomerRequest,
)
from rapport.customer.v1.identifier_pb2 import Identifier

pytestmark = pytest.mark.together


async def get(desk, name):
    return await desk.customers.GetCustomer(GetCustomerRequest(name=name))


async def listed(desk, customer):
    return list((await desk.customers.ListIdentifiers(ListIdentifiersRequest(parent=customer))).identifiers)


async def add(desk, customer, identifier):
    return await desk.customers.CreateIdentifier(
        CreateIdentifierRequest(parent=customer, identifier=identifier)
    )


async def test_a_customer_is_created_told_and_read_back(desk):
    created = await desk.create(
        desk.email("Anna@Example.com"), desk.phone("030-0074321"), family_name="Berg", region_code="DE"
    )
    assert (created.display_name, created.etag) == ("Anna Berg", '"1"')
    assert [(i.value, i.normalized_value) for i in created.identifiers] == [
        ("Anna@Example.com", "anna@example.com"),
        ("030-0074321", "+49300074321"),
    ]
    assert await get(desk, created.name) == created
    told = await desk.facts()
    assert [fact.type.rsplit(".", 1)[1] for fact in told] == [
        "CustomerCreated",
        "IdentifierCreated",
        "IdentifierCreated",
    ]
    assert told[0].data.customer == created.name
    assert [fact.data.identifier for fact in told[1:]] == [i.name for i in created.identifiers]


async def test_every_customer_has_a_relationship_manager(open_desk):
    desk = await open_desk()
    assert (await desk.create()).relationship_manager == "agents/front-desk"
    desk = await open_desk(default_relationship_manager="agents/carla")
    assert (await desk.create()).relationship_manager == "agents/carla"


@pytest.mark.alone("what it makes has a name that others use")
async def test_facts_hold_no_personal_data(desk):
    await desk.create(desk.email("anna@example.com"), family_name="Geheim")
    for fact in await desk.facts():
        assert b"Geheim" not in fact.data.SerializeToString()
        assert b"anna" not in fact.data.SerializeToString()


async def test_every_violation_of_a_request_is_reported(desk):
    wrong = Customer(
        person=Person(given_name="x" * 101, family_name="x" * 101),
        language_code="german",
        time_zone="Mars/Olympus",
        region_code="UK",
        identifiers=[Identifier(value="x"), Identifier(type=99, value="x"), desk.email("")],
    )
    with pytest.raises(Exception, match=r"customer\.person\.given_name") as caught:
        await desk.customers.CreateCustomer(CreateCustomerRequest(customer=wrong))
    for field in ("person.family_name", "language_code", "time_zone", "region_code"):
        assert f"customer.{field}" in caught.value.details()
    for field in ("identifiers[0].type", "identifiers[1].type", "identifiers[2].value"):
        assert f"customer.{field}" in caught.value.details()


@pytest.mark.parametrize("name", ["localtime", "Factory", "posixrules", "europe/berlin"])
async def test_a_customers_time_zone_is_one_of_the_iana_database(desk, refused, name):
    asked = CreateCustomerRequest(customer=Customer(display_name="Anna", time_zone=name))
    assert await refused(desk.customers.CreateCustomer(asked)) == "INVALID_ARGUMENT INVALID_CODE"


def known_zone(customer):
    return customer.time_zone, customer.effective_time_zone, customer.time_zone_source


async def test_where_nobody_said_a_time_zone_it_is_the_countrys_or_the_installations_wherever_it_is_read(
    open_desk,
):
    desk = await open_desk(time_zone="Europe/Vienna")
    ann, emi = (
        await desk.create(region_code="US"),
        await desk.create(desk.email("emi@a.com"), region_code="JP"),
    )
    assert known_zone(ann) == ("", "Europe/Vienna", Customer.TIME_ZONE_SOURCE_INSTALLATION)
    assert known_zone(emi) == ("", "Asia/Tokyo", Customer.TIME_ZONE_SOURCE_COUNTRY)
    utc = await desk.get((await desk.create(region_code="JP", time_zone="UTC")).name)
    assert known_zone(utc) == ("UTC", "UTC", Customer.TIME_ZONE_SOURCE_SAID)
    for each in (ann, emi):
        read, view = await desk.get(each.name), await desk.view(each.name)
        contact = await desk.consents.CheckContact(
            CheckContactRequest(name=each.name, purpose="purposes/service", channels=[CHANNEL_EMAIL])
        )
        assert {read.effective_time_zone, view.time_zone, contact.time_zone} == {each.effective_time_zone}


async def test_a_customer_is_read_and_sent_back_as_a_whole_and_their_time_zone_is_still_nobodys_word(desk):
    emi = await desk.create(region_code="JP")
    emi.display_name = "Emi"
    whole = UpdateCustomerRequest(customer=emi, update_mask=FieldMask(paths=["*"]))
    emi = await desk.customers.UpdateCustomer(whole)
    assert known_zone(emi) == ("", "Asia/Tokyo", Customer.TIME_ZONE_SOURCE_COUNTRY)


async def test_an_error_never_repeats_what_was_sent(desk):
    wrong = Customer(person=Person(given_name="Sekret\0"), identifiers=[desk.email("Sekret@\0")])
    with pytest.raises(Exception, match="INVALID_ARGUMENT") as caught:
        await desk.customers.CreateCustomer(CreateCustomerRequest(customer=wrong))
    assert "Sekret" not in str(caught.value)


async def test_an_invalid_handle_is_kept_flagged_and_may_be_shared(desk):
    first = await desk.create(desk.email("not an address"))
    second = await desk.create(desk.email("not an address"))
    for customer in (first, second):
        (identifier,) = customer.identifiers
        assert (identifier.value, identifier.normalized_value) == ("not an address", "")
        assert identifier.quality == Identifier.Quality.QUALITY_INVALID


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (Identifier.TYPE_EMAIL, "an\u200bna@example.com", "INVALID_EMAIL"),
        (Identifier.TYPE_EMAIL, "anna@exam\u00adple.com", "INVALID_EMAIL"),
        (Identifier.TYPE_EMAIL, "anna\uff20example.com", "INVALID_EMAIL"),
        (Identifier.TYPE_PHONE, "+49 30\u200b 901820", "INVALID_PHONE"),
        (Identifier.TYPE_SOCIAL, "an\u3164na", "INVALID_HANDLE"),
        (Identifier.TYPE_ACCOUNT_NUMBER, "DE\u206042", "INVALID_HANDLE"),
    ],
)
async def test_no_handle_looks_like_another(desk, kind, value, reason):
    system = "mastodon" if kind == Identifier.TYPE_SOCIAL else ""
    looking = Identifier(type=kind, system=system, value=value)
    bert = await desk.create()
    for call in (
        desk.customers.CreateCustomer(CreateCustomerRequest(customer=Customer(identifiers=[looking]))),
        desk.customers.CreateIdentifier(CreateIdentifierRequest(parent=bert.name, identifier=looking)),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match="only what can be seen") as caught:
            await call
        assert reason_of(caught.value) == reason


async def test_a_name_that_nobody_can_see_is_none(desk):
    anna = await desk.create(display_name="\u200b\u3164", given_name="Anna", family_name="\u2800")
    assert (anna.display_name, anna.person.family_name) == ("Anna", "")


@pytest.mark.alone("what it makes has a name that others use")
async def test_a_handle_belongs_to_one_customer(desk, refused):
    anna = await desk.create(desk.email("anna@example.com"))
    again = CreateCustomerRequest(customer=Customer(identifiers=[desk.email("ANNA@example.com")]))
    assert await refused(desk.customers.CreateCustomer(again)) == "ALREADY_EXISTS IDENTIFIER_TAKEN"
    bert = await desk.create()
    adding = CreateIdentifierRequest(parent=bert.name, identifier=desk.email("Anna@Example.com"))
    assert await refused(desk.customers.CreateIdentifier(adding)) == "ALREADY_EXISTS IDENTIFIER_TAKEN"
    assert (await get(desk, anna.name)).identifiers == anna.identifiers
    assert not (await get(desk, bert.name)).identifiers


@pytest.mark.alone("what it makes has a name that others use")
async def test_the_same_handle_twice_in_one_request_is_one_handle(desk):
    created = await desk.create(desk.email("anna@example.com"), desk.email("ANNA@example.com"))
    assert [i.value for i in created.identifiers] == ["anna@example.com"]


@pytest.mark.alone("all there is is counted")
async def test_of_fifty_customers_created_with_one_handle_one_is_made(desk):
    request = CreateCustomerRequest(customer=Customer(identifiers=[desk.email("anna@example.com")]))
    results = await asyncio.gather(
        *(desk.customers.CreateCustomer(request) for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(result, Customer) for result in results) == 1
    assert len(await desk.facts("CustomerCreated")) == 1


async def test_a_request_id_makes_a_retry_safe(desk):
    request = CreateCustomerRequest(
        customer=Customer(person=Person(given_name="Anna")), request_id=str(uuid4())
    )
    assert await desk.customers.CreateCustomer(request) == await desk.customers.CreateCustomer(request)
    assert len(await desk.facts("CustomerCreated")) == 1


async def test_a_request_id_is_not_good_for_another_request(desk, refused):
    request_id = str(uuid4())
    anna, bert = Customer(person=Person(given_name="Anna")), Customer(person=Person(given_name="Bert"))
    await desk.customers.CreateCustomer(CreateCustomerRequest(customer=anna, request_id=request_id))
    other = CreateCustomerRequest(customer=bert, request_id=request_id)
    assert await refused(desk.customers.CreateCustomer(other)) == "INVALID_ARGUMENT REQUEST_ID_REUSED"


@pytest.mark.alone("the clock is moved")
async def test_only_masked_fields_change_and_the_fact_names_them(desk):
    anna = await desk.create(family_name="Berg")
    desk.clock.advance(timedelta(hours=1))
    update = UpdateCustomerRequest(
        customer=Customer(
            person=Person(given_name="ignored", family_name="Tal"), name=anna.name, etag=anna.etag
        ),
        update_mask=FieldMask(paths=["person.family_name"]),
    )
    changed = await desk.customers.UpdateCustomer(update)
    assert (changed.display_name, changed.etag) == ("Anna Tal", '"2"')
    assert changed.update_time.ToSeconds() - anna.update_time.ToSeconds() == 3600
    (fact,) = await desk.facts("CustomerUpdated")
    assert (list(fact.data.updated_fields), fact.version) == (["person.family_name"], 2)


async def test_an_update_that_changes_nothing_tells_nothing(desk):
    anna = await desk.create(family_name="Berg")
    assert await desk.customers.UpdateCustomer(UpdateCustomerRequest(customer=anna)) == anna
    assert not await desk.facts("CustomerUpdated")


async def test_a_stale_etag_is_refused(desk, refused):
    anna = await desk.create()
    stale = Customer(person=Person(family_name="Tal"), name=anna.name, etag='"7"')
    assert await refused(desk.customers.UpdateCustomer(UpdateCustomerRequest(customer=stale))) == (
        "ABORTED ETAG_MISMATCH"
    )
    stale = AssignRelationshipManagerRequest(name=anna.name, relationship_manager="agents/bob", etag='"7"')
    assert await refused(desk.customers.AssignRelationshipManager(stale)) == "ABORTED ETAG_MISMATCH"


async def update(desk, customer, *mask):
    request = UpdateCustomerRequest(customer=customer, update_mask=FieldMask(paths=mask))
    return await desk.customers.UpdateCustomer(request)


async def test_a_person_is_kept_as_given_and_read_back(desk):
    dr_berg = Person(
        given_name="Anna",
        additional_name="Maria",
        family_name="Berg",
        honorific_prefix="Dr.",
        honorific_suffix="MBA",
        birth_date=Date(month=4, day=12),
        organization_name="Berg AG",
    )
    anna = await desk.create(person=dr_berg)
    assert (anna.person, anna.display_name) == (dr_berg, "Anna Berg")
    assert await get(desk, anna.name) == anna
    (fact,) = await desk.facts("CustomerCreated")
    assert (fact.data.type, fact.data.relationship_manager) == (Customer.TYPE_PERSON, "agents/front-desk")
    assert (fact.data.language_code, fact.data.time_zone) == ("", "")


async def test_an_organization_is_called_by_its_legal_name_until_somebody_chooses_another(desk):
    acme = await desk.create(organization=Organization(legal_name="Acme Incorporated"))
    assert (acme.display_name, acme.WhichOneof("type")) == ("Acme Incorporated", "organization")
    acme.organization.legal_name = "Acme Limited"
    renamed = await update(desk, acme)  # with the name that was read
    assert renamed.display_name == "Acme Limited"
    (fact,) = await desk.facts("CustomerUpdated")
    assert (fact.data.type, list(fact.data.updated_fields)) == (
        Customer.TYPE_ORGANIZATION,
        ["organization.legal_name"],
    )


async def test_a_customer_of_no_known_kind_becomes_what_a_field_says(desk):
    somebody = await desk.create(display_name="A. Berg", person=None)
    assert somebody.WhichOneof("type") is None
    known = await update(desk, Customer(name=somebody.name, person=Person(given_name="Anna")))
    assert (known.person.given_name, known.display_name) == ("Anna", "A. Berg")
    assert list((await desk.facts("CustomerUpdated"))[0].data.updated_fields) == ["person"]


@pytest.mark.parametrize("mask", [["organization.legal_name"], []])
async def test_a_field_of_what_a_customer_is_not_is_refused_and_loses_nothing(desk, refused, mask):
    anna = await desk.create(family_name="Berg")
    acme = Customer(name=anna.name, organization=Organization(legal_name="Acme"))
    assert await refused(update(desk, acme, *mask)) == "FAILED_PRECONDITION OTHER_TYPE"
    assert await get(desk, anna.name) == anna


@pytest.mark.parametrize("mask", ["organization", "*"])
async def test_a_whole_kind_takes_the_place_of_the_other(desk, mask):
    anna = await desk.create(family_name="Berg", region_code="DE")
    acme = Customer(name=anna.name, organization=Organization(legal_name="Acme"))
    changed = await update(desk, acme, mask)
    assert (changed.organization.legal_name, changed.display_name) == ("Acme", "Acme")
    assert changed.region_code == ("" if mask == "*" else "DE")
    back = await update(desk, Customer(name=anna.name, person=Person(given_name="Bea")), "person")
    assert (back.person, back.display_name) == (Person(given_name="Bea"), "Bea")


@pytest.mark.parametrize("kind", [{}, {"person": Person(given_name="Bea")}])
async def test_a_kind_that_is_named_and_not_sent_ends_only_where_the_customer_is_that(desk, kind):
    anna = await desk.create(family_name="Berg")
    assert await update(desk, Customer(name=anna.name, **kind), "organization") == anna
    assert not await desk.facts("CustomerUpdated")
    acme = Customer(name=anna.name, organization=Organization(legal_name="Acme"))
    nobody = await update(desk, acme, "person")
    assert (nobody.WhichOneof("type"), nobody.display_name) == (None, "")
    (fact,) = await desk.facts("CustomerUpdated")
    assert list(fact.data.updated_fields) == ["person"]


@pytest.mark.parametrize(
    "mask", [["person.given_name", "organization.legal_name"], ["person", "organization.legal_name"]]
)
async def test_a_mask_of_both_kinds_is_refused(desk, refused, mask):
    anna = await desk.create()
    assert await refused(update(desk, anna, *mask)) == "INVALID_ARGUMENT UNKNOWN_FIELD"


@pytest.mark.parametrize("born", [(1984, 4, 12), (1984, 4, 0), (1984, 0, 0), (0, 4, 12), (0, 2, 29)])
async def test_a_birth_date_is_known_as_far_as_it_is(desk, born):
    year, month, day = born
    person = Person(given_name="Anna", birth_date=Date(year=year, month=month, day=day))
    anna = await desk.create(person=person)
    assert (await get(desk, anna.name)).person == person


@pytest.mark.parametrize(
    "born",
    [(0, 0, 0), (0, 4, 0), (0, 0, 12), (1984, 0, 12), (1984, 2, 30), (1849, 1, 1), (2199, 1, 1), (-1, 1, 1)],
)
async def test_nobody_is_born_on_no_day_or_in_the_future(desk, refused, born):
    year, month, day = born
    person = Person(birth_date=Date(year=year, month=month, day=day))
    assert await refused(desk.create(person=person)) == "INVALID_ARGUMENT INVALID_TIME"


def address(kind=Address.TYPE_HOME, primary=False, **fields):
    given = {"region_code": "DE", "postal_code": "10115", "locality": "Berlin", "address_lines": ["Weg 1"]}
    return Address(type=kind, postal_address=PostalAddress(**given | fields), primary=primary)


async def test_addresses_are_kept_as_given_and_replaced_together(desk):
    home, bills = address(primary=True), address(Address.TYPE_BILLING, address_lines=["Postfach 7"])
    anna = await desk.create(addresses=[home, bills])
    assert list((await get(desk, anna.name)).addresses) == [home, bills]
    moved = await update(desk, Customer(name=anna.name, addresses=[bills]), "addresses")
    assert list(moved.addresses) == [bills]
    assert list((await desk.facts("CustomerUpdated"))[0].data.updated_fields) == ["addresses"]
    assert (await update(desk, Customer(name=anna.name), "addresses")).addresses == []


@pytest.mark.parametrize(
    ("addresses", "field", "reason"),
    [
        ([address()] * 21, "addresses", "TOO_LONG"),
        ([address(primary=True)] * 2, "addresses", "TOO_LONG"),
        ([Address()], "addresses[0].postal_address", "REQUIRED"),
        ([address(region_code="")], "addresses[0].postal_address.region_code", "REQUIRED"),
        ([address(region_code="UK")], "addresses[0].postal_address.region_code", "INVALID_CODE"),
        ([address(language_code="german")], "addresses[0].postal_address.language_code", "INVALID_CODE"),
        ([address(address_lines=["x"] * 6)], "addresses[0].postal_address.address_lines", "TOO_LONG"),
        ([address(address_lines=["x" * 201])], "addresses[0].postal_address.address_lines[0]", "TOO_LONG"),
        ([address(address_lines=[" "])], "addresses[0].postal_address.address_lines[0]", "REQUIRED"),
        ([address(address_lines=["a\nb"])], "addresses[0].postal_address.address_lines[0]", "INVALID_TEXT"),
        ([address(locality="x" * 101)], "addresses[0].postal_address.locality", "TOO_LONG"),
        ([address(revision=1)], "addresses[0].postal_address.revision", "INVALID_NUMBER"),
        ([address(kind=99)], "addresses[0].type", "INVALID_ENUM"),
    ],
)
async def test_an_address_is_of_a_country_and_of_bounded_size(desk, addresses, field, reason):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.create(addresses=addresses)
    found = {(wrong.field, wrong.reason) for wrong in refusal(caught.value).violations}
    assert (f"customer.{field}", reason) in found


async def test_identifiers_are_not_changed_by_an_update(desk, refused):
    anna = await desk.create()
    update = UpdateCustomerRequest(
        customer=Customer(name=anna.name), update_mask=FieldMask(paths=["identifiers"])
    )
    assert await refused(desk.customers.UpdateCustomer(update)) == "INVALID_ARGUMENT UNKNOWN_FIELD"


async def test_of_parallel_updates_with_one_etag_one_succeeds(desk):
    anna = await desk.create()
    updates = (
        UpdateCustomerRequest(
            customer=Customer(person=Person(family_name=f"Berg {i}"), name=anna.name, etag=anna.etag)
        )
        for i in range(20)
    )
    results = await asyncio.gather(*map(desk.customers.UpdateCustomer, updates), return_exceptions=True)
    assert sum(isinstance(result, Customer) for result in results) == 1
    assert (await get(desk, anna.name)).etag == '"2"'


async def test_a_handle_is_created_once_read_and_deleted(desk, refused):
    anna = await desk.create(region_code="DE")
    identifier = await add(desk, anna.name, desk.phone("030-0074321"))
    assert (identifier.normalized_value, (await get(desk, anna.name)).etag) == ("+49300074321", '"2"')
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await add(desk, anna.name, desk.phone("030 0074321"))
    again = refusal(caught.value)
    assert (again.reason, again.metadata["identifier"]) == ("IDENTIFIER_TAKEN", identifier.name)
    read = GetIdentifierRequest(name=identifier.name)
    assert await desk.customers.GetIdentifier(read) == identifier
    assert await listed(desk, anna.name) == [identifier]
    request = DeleteIdentifierRequest(name=identifier.name)
    await desk.customers.DeleteIdentifier(request)
    assert ((await get(desk, anna.name)).etag, await listed(desk, anna.name)) == ('"3"', [])
    for call in (desk.customers.DeleteIdentifier(request), desk.customers.GetIdentifier(read)):
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"
    told = [(fact.type.rsplit(".", 1)[1], fact.resource) for fact in await desk.facts()][1:]
    assert told == [("IdentifierCreated", identifier.name), ("IdentifierDeleted", identifier.name)]


async def test_one_id_in_two_systems_is_two_handles(desk, refused):
    shop, till = await desk.create(desk.external("shop:7")), await desk.create(desk.external("till:7"))
    assert shop.name != till.name
    for handle in (
        desk.external("shop:7"),
        Identifier(type=Identifier.TYPE_EXTERNAL_ID, system="till", value="7"),
    ):
        assert await refused(add(desk, shop.name, handle)) == "ALREADY_EXISTS IDENTIFIER_TAKEN"
    (created,) = [
        fact.data for fact in await desk.facts("IdentifierCreated") if fact.data.customer == till.name
    ]
    assert (created.type, created.system) == (Identifier.TYPE_EXTERNAL_ID, "till")


@pytest.mark.parametrize(
    ("kind", "system", "reason"),
    [
        (Identifier.TYPE_EXTERNAL_ID, "", "REQUIRED"),
        (Identifier.TYPE_SOCIAL, "", "REQUIRED"),
        (Identifier.TYPE_SOCIAL, "Mastodon", "INVALID_CODE"),
        (Identifier.TYPE_EMAIL, "mail", "INVALID_CODE"),
    ],
)
async def test_ids_and_social_handles_say_their_system_and_nothing_else_does(
    desk, refused, kind, system, reason
):
    handle = Identifier(type=kind, system=system, value="anna@example.com")
    assert await refused(desk.resolve(handle)) == f"INVALID_ARGUMENT {reason}"


async def test_a_removed_handle_is_free_for_others(desk):
    anna = await desk.create(desk.email("shared@example.com"))
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=anna.identifiers[0].name))
    assert (await desk.create(desk.email("shared@example.com"))).name != anna.name


async def test_a_customer_has_a_bounded_number_of_handles(desk, refused):
    full = await desk.create(*(desk.external(f"crm:{i}") for i in range(100)))
    one_more = CreateIdentifierRequest(parent=full.name, identifier=desk.external("crm:100"))
    assert await refused(desk.customers.CreateIdentifier(one_more)) == (
        "FAILED_PRECONDITION TOO_MANY_IDENTIFIERS"
    )


async def test_a_manager_is_assigned_and_told(desk):
    anna = await desk.create()
    request = AssignRelationshipManagerRequest(name=anna.name, relationship_manager="agents/bob", etag='"1"')
    assert (await desk.customers.AssignRelationshipManager(request)).relationship_manager == "agents/bob"
    (fact,) = await desk.facts("RelationshipManagerAssigned")
    assert (fact.data.customer, fact.data.relationship_manager, fact.version) == (anna.name, "agents/bob", 2)
    assert fact.data.previous_relationship_manager == "agents/front-desk"


async def test_a_manager_must_be_an_agent(desk, refused):
    anna = await desk.create()
    for manager, reason in (("bob", "INVALID_NAME"), ("", "REQUIRED")):
        request = AssignRelationshipManagerRequest(name=anna.name, relationship_manager=manager)
        assert (
            await refused(desk.customers.AssignRelationshipManager(request)) == f"INVALID_ARGUMENT {reason}"
        )


@pytest.mark.alone("what it makes has a name that others use")
async def test_several_customers_are_read_in_the_order_asked(desk, refused, nobody):
    made = [await desk.create(desk.external(f"crm:{i}")) for i in range(3)]
    asked = [made[2].name, made[0].name, made[2].name]
    found = await desk.customers.BatchGetCustomers(BatchGetCustomersRequest(names=asked))
    assert list(found.customers) == [made[2], made[0], made[2]]
    absent = BatchGetCustomersRequest(names=[made[0].name, nobody])
    assert await refused(desk.customers.BatchGetCustomers(absent)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    absent.allow_missing = True
    found = await desk.customers.BatchGetCustomers(absent)
    assert list(found.customers) == [made[0], Customer()]
    for names, reason in (([], "REQUIRED"), ([nobody] * 1001, "TOO_LONG"), (["anna"], "INVALID_NAME")):
        request = BatchGetCustomersRequest(names=names)
        assert await refused(desk.customers.BatchGetCustomers(request)) == f"INVALID_ARGUMENT {reason}"


async def test_a_customer_who_does_not_exist_is_not_found(desk, refused, nobody):
    calls = [
        desk.customers.GetCustomer(GetCustomerRequest(name=nobody)),
        desk.customers.UpdateCustomer(
            UpdateCustomerRequest(customer=Customer(person=Person(given_name="x"), name=nobody))
        ),
        desk.customers.CreateIdentifier(
            CreateIdentifierRequest(parent=nobody, identifier=desk.email("a@example.com"))
        ),
        desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=f"{nobody}/identifiers/{uuid4()}")),
        desk.customers.ListIdentifiers(ListIdentifiersRequest(parent=nobody)),
        desk.customers.AssignRelationshipManager(
            AssignRelationshipManagerRequest(name=nobody, relationship_manager="agents/bob")
        ),
    ]
    for call in calls:
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"


@pytest.mark.alone("the clock is moved")
async def test_customers_are_listed_oldest_first_in_pages(desk):
    made = []
    for i in range(5):
        desk.clock.advance(timedelta(seconds=1))
        made.append((await desk.create(desk.external(f"crm:{i}"))).name)
    listed, token = [], ""
    while True:
        page = await desk.customers.ListCustomers(ListCustomersRequest(page_size=2, page_token=token))
        assert len(page.customers) <= 2
        assert all(len(customer.identifiers) == 1 for customer in page.customers)
        listed += [customer.name for customer in page.customers]
        token = page.next_page_token
        if not token:
            break
    assert listed == made


async def test_customers_are_listed_by_a_filter(desk, refused):
    await desk.create(region_code="DE")
    bert = await desk.create(region_code="AT")
    request = ListCustomersRequest(filter='region_code = "AT" AND relationship_manager = "agents/front-desk"')
    page = await desk.customers.ListCustomers(request)
    assert [customer.name for customer in page.customers] == [bert.name]
    wrong = ListCustomersRequest(filter="given_name = Anna")
    assert await refused(desk.customers.ListCustomers(wrong)) == "INVALID_ARGUMENT INVALID_FILTER"


async def test_customers_are_found_by_their_birthday_whatever_the_year(desk, refused, infrastructure):
    dates = {"full": (1984, 12, 4), "yearless": (0, 12, 4), "leap": (1984, 2, 29), "month": (1912, 4, 0)}
    names = {
        key: (await desk.create(person=Person(birth_date=Date(year=y, month=m, day=d)))).name
        for key, (y, m, d) in dates.items()
    }

    async def born(filter: str) -> set[str]:
        listed = await desk.customers.ListCustomers(ListCustomersRequest(filter=filter))
        return {each.name for each in listed.customers} & set(names.values())

    assert await born('birthday = "12-04"') == {names["full"], names["yearless"]}
    assert await born("birthday = 02-29") == {names["leap"]}
    assert await born("-birthday:*") == {names["month"]}
    for wrong in ("02-30", "2-3", "1984-02-03"):
        request = ListCustomersRequest(filter=f'birthday = "{wrong}"')
        assert await refused(desk.customers.ListCustomers(request)) == "INVALID_ARGUMENT INVALID_FILTER"
    chosen = filters.parse("birthday = 12-04", LIST_CUSTOMERS.filters)
    statement = LIST_CUSTOMERS._build(chosen, descending=False, continued=False)
    async with infrastructure.superuser(desk.running.db._url) as connection:
        await connection.execute("SET enable_seqscan = off")  # of a table that is as small
        arguments = statement.arguments({"limit": 51, **chosen.params})
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement.sql}", *arguments)
    assert "customers_birthday" in plan


async def test_a_page_token_is_good_for_the_same_list_only(desk, refused):
    for _ in range(3):
        await desk.create()
    page = await desk.customers.ListCustomers(ListCustomersRequest(page_size=1))
    other = ListCustomersRequest(page_token=page.next_page_token, filter="region_code = DE")
    assert await refused(desk.customers.ListCustomers(other)) == "INVALID_ARGUMENT INVALID_PAGE_TOKEN"
    negative = ListCustomersRequest(page_size=-1)
    assert await refused(desk.customers.ListCustomers(negative)) == "INVALID_ARGUMENT INVALID_PAGE_SIZE"
