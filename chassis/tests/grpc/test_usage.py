"""Who calls what is counted, by workload or department, and never by person."""

from typing import Any

import grpc
import pytest

from chassis.context import Principal
from chassis.grpc import admission
from chassis.telemetry.metrics import CALLS
from rapport.customer.v1 import customer_service_pb2
from rapport_testing.tokens import TestIssuer

METHOD = "rapport.loyalty.v1.LedgerService/BatchGetAccounts"
NEEDED = "loyalty.accounts.read"


def counted(caller: str, code: str) -> float:
    return CALLS.labels(caller, METHOD, code)._value.get()


@pytest.mark.parametrize(
    ("principal", "caller"),
    [
        (None, "nobody"),
        (Principal("agent:bob", "billing"), "billing"),
        (Principal("agent:bob"), "people"),
        (Principal("service:cases", "cases"), "service:cases"),
        (Principal("agent:bob", "billing").relayed_by(Principal("service:desk", "desk")), "service:desk"),
    ],
)
def test_a_call_counts_for_the_workload_that_makes_it_or_the_department(
    principal: Principal | None, caller: str
) -> None:
    assert admission.caller_of(principal) == caller


def test_of_many_callers_the_later_ones_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_callers", set())
    seen = {admission.caller_of(Principal("agent:bob", f"d{n}")) for n in range(admission.CALLERS_MAX + 9)}
    assert len(seen) == admission.CALLERS_MAX + 1
    assert "others" in seen
    assert admission.caller_of(Principal("agent:bob", "d0")) == "d0"


def test_what_a_request_names_is_text_and_never_what_it_brings() -> None:
    assert admission.naming(customer_service_pb2.GetCustomerRequest.DESCRIPTOR) == ["name"]
    assert admission.naming(customer_service_pb2.CreateCustomerRequest.DESCRIPTOR) == []


async def test_a_refused_call_counts_for_who_was_refused(served: Any, issuer: TestIssuer) -> None:
    """Or nobody could say which application lacks a permission."""
    before, unknown = counted("billing", "PERMISSION_DENIED"), counted("nobody", "UNAUTHENTICATED")
    for identity in (f"Bearer {issuer.token('agent:bob', [], 'billing')}", "Bearer none"):
        served.identity = (("authorization", identity),)
        with pytest.raises(grpc.aio.AioRpcError):
            await served.get()
    assert counted("billing", "PERMISSION_DENIED") == before + 1
    assert counted("nobody", "UNAUTHENTICATED") == unknown + 1
