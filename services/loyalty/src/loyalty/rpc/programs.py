"""The gRPC service of programs and units."""

from typing import Any

from chassis.api.etags import etag
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from loyalty.domain.program import Program, Unit
from loyalty.names import PROGRAM, UNIT
from loyalty.store import programs as store
from loyalty.usecases import programs as usecases
from rapport.loyalty.v1 import program_pb2, program_service_pb2, program_service_pb2_grpc

_FIELDS = ("display_name",)
_UNIT_ID_MAX = 50  # with its kind, an account's id has room for it


class ProgramRpc(program_service_pb2_grpc.ProgramServiceServicer):
    """Programs, and what they count."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def CreateProgram(
        self, request: program_service_pb2.CreateProgramRequest, tx: Transaction
    ) -> program_pb2.Program:
        """Make a program."""
        check = Check()
        program_id = check.code(request.program_id, "program_id")
        display_name = check.text(request.program.display_name, "program.display_name")
        check.raise_if_any()
        return _program(
            await usecases.create_program(tx, Program(program_id, display_name, 1, tx.now, tx.now))
        )

    async def GetProgram(
        self, request: program_service_pb2.GetProgramRequest, context: Any
    ) -> program_pb2.Program:
        """One program."""
        (program_id,) = PROGRAM.parse(request.name)
        program = await store.GET_PROGRAM.maybe(self.db, id=program_id)
        if program is None:
            raise NotFound(request.name)
        return _program(program)

    async def ListPrograms(
        self, request: program_service_pb2.ListProgramsRequest, context: Any
    ) -> program_service_pb2.ListProgramsResponse:
        """Programs by name."""
        programs, token = await store.LIST_PROGRAMS.page(self.db, request, _program)
        return program_service_pb2.ListProgramsResponse(programs=programs, next_page_token=token)

    @mutation
    async def UpdateProgram(
        self, request: program_service_pb2.UpdateProgramRequest, tx: Transaction
    ) -> program_pb2.Program:
        """Rename a program."""
        sent, fields = request.program, masked(request.update_mask, request.program, _FIELDS)
        check = Check("program.")
        (program_id,) = check.name(PROGRAM, sent.name, "name")
        display_name = check.text(sent.display_name, "display_name")
        check.raise_if_any()
        changes = Program(program_id, display_name, 1, tx.now, tx.now)
        found = await store.LOCK_PROGRAM.maybe(tx, id=program_id)
        return _program(await usecases.rename(tx, found, changes, fields, sent.etag, store.UPDATE_PROGRAM))

    @mutation
    async def CreateUnit(
        self, request: program_service_pb2.CreateUnitRequest, tx: Transaction
    ) -> program_pb2.Unit:
        """Make a unit."""
        check = Check()
        (program,) = check.name(PROGRAM, request.parent, "parent")
        unit_id = check.code(
            check.text(request.unit_id, "unit_id", max=_UNIT_ID_MAX), "unit_id", required=False
        )
        display_name = check.text(request.unit.display_name, "unit.display_name")
        check.raise_if_any()
        return _unit(await usecases.create_unit(tx, Unit(program, unit_id, display_name, 1, tx.now, tx.now)))

    async def GetUnit(self, request: program_service_pb2.GetUnitRequest, context: Any) -> program_pb2.Unit:
        """One unit."""
        program, unit_id = UNIT.parse(request.name)
        unit = await store.GET_UNIT.maybe(self.db, program=program, id=unit_id)
        if unit is None:
            raise NotFound(request.name)
        return _unit(unit)

    async def ListUnits(
        self, request: program_service_pb2.ListUnitsRequest, context: Any
    ) -> program_service_pb2.ListUnitsResponse:
        """The units of a program by name."""
        (program,) = PROGRAM.parse(request.parent, "parent")
        units, token = await store.LIST_UNITS.page(self.db, request, _unit, program=program)
        return program_service_pb2.ListUnitsResponse(units=units, next_page_token=token)

    @mutation
    async def UpdateUnit(
        self, request: program_service_pb2.UpdateUnitRequest, tx: Transaction
    ) -> program_pb2.Unit:
        """Rename a unit."""
        sent, fields = request.unit, masked(request.update_mask, request.unit, _FIELDS)
        check = Check("unit.")
        program, unit_id = check.name(UNIT, sent.name, "name")
        display_name = check.text(sent.display_name, "display_name")
        check.raise_if_any()
        changes = Unit(program, unit_id, display_name, 1, tx.now, tx.now)
        found = await store.LOCK_UNIT.maybe(tx, program=program, id=unit_id)
        return _unit(await usecases.rename(tx, found, changes, fields, sent.etag, store.UPDATE_UNIT))


def _program(program: Program) -> program_pb2.Program:
    return to_message(program_pb2.Program, program, etag=etag(program.version))


def _unit(unit: Unit) -> program_pb2.Unit:
    return to_message(program_pb2.Unit, unit, etag=etag(unit.version))
