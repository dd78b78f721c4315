"""Departments say what they have to know of work, and nobody gives them work without."""

import grpc
import pytest

from chassis.grpc.status import refusal
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import (
    GetDepartmentRequest,
    ListDepartmentsRequest,
    UpdateDepartmentRequest,
)
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub

pytestmark = pytest.mark.together

BILLING = "departments/billing"
ORDER = {"field": "order", "display_name": "Order number", "format": "FORMAT_REFERENCE"}
DAY = {"field": "paid_on", "format": "FORMAT_DATE"}


async def describe(desk, *fields, kind="refund", **others):
    """Have billing say what it has to know of refunds."""
    kinds = [{"kind": kind, "required_fields": fields}] if fields else []
    said = Department(**{"name": BILLING, "display_name": "Billing", "work_kinds": kinds} | others)
    request = UpdateDepartmentRequest(department=said, allow_missing=True, update_mask={"paths": ["*"]})
    return await desk.directory.UpdateDepartment(request)


async def test_a_department_says_what_it_has_to_know_in_its_own_order(desk):
    made = await describe(desk, ORDER, DAY)
    assert [each.field for each in made.work_kinds[0].required_fields] == ["order", "paid_on"]
    assert made.work_kinds[0].required_fields[0].format == Department.FORMAT_REFERENCE
    assert await desk.directory.GetDepartment(GetDepartmentRequest(name=BILLING)) == made
    assert await describe(desk, ORDER, DAY) == made
    changed = await describe(desk, DAY)
    listed = await desk.directory.ListDepartments(ListDepartmentsRequest())
    assert list(listed.departments) == [changed]
    told = await desk.facts("DepartmentCreated", "DepartmentUpdated")
    assert [(fact.resource, fact.version) for fact in told] == [(BILLING, 1), (BILLING, 2)]
    assert list(told[1].data.updated_fields) == ["work_kinds"]


@pytest.mark.alone("it counts all that there is")
async def test_a_department_is_described_by_its_own_people_with_a_name(desk, refused):
    other = desk.running.stub(DirectoryServiceStub, ["cases.departments.write"], "agent:dora", "delivery")
    said = Department(name=BILLING, display_name="Billing")
    foreign = other.UpdateDepartment(UpdateDepartmentRequest(department=said, allow_missing=True))
    assert await refused(foreign) == "PERMISSION_DENIED NOT_OWNER"
    assert await refused(describe(desk, display_name="")) == "INVALID_ARGUMENT REQUIRED"
    missing = desk.directory.UpdateDepartment(UpdateDepartmentRequest(department=said))
    assert await refused(missing) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(describe(desk, ORDER, ORDER)) == "INVALID_ARGUMENT INVALID_NAME"
    assert await refused(describe(desk, ORDER, etag='"3"')) == "ABORTED ETAG_MISMATCH"


async def test_work_is_not_given_without_what_the_department_has_to_know(desk):
    await describe(desk, ORDER, DAY)
    case = (await desk.open()).name
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.add(case, department=BILLING, kind="refund", fields={"order": " "})
    told = refusal(caught.value)
    about = {"resource": BILLING, "fields": "order, paid_on"}
    assert (told.reason, told.metadata) == ("FIELDS_MISSING", about)
    told = {"order": "orders/1", "paid_on": "2026-03-01", "iban": "DE02"}
    added = await desk.add(case, department=BILLING, kind="refund", fields=told)
    assert dict(added.fields) == told
    assert "DE02" not in str([fact.data for fact in await desk.facts()])
    for kind, department in (("letter", BILLING), ("refund", "departments/delivery")):
        await desk.add(case, department=department, kind=kind)


async def test_what_is_not_of_its_format_is_refused_field_by_field(desk):
    await describe(desk, ORDER, DAY)
    case = (await desk.open()).name
    for day in ("20260301", "2026-02-30", "soon"):
        fields = {"order": "no order", "paid_on": day}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await desk.add(case, department=BILLING, kind="refund", fields=fields)
        assert "work_item.fields[order]" in caught.value.details()
        assert "work_item.fields[paid_on]" in caught.value.details()


async def test_a_hand_over_says_what_the_other_department_has_to_know_beside_what_was_said(desk, refused):
    await describe(desk, ORDER, DAY)
    item = await desk.add((await desk.open()).name, kind="refund", fields={"order": "orders/1"})
    over = {"department": BILLING, "reason_code": "not-ours"}
    assert await refused(desk.item("HandOver", item.name, **over)) == "FAILED_PRECONDITION FIELDS_MISSING"
    handed = await desk.item("HandOver", item.name, **over, fields={"paid_on": "2026-03-01"})
    assert dict(handed.fields) == {"order": "orders/1", "paid_on": "2026-03-01"}


async def test_a_work_item_says_fifty_things_at_most(desk, refused):
    item = await desk.add((await desk.open()).name, fields={f"f{n}": "x" for n in range(50)})
    more = desk.item("HandOver", item.name, department=BILLING, reason_code="x", fields={"g": "x"})
    assert await refused(more) == "INVALID_ARGUMENT TOO_LONG"
