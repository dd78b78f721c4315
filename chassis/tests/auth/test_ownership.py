"""A department's rows, and who may change them."""

from dataclasses import dataclass

import pytest

from chassis.auth.permissions import further, is_owned, require
from chassis.context import Principal, service_itself
from chassis.errors import PermissionDenied
from rapport.cases.v1 import note_pb2, promise_pb2, promise_service_pb2
from rapport.customer.v1 import customer_pb2, customer_service_pb2


@dataclass
class Promise:
    department: str
    name: str = "promises/1"


@dataclass
class Case:
    department: str
    name: str = "cases/1"


DELIVERYS = Promise("departments/delivery")


def caller(department: str, *permissions: str, via: Principal | None = None) -> Principal:
    return Principal("agent:alice", department, frozenset(permissions), via=via)


def may(principal: Principal, *owned: object) -> bool:
    try:
        require("cases", principal, owned)
    except PermissionDenied:
        return False
    return True


def test_who_works_for_the_owner_may() -> None:
    assert may(caller("delivery"), DELIVERYS)
    assert not may(caller("billing"), DELIVERYS)


def test_a_refusal_says_whose_it_is_and_what_would_help() -> None:
    with pytest.raises(PermissionDenied) as caught:
        require("cases", caller("billing"), [DELIVERYS])
    assert caught.value.reason == "NOT_OWNER"
    assert caught.value.metadata == {
        "resource": "promises/1",
        "owner": "departments/delivery",
        "permission": "cases.departments.administer",
    }


def test_one_of_several_owners_is_enough() -> None:
    assert may(caller("billing"), DELIVERYS, Case("departments/billing"))
    assert not may(caller("front-desk"), DELIVERYS, Case("departments/billing"))


@pytest.mark.parametrize("owner", ["", "departments/", "departments/delivery"])
def test_who_works_for_nobody_owns_nothing(owner: str) -> None:
    assert not may(caller(""), Promise(owner))


@pytest.mark.parametrize("department", ["Delivery", "delivery ", "departments/delivery", "deliver", "*"])
def test_a_department_is_compared_to_the_letter(department: str) -> None:
    assert not may(caller(department), DELIVERYS)


def test_every_verb_of_a_service_is_no_row_of_another_department() -> None:
    assert not may(caller("billing", "cases.*"), DELIVERYS)
    assert not may(caller("billing", "loyalty.departments.administer"), DELIVERYS)
    assert may(caller("billing", "cases.departments.administer"), DELIVERYS)
    assert may(caller("", "*"), DELIVERYS)


def test_an_administrator_is_one_only_through_a_workload_that_may_relay_it() -> None:
    desk = Principal("service:desk", "desk", frozenset({"cases.promises.write"}))
    assert not may(caller("billing", "*", via=desk), DELIVERYS)
    assert may(caller("billing", "*", via=Principal("service:desk", "", frozenset({"*"}))), DELIVERYS)
    assert may(caller("delivery", via=desk), DELIVERYS)
    deliverys_own = Principal("service:delivery", "delivery", frozenset({"*"}))
    assert not may(caller("billing", via=deliverys_own), DELIVERYS)


def test_a_service_changes_what_its_own_database_holds() -> None:
    assert may(service_itself("cases"), DELIVERYS)
    assert not may(service_itself("loyalty"), DELIVERYS)


def test_a_resource_that_the_contract_gives_to_nobody_cannot_be_asked_for() -> None:
    @dataclass
    class Note:
        name: str = "cases/1/notes/1"

    with pytest.raises(TypeError, match="Note needs a field with the option `owner`"):
        require("cases", caller("billing"), [Note()])


def test_what_is_owned_is_read_from_the_contract() -> None:
    assert is_owned(promise_pb2.Promise.DESCRIPTOR)
    assert is_owned(promise_service_pb2.BatchMakePromisesResponse.DESCRIPTOR)
    assert not is_owned(note_pb2.Note.DESCRIPTOR)
    assert not is_owned(customer_pb2.Customer.DESCRIPTOR)


def test_a_field_needs_its_further_permission_when_it_is_set_and_wherever_it_stands() -> None:
    one = customer_service_pb2.ResolveCustomerRequest
    some = customer_service_pb2.BatchResolveCustomersRequest
    needed_for_one, needed_for_some = further(one.DESCRIPTOR), further(some.DESCRIPTOR)
    assert needed_for_one is not None
    assert needed_for_some is not None
    created = one(new_customer=customer_pb2.Customer())
    assert list(needed_for_one(one())) == []
    assert list(needed_for_one(created)) == ["customer.customers.write"]
    assert list(needed_for_some(some(requests=[one(), one()]))) == []
    assert list(needed_for_some(some(requests=[one(), created]))) == ["customer.customers.write"]
    assert further(customer_service_pb2.GetCustomerRequest.DESCRIPTOR) is None
