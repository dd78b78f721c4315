import asyncio

import grpc
import pytest

from chassis.grpc.status import refusal
from customer.usecases import resolve
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2 import (
    BatchResolveCustomersRequest,
    GetCustomerRequest,
    ResolveCustomerRequest,
)

ANNA = Customer(person=Person(given_name="Anna"))


async def test_a_handle_leads_to_its_customer_without_regard_to_case(desk):
    anna = await desk.create(desk.email("Anna@example.com"))
    found = await desk.resolve(desk.email("ANNA@EXAMPLE.COM"))
    assert (found.customer, found.created) == (anna.name, False)


async def test_a_handle_of_nobody_is_not_found_and_the_error_does_not_repeat_it(desk, refused):
    call = desk.resolve(desk.email("anna@example.com"))
    with pytest.raises(Exception, match="NOT_FOUND") as caught:
        await call
    assert "anna" not in str(caught.value)
    assert refusal(caught.value).metadata == {"resource": "customers/-"}


async def test_a_missing_customer_is_created_with_the_handle_when_asked_for(desk):
    found = await desk.resolve(desk.email("Anna@example.com"), create=ANNA)
    assert found.created
    anna = await desk.customers.GetCustomer(GetCustomerRequest(name=found.customer))
    assert anna.display_name == "Anna"
    assert [i.value for i in anna.identifiers] == ["Anna@example.com"]
    again = await desk.resolve(
        desk.email("anna@example.com"), create=Customer(person=Person(given_name="Other"))
    )
    assert (again.customer, again.created) == (found.customer, False)


async def test_fifty_who_resolve_one_new_handle_in_any_case_get_one_customer(desk):
    spellings = [
        "anna@example.com",
        "ANNA@example.com",
        "Anna@Example.Com",
        "aNNa@EXAMPLE.com",
        "anna@EXAMPLE.COM",
    ]
    answers = await asyncio.gather(
        *(desk.resolve(desk.email(spelling), create=ANNA) for spelling in spellings * 10)
    )
    assert len({answer.customer for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert len(await desk.facts("CustomerCreated")) == 1


async def test_a_batch_is_bounded_before_anything_of_it_is_looked_at(desk):
    def batch(customers, **new):
        handles = [desk.phone(f"+4930{i:06}") for i in range(99)]
        return BatchResolveCustomersRequest(
            requests=[
                ResolveCustomerRequest(
                    identifier=desk.email(f"m{i}@example.com"),
                    new_customer=Customer(identifiers=handles, **new),
                )
                for i in range(customers)
            ]
        )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.customers.BatchResolveCustomers(batch(1000, region_code="Germany"))
    assert [(wrong.field, wrong.reason) for wrong in refusal(caught.value).violations] == [
        ("requests", "TOO_LONG")
    ]
    answer = await desk.customers.BatchResolveCustomers(batch(50), timeout=30)
    assert len(answer.responses) == 50


async def test_batches_that_race_over_the_same_handles_agree_on_every_customer(desk):
    def batch(order):
        asks = [
            ResolveCustomerRequest(
                identifier=desk.external(f"crm:{i}"),
                new_customer=Customer(identifiers=[desk.email(f"c{i}@example.com")]),
            )
            for i in order
        ]
        return desk.customers.BatchResolveCustomers(BatchResolveCustomersRequest(requests=asks))

    forwards, backwards = await asyncio.gather(batch(range(100)), batch(reversed(range(100))))
    assert [r.customer for r in forwards.responses] == [r.customer for r in reversed(backwards.responses)]
    created = [r.created for r in (*forwards.responses, *backwards.responses)]
    assert sum(created) == 100
    assert len(await desk.facts("CustomerCreated")) == 100


async def test_no_answer_names_a_customer_that_lost_its_handle_to_a_twin(desk, monkeypatch, refused):
    """The twin commits between our look at who has the handles and our claim of them."""
    claim = resolve.claim

    async def after_the_twin(tx, identifiers):
        monkeypatch.setattr(resolve, "claim", claim)
        await desk.resolve(desk.external("crm:1"), create=Customer())
        return await claim(tx, identifiers)

    monkeypatch.setattr(resolve, "claim", after_the_twin)
    anna = Customer(identifiers=[desk.email("anna@example.com")])
    asks = [
        ResolveCustomerRequest(identifier=desk.external("crm:1"), new_customer=anna),
        ResolveCustomerRequest(identifier=desk.email("anna@example.com")),
    ]
    call = desk.customers.BatchResolveCustomers(BatchResolveCustomersRequest(requests=asks))
    assert await refused(call) == "ABORTED REQUEST_IN_FLIGHT"


async def test_a_thousand_handles_are_resolved_in_one_call_in_order(desk):
    asks = [
        ResolveCustomerRequest(identifier=desk.external(f"cdnow:{i:05}"), new_customer=Customer())
        for i in range(1000)
    ]
    request = BatchResolveCustomersRequest(requests=asks)
    first = await desk.customers.BatchResolveCustomers(request, timeout=30)
    assert all(answer.created for answer in first.responses)
    assert len({answer.customer for answer in first.responses}) == 1000
    second = await desk.customers.BatchResolveCustomers(request, timeout=30)
    assert [a.customer for a in second.responses] == [a.customer for a in first.responses]
    assert not any(answer.created for answer in second.responses)


async def test_the_first_of_several_asks_for_one_handle_creates_the_customer(desk):
    asks = [
        ResolveCustomerRequest(
            identifier=desk.email(value), new_customer=Customer(person=Person(given_name=value))
        )
        for value in ("anna@example.com", "ANNA@example.com")
    ]
    answer = await desk.customers.BatchResolveCustomers(BatchResolveCustomersRequest(requests=asks))
    assert [r.created for r in answer.responses] == [True, False]
    assert answer.responses[0].customer == answer.responses[1].customer


async def test_an_ask_finds_the_customer_that_an_earlier_one_of_the_batch_creates(desk):
    asks = [
        ResolveCustomerRequest(
            identifier=desk.external("crm:1"),
            new_customer=Customer(identifiers=[desk.email("anna@example.com")]),
        ),
        ResolveCustomerRequest(identifier=desk.email("Anna@example.com"), new_customer=Customer()),
    ]
    answer = await desk.customers.BatchResolveCustomers(BatchResolveCustomersRequest(requests=asks))
    assert answer.responses[0].customer == answer.responses[1].customer


async def test_a_new_customer_cannot_bring_a_handle_that_is_anothers(desk, refused):
    await desk.create(desk.email("anna@example.com"))
    create = Customer(identifiers=[desk.email("anna@example.com")])
    assert await refused(desk.resolve(desk.external("crm:1"), create)) == "ALREADY_EXISTS IDENTIFIER_TAKEN"
    assert await refused(desk.resolve(desk.external("crm:1"))) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_a_batch_is_resolved_whole_or_not_at_all(desk, refused):
    asks = [
        ResolveCustomerRequest(identifier=desk.external("crm:1"), new_customer=Customer()),
        ResolveCustomerRequest(identifier=desk.external("crm:2")),
    ]
    call = desk.customers.BatchResolveCustomers(BatchResolveCustomersRequest(requests=asks))
    assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(desk.resolve(desk.external("crm:1"))) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_a_handle_that_cannot_be_right_finds_nobody(desk, refused):
    await desk.create(desk.email("nonsense"))
    assert await refused(desk.resolve(desk.email("nonsense"))) == "INVALID_ARGUMENT INVALID_EMAIL"
    assert await refused(desk.resolve(desk.phone("nonsense"), ANNA)) == "INVALID_ARGUMENT INVALID_PHONE"
    assert await refused(desk.resolve(desk.external("crm:\u200b7"))) == "INVALID_ARGUMENT INVALID_HANDLE"


async def test_a_batch_has_one_to_a_thousand_asks(desk, refused):
    ask = ResolveCustomerRequest(identifier=desk.external("crm:1"))
    for asks, reason in (([], "REQUIRED"), ([ask] * 1001, "TOO_LONG")):
        call = desk.customers.BatchResolveCustomers(BatchResolveCustomersRequest(requests=asks))
        assert await refused(call) == f"INVALID_ARGUMENT {reason}"


async def test_twenty_who_resolve_one_new_number_get_one_customer(desk):
    answers = await asyncio.gather(*(desk.resolve(desk.phone("+49301234567"), ANNA) for _ in range(20)))
    assert len({answer.customer for answer in answers}) == 1


async def test_a_number_of_two_customers_belongs_to_both_and_finds_neither_for_sure(desk, refused):
    anna = await desk.create(desk.phone("+49301234567"))
    assert (await desk.resolve(desk.phone("+49 30 1234567"))).customer == anna.name
    await desk.create(desk.phone("+49301234567"))
    for create in (None, ANNA):
        call = desk.resolve(desk.phone("+49301234567"), create)
        assert await refused(call) == "FAILED_PRECONDITION IDENTIFIER_SHARED"


async def test_a_batch_may_ask_for_handles_of_nobody(desk):
    anna = await desk.create(desk.email("anna@example.com"))
    asks = [ResolveCustomerRequest(identifier=desk.email(f"{n}@example.com")) for n in ("anna", "bob")]
    request = BatchResolveCustomersRequest(requests=asks, allow_missing=True)
    answer = await desk.customers.BatchResolveCustomers(request)
    assert [response.customer for response in answer.responses] == [anna.name, ""]


async def test_a_batch_that_is_refused_does_not_tell_which_handles_are_known(desk):
    await desk.create(desk.email("known@example.com"))
    said = []
    for first in ("known", "unknown"):
        handles = [desk.email(f"{each}@example.com") for each in (first, "missing")]
        request = BatchResolveCustomersRequest(
            requests=[ResolveCustomerRequest(identifier=h) for h in handles]
        )
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await desk.customers.BatchResolveCustomers(request)
        said.append((error.value.code(), error.value.details()))
    assert said[0] == said[1]


async def test_who_is_found_by_a_shared_handle_takes_it_from_nobody_of_the_same_batch(desk):
    team = desk.email("team@example.com")
    team.shared = True
    anna = await desk.create(team)
    yed = Customer(person=Person(given_name="Yed"), identifiers=[desk.email("team@example.com")])
    request = BatchResolveCustomersRequest(
        requests=[
            ResolveCustomerRequest(identifier=desk.email("team@example.com")),
            ResolveCustomerRequest(identifier=desk.email("yed@example.com"), new_customer=yed),
        ]
    )
    found, created = (await desk.customers.BatchResolveCustomers(request)).responses
    assert (found.customer, found.created, created.created) == (anna.name, False, True)
    assert [each.shared for each in (await desk.get(created.customer)).identifiers] == [False, True]
