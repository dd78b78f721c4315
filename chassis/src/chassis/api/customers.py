"""What no option of the contract says of a customer: for the service that keeps them, and for imports."""

from datetime import datetime

from chassis.api.checks import GIVEN, Rules, checker
from chassis.api.handles import (
    INVALID_REASON,
    INVALID_REASONS,
    MISLEADING,
    OF_SYSTEMS,
    Handle,
    judge,
    misleads,
)
from chassis.api.messages import value_name
from chassis.api.validation import Check, Found, bound
from chassis.errors import Violation
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import BatchResolveCustomersRequest
from rapport.customer.v1.identifier_pb2 import Identifier

# A thousand rows are applied in one transaction.
_ROW_IDENTIFIERS_MAX = 20
_BATCH_PARTS_MAX = 5000


def _customer(check: Check, sent: Customer, now: datetime) -> None:
    if sum(address.primary for address in sent.addresses) > 1:
        check.refuse("addresses", "TOO_LONG", "must hold at most one that is primary")


def _identifier(check: Check, sent: Identifier, now: datetime) -> None:
    kind = value_name(sent, "type")
    if kind in OF_SYSTEMS and not sent.system:
        check.refuse("system", *GIVEN)
    if sent.system and kind not in OF_SYSTEMS:
        check.refuse("system", "INVALID_CODE", f"must be empty but of {' and '.join(sorted(OF_SYSTEMS))}")
    if misleads(kind, sent.value):
        check.refuse("value", INVALID_REASONS.get(kind, INVALID_REASON)[0], MISLEADING)


@bound
def _batch(check: Check, sent: BatchResolveCustomersRequest, now: datetime) -> None:
    new = [each.new_customer for each in sent.requests]
    if len(new) + sum(len(each.identifiers) + len(each.addresses) for each in new) > _BATCH_PARTS_MAX:
        allowed = f"must hold at most {_BATCH_PARTS_MAX:,} identifiers and addresses together"
        check.refuse("requests", "TOO_LONG", allowed)


RULES: Rules = {Customer: _customer, Identifier: _identifier, BatchResolveCustomersRequest: _batch}
check_customer = checker(Customer.DESCRIPTOR, RULES)


def check_row(customer: Customer, now: datetime) -> Found:
    """What refuses a row of an import.

    It needs a handle to be found by, or a second import would make a second customer of it.
    """
    if len(customer.identifiers) > _ROW_IDENTIFIERS_MAX:
        allowed = f"must hold at most {_ROW_IDENTIFIERS_MAX} in a row"
        return [Violation("identifiers", "TOO_LONG", allowed)]
    if wrong := check_customer(customer, now):
        return wrong
    handles = [judged(each, customer.region_code) for each in customer.identifiers]
    if not handles:
        return [Violation("identifiers", "REQUIRED", "must hold an identifier to find the customer by")]
    if not any(handle.normalized_value for handle in handles):
        return [Violation("identifiers[0].value", *INVALID_REASONS[handles[0].type])]
    return []


def judged(sent: Identifier, region_code: str) -> Handle:
    """An identifier, judged; in a region for phone numbers without a country code."""
    return judge(value_name(sent, "type"), sent.value, region_code)
