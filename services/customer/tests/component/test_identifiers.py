"""Handles that people share, and handles that were proved."""

import asyncio
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.grpc.status import refusal
from customer.usecases import claims
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import (
    CreateIdentifierRequest,
    DeleteIdentifierRequest,
    ExplainIdentifierRequest,
    GetCustomerRequest,
    GetIdentifierRequest,
    ListIdentifiersRequest,
    SearchCustomersRequest,
    UpdateIdentifierRequest,
    VerifyIdentifierRequest,
    WithdrawIdentifierVerificationRequest,
)
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport_testing.wait import eventually

INFO = "info@example.com"


@pytest.fixture
def info(desk):
    def of(**fields):
        handle = desk.email(INFO)
        handle.MergeFrom(Identifier(**fields))
        return handle

    return of


async def share(desk, identifier, shared=True, **fields):
    return await desk.customers.UpdateIdentifier(
        UpdateIdentifierRequest(
            identifier=Identifier(name=identifier.name, shared=shared, **fields),
            update_mask=FieldMask(paths=["shared"]),
        )
    )


async def add(desk, customer, identifier):
    request = CreateIdentifierRequest(parent=customer.name, identifier=identifier)
    return await desk.customers.CreateIdentifier(request)


async def holders(desk, query):
    found = await desk.customers.SearchCustomers(SearchCustomersRequest(query=query, page_size=100))
    return {match.customer.name for match in found.matches}


async def test_what_is_shared_belongs_to_several_finds_them_all_and_proves_none(desk, info, refused):
    anna = await desk.create(info(shared=True))
    assert (await desk.resolve(desk.email(INFO.upper()))).customer == anna.name
    bert = await desk.create(info(shared=True))
    assert await holders(desk, INFO) == {anna.name, bert.name}
    assert await refused(desk.resolve(desk.email(INFO))) == "FAILED_PRECONDITION IDENTIFIER_SHARED"
    assert await refused(desk.resolve(info(shared=True), Customer())) == (
        "FAILED_PRECONDITION IDENTIFIER_SHARED"
    )
    assert [i.normalized_value for i in (*anna.identifiers, *bert.identifiers)] == [INFO, INFO]


async def test_who_gets_what_is_known_to_be_shared_has_it_shared_whoever_says_so(desk, info):
    await desk.create(info(shared=True))
    bert, number = await desk.create(desk.email(INFO)), desk.phone("+49 30 901820")
    assert bert.identifiers[0].shared
    cleo = await desk.create(number)
    assert not cleo.identifiers[0].shared
    await share(desk, cleo.identifiers[0])
    assert (await add(desk, bert, number)).shared


async def test_what_one_has_unshared_is_nobody_elses_even_if_they_would_share_it(desk, info, refused):
    anna = await desk.create(desk.email(INFO))
    bert = await desk.create()
    assert await refused(add(desk, bert, info(shared=True))) == "ALREADY_EXISTS IDENTIFIER_TAKEN"
    assert await refused(desk.create(info(shared=True))) == "ALREADY_EXISTS IDENTIFIER_TAKEN"
    await share(desk, anna.identifiers[0])
    assert (await add(desk, bert, info())).shared


async def test_what_several_have_is_not_made_unshared_and_who_has_it_is_told(desk, info):
    anna, bert = await desk.create(info(shared=True)), await desk.create(info(shared=True))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await share(desk, anna.identifiers[0], shared=False)
    told = refusal(caught.value)
    assert (told.reason, told.metadata["customers"]) == ("IDENTIFIER_SHARED", bert.name)
    assert INFO not in str(caught.value)
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=bert.identifiers[0].name))
    alone = await share(desk, anna.identifiers[0], shared=False)
    assert (alone.shared, alone.normalized_value, alone.name) == (False, INFO, anna.identifiers[0].name)
    assert (await desk.resolve(desk.email(INFO))).customer == anna.name


async def test_a_number_that_several_have_is_not_made_unshared(desk, refused):
    number = desk.phone("+49 30 901820")
    anna = await desk.create(number)
    await desk.create(number)
    await share(desk, anna.identifiers[0])
    assert await refused(share(desk, anna.identifiers[0], shared=False)) == (
        "FAILED_PRECONDITION IDENTIFIER_SHARED"
    )


async def test_sharing_is_told_once_counts_a_version_and_refuses_a_stale_change(desk, refused):
    anna = await desk.create(desk.email(INFO))
    first = anna.identifiers[0]
    changed = await share(desk, first, etag=first.etag)
    assert (first.etag, changed.etag) == ('"1"', '"2"')
    assert (await share(desk, first)).etag == '"2"'
    assert await refused(share(desk, first, shared=False, etag='"1"')) == "ABORTED ETAG_MISMATCH"
    (told,) = await desk.facts("IdentifierUpdated")
    assert (told.data.identifier, told.data.shared, list(told.data.updated_fields)) == (
        first.name, True, ["shared"],
    )  # fmt: skip
    assert (await desk.customers.GetCustomer(GetCustomerRequest(name=anna.name))).etag != anna.etag


async def test_fifty_who_resolve_one_new_handle_shared_or_not_get_one_customer(desk, info):
    asks = [info(shared=n % 2 == 0) for n in range(50)]
    answers = await asyncio.gather(*(desk.resolve(ask, Customer()) for ask in asks))
    assert len({answer.customer for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert len(await desk.facts("CustomerCreated")) == 1


async def test_twenty_who_share_a_handle_while_twenty_want_it_alone_agree_on_which_it_is(desk, info):
    asks = [desk.create(info(shared=n % 2 == 0)) for n in range(40)]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    made = [each for each in answers if isinstance(each, Customer)]
    refused = {refusal(each).reason for each in answers if isinstance(each, grpc.aio.AioRpcError)}
    assert refused <= {"IDENTIFIER_TAKEN"}
    assert made
    said = set()
    for each in made:
        listed = await desk.customers.ListIdentifiers(ListIdentifiersRequest(parent=each.name))
        said |= {identifier.shared for identifier in listed.identifiers}
    assert said == ({True} if len(made) > 1 else {False})
    assert await holders(desk, INFO) == {each.name for each in made}


async def test_who_wants_a_handle_alone_while_another_shares_it_waits_and_then_shares_it(
    desk, info, monkeypatch
):
    """The other has taken it, and not committed, when we come."""
    inside, may_go = asyncio.Event(), asyncio.Event()
    known_shared = claims.store.known_shared

    async def held(tx, keys):
        monkeypatch.setattr(claims.store, "known_shared", known_shared)
        inside.set()
        await may_go.wait()
        return await known_shared(tx, keys)

    monkeypatch.setattr(claims.store, "known_shared", held)
    sharing = asyncio.create_task(desk.create(info(shared=True)))
    await asyncio.wait_for(inside.wait(), 15)
    alone = asyncio.create_task(desk.create(desk.email(INFO)))
    async with desk.running.db.connection() as watching:
        await eventually(lambda: watching.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
    may_go.set()
    await sharing
    assert (await alone).identifiers[0].shared


async def test_who_shares_what_others_share_waits_for_none_of_them(desk, info, monkeypatch):
    inside, may_go = asyncio.Event(), asyncio.Event()
    insert_shared = claims.store.insert_shared

    async def held(tx, identifiers):
        monkeypatch.setattr(claims.store, "insert_shared", insert_shared)
        await insert_shared(tx, identifiers)
        inside.set()
        await may_go.wait()

    await desk.create(info(shared=True))
    monkeypatch.setattr(claims.store, "insert_shared", held)
    second = asyncio.create_task(desk.create(info(shared=True)))
    await asyncio.wait_for(inside.wait(), 15)
    third = await desk.create(info(shared=True))
    assert not second.done()
    may_go.set()
    assert (await second).identifiers[0].shared
    assert third.identifiers[0].shared


async def test_all_of_a_hundred_who_are_first_to_share_two_handles_are_made(desk, info):
    social = Identifier(
        type=Identifier.TYPE_SOCIAL, system="mastodon", value="@acme@example.com", shared=True
    )
    made = await asyncio.gather(*(desk.create(info(shared=True), social) for _ in range(100)))
    assert all(handle.shared for each in made for handle in each.identifiers)
    assert await holders(desk, INFO) == {each.name for each in made}


async def test_a_verified_handle_says_how_when_and_by_whom_until_that_is_withdrawn(desk):
    email = (await desk.create(desk.email(INFO))).identifiers[0]
    assert not email.HasField("verification")
    request = VerifyIdentifierRequest(name=email.name, method="code-sent", etag=email.etag)
    verified = await desk.customers.VerifyIdentifier(request)
    said = verified.verification
    assert (said.method, said.verifier, said.verify_time.ToDatetime()) == (
        "code-sent", "agents/alice", desk.clock.now().replace(tzinfo=None),
    )  # fmt: skip
    assert await desk.customers.GetIdentifier(GetIdentifierRequest(name=email.name)) == verified
    explained = await desk.customers.ExplainIdentifier(ExplainIdentifierRequest(name=email.name))
    assert "proved that they have it by code-sent" in explained.summary
    assert explained.causes[0].event_type.endswith("IdentifierVerified")
    withdraw = WithdrawIdentifierVerificationRequest(name=email.name, reason_code="bounced")
    for _ in range(2):
        withdrawn = await desk.customers.WithdrawIdentifierVerification(withdraw)
        assert (withdrawn.HasField("verification"), withdrawn.etag) == (False, '"3"')
    told = await desk.facts("IdentifierVerified", "IdentifierVerificationWithdrawn")
    assert [(each.data.method, getattr(each.data, "reason_code", "")) for each in told] == [
        ("code-sent", ""), ("code-sent", "bounced"),
    ]  # fmt: skip
    history = await desk.customers.ExplainIdentifier(
        ExplainIdentifierRequest(name=email.name, event_id=str(told[0].id))
    )
    assert history.causes[0].event_type.endswith("IdentifierVerified")


async def test_a_stale_verification_is_refused_and_one_of_nobodys_handle(desk, nobody, refused):
    email = (await desk.create(desk.email(INFO))).identifiers[0]
    stale = VerifyIdentifierRequest(name=email.name, method="code-sent", etag='"7"')
    assert await refused(desk.customers.VerifyIdentifier(stale)) == "ABORTED ETAG_MISMATCH"
    other = f"{email.name.rpartition('/')[0]}/{uuid4()}"
    missing = VerifyIdentifierRequest(name=other, method="code-sent")
    assert await refused(desk.customers.VerifyIdentifier(missing)) == "NOT_FOUND RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("value", "region", "extension"),
    [
        ("+49 30 901820", "DE", ""),
        ("+1 604 555 0123 ext. 12", "CA", "12"),
        ("+44 1534 123456", "JE", ""),
        ("+800 1234 5678", "", ""),
        ("901820", "", ""),
    ],
)
async def test_a_number_says_its_country_and_extension(desk, value, region, extension):
    number = (await desk.create(desk.phone(value))).identifiers[0]
    assert (number.value, number.region_code, number.extension) == (value, region, extension)
