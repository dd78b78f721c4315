"""A merge reaches every service over the broker, says who does not know it yet, and is taken back."""

from uuid import uuid4

import pytest

from rapport.cases.v1 import case_pb2, case_service_pb2
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.customer.v1 import (
    customer_merge_pb2,
    customer_merge_service_pb2,
    customer_pb2,
    customer_service_pb2,
)
from rapport.customer.v1.customer_merge_service_pb2_grpc import CustomerMergeServiceStub
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from tests.e2e.stack import Stack


@pytest.fixture
def session(stack: Stack) -> Session:
    return Session.open()


@pytest.fixture
def pair(session: Session) -> list[str]:
    """The names of two customers, each with a case."""
    customers = session.stub(CustomerServiceStub, "customer")
    person = customer_pb2.Customer(person=customer_pb2.Person(given_name="Ida", family_name="Falk"))
    names = [
        customers.CreateCustomer(
            customer_service_pb2.CreateCustomerRequest(customer=person, request_id=str(uuid4()))
        ).name
        for _ in range(2)
    ]
    for name in names:
        case = case_pb2.Case(customer=name, topic="delivery", owner="agents/front-desk")
        request = case_service_pb2.OpenCaseRequest(case=case, request_id=str(uuid4()))
        session.stub(CaseServiceStub, "cases").OpenCase(request)
    return names


async def test_a_merge_reaches_every_service_and_is_taken_back_everywhere(
    session: Session, pair: list[str]
) -> None:
    merges = session.stub(CustomerMergeServiceStub, "customer")

    async def is_known_by_all() -> bool:
        request = customer_merge_service_pb2.GetCustomerMergeRequest(name=merge.name)
        return not merges.GetCustomerMerge(request).unaware_services

    def cases_of(name: str) -> int:
        request = case_service_pb2.ListCasesRequest(filter=f"customer = {name}")
        return len(session.stub(CaseServiceStub, "cases").ListCases(request).cases)

    merge = merges.CreateCustomerMerge(
        customer_merge_service_pb2.CreateCustomerMergeRequest(
            customer_merge=customer_merge_pb2.CustomerMerge(customer=pair[0], merged_customer=pair[1]),
            request_id=str(uuid4()),
        )
    )
    await eventually(is_known_by_all)
    assert [cases_of(name) for name in pair] == [2, 2]

    merges.UndoCustomerMerge(
        customer_merge_service_pb2.UndoCustomerMergeRequest(
            name=merge.name, reason_code="two-persons", request_id=str(uuid4())
        )
    )
    await eventually(is_known_by_all)
    assert [cases_of(name) for name in pair] == [1, 1]
