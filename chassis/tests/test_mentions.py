"""What a message is about is what the audit names."""

import re

from google.api import resource_pb2
from google.protobuf.message import Message

from chassis.contracts import contracts
from chassis.mentions import mentioned, mentioned_by
from rapport.cases.v1 import promise_pb2, promise_service_pb2
from rapport.cases.v1.promise_service_pb2 import ListPromisesRequest
from rapport.customer.v1 import (
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    import_job_pb2,
    import_service_pb2,
)
from rapport.loyalty.v1 import ledger_service_pb2


def about(message: Message) -> list[str]:
    return list(mentioned(message))


def test_a_resource_is_about_itself_and_its_customer_and_not_about_its_parts() -> None:
    identifier = identifier_pb2.Identifier(name="customers/1/identifiers/2")
    assert about(customer_pb2.Customer(name="customers/1", identifiers=[identifier])) == ["customers/1"]
    assert about(promise_pb2.Promise(name="promises/1", customer="customers/2", case="cases/3")) == [
        "promises/1",
        "customers/2",
    ]


def test_an_answer_without_a_name_is_about_what_it_holds() -> None:
    response = customer_service_pb2.ResolveCustomerResponse
    assert about(response(customer="customers/1", created=True)) == ["customers/1"]
    both = [response(customer="customers/1"), response(), response(customer="customers/2")]
    assert about(customer_service_pb2.BatchResolveCustomersResponse(responses=both)) == [
        "customers/1",
        "customers/2",
    ]
    promises = [promise_pb2.Promise(name="promises/1", customer="customers/2")]
    page = promise_service_pb2.ListPromisesResponse(promises=promises, next_page_token="n")
    assert about(page) == ["promises/1", "customers/2"]


def test_a_request_is_about_what_it_names_and_not_what_it_looks_for() -> None:
    assert about(promise_service_pb2.ListPromisesRequest(filter='kind = "x"', page_token="t")) == []
    accounts = ["programs/main/accounts/1", "programs/main/accounts/points-issued"]
    assert about(ledger_service_pb2.BatchGetAccountsRequest(names=accounts)) == accounts


def test_whom_a_filter_asks_about_is_told_also_when_nothing_is_found() -> None:
    customer = "customers/019cade0-0000-7000-8000-000000000001"
    request = ListPromisesRequest(filter=f'customer = "{customer}" AND state = BROKEN')
    assert list(mentioned(request)) == [customer]


def test_who_is_named_in_the_description_of_a_row_is_told_of() -> None:
    customer = "customers/019cade0-0000-7000-8000-000000000001"
    error = import_job_pb2.ImportFinding(line=2, description=f"belongs to {customer}, another customer")
    page = import_service_pb2.ListImportFindingsResponse(import_findings=[error])
    assert about(page) == [customer]


def test_whatever_a_contract_gives_a_name_is_told_of_when_a_refusal_names_it() -> None:
    messages = [each for file in contracts() for each in file.DESCRIPTOR.message_types_by_name.values()]
    options = [each.GetOptions().Extensions[resource_pb2.resource] for each in messages]
    names = [re.sub(r"{\w+}", "a-1", pattern) for each in options for pattern in each.pattern]
    assert "customers/a-1/view/sections/a-1" in names
    assert "customers/a-1/preferences" in names
    assert mentioned_by({str(i): name for i, name in enumerate(names)}) == names
    assert mentioned_by({"reason": "carrier-delay", "said": "a/b is no name", "at": "2026-03-02"}) == []
