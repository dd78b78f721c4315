"""Programs and what they count, through the real service."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from rapport.loyalty.v1 import program_service_pb2 as rpc
from rapport.loyalty.v1.program_pb2 import Program, Unit
from rapport_testing.running import refused

pytestmark = pytest.mark.together


def making(program_id: str, name: str = "Staff") -> rpc.CreateProgramRequest:
    return rpc.CreateProgramRequest(program_id=program_id, program=Program(display_name=name))


def counting(unit_id: str, program: str = "programs/staff") -> rpc.CreateUnitRequest:
    return rpc.CreateUnitRequest(parent=program, unit_id=unit_id, unit=Unit(display_name="Stars"))


async def test_every_installation_has_a_program_that_counts_points(desk: Any) -> None:
    main = await desk.programs.GetProgram(rpc.GetProgramRequest(name="programs/main"))
    points = await desk.programs.GetUnit(rpc.GetUnitRequest(name="programs/main/units/points"))
    assert list((await desk.programs.ListPrograms(rpc.ListProgramsRequest())).programs) == [main]
    units = await desk.programs.ListUnits(rpc.ListUnitsRequest(parent="programs/main"))
    assert list(units.units) == [points]


async def test_programs_and_units_are_made_once(desk: Any) -> None:
    staff = await desk.programs.CreateProgram(making("staff"))
    assert (staff.name, staff.display_name, staff.etag) == ("programs/staff", "Staff", '"1"')
    assert await refused(desk.programs.CreateProgram(making("staff"))) == "RESOURCE_EXISTS"
    stars = await desk.programs.CreateUnit(counting("stars"))
    assert stars.name == "programs/staff/units/stars"
    assert await refused(desk.programs.CreateUnit(counting("stars"))) == "RESOURCE_EXISTS"
    own = [f"programs/staff/accounts/stars-{kind}" for kind in ("issued", "redeemed")]
    await desk.ledger.PostTransfer(desk.transfer((own[0], -1), (own[1], 1)))


@pytest.mark.alone("what it makes is there once")
async def test_programs_and_units_are_renamed_by_who_read_them_last(desk: Any) -> None:
    staff = await desk.programs.CreateProgram(making("staff"))
    stars = await desk.programs.CreateUnit(counting("stars"))
    for update, asked, field, was in (
        (desk.programs.UpdateProgram, rpc.UpdateProgramRequest, "program", staff),
        (desk.programs.UpdateUnit, rpc.UpdateUnitRequest, "unit", stars),
    ):
        new = type(was)(name=was.name, display_name="New", etag=was.etag)
        renamed = await update(asked(**{field: new}))
        assert (renamed.display_name, renamed.etag, renamed.name) == ("New", '"2"', was.name)
        assert await refused(update(asked(**{field: new}))) == "ETAG_MISMATCH"
        nothing = type(was)(name=was.name)
        assert await update(asked(**{field: nothing})) == renamed
        empty = asked(**{field: nothing, "update_mask": FieldMask(paths=["display_name"])})
        assert await refused(update(empty)) == "REQUIRED"
        other = asked(**{field: new, "update_mask": FieldMask(paths=["unit"])})
        assert await refused(update(other)) == "UNKNOWN_FIELD"
        absent = type(was)(name=was.name.replace("staff", "nowhere"), display_name="New")
        assert await refused(update(asked(**{field: absent}))) == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (making("Staff"), "INVALID_CODE"),
        (making(""), "REQUIRED"),
        (making("staff", ""), "REQUIRED"),
        (counting("stars", "programs/nowhere"), "RESOURCE_NOT_FOUND"),
        (counting("x" * 51), "TOO_LONG"),
        (counting("Stars"), "INVALID_CODE"),
    ],
)
async def test_wrong_ids_and_names_are_refused(desk: Any, request_: Any, expected: str) -> None:
    make = desk.programs.CreateUnit if hasattr(request_, "unit_id") else desk.programs.CreateProgram
    assert await refused(make(request_)) == expected
