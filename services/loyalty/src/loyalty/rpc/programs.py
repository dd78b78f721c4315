"""The gRPC service of programs and units."""

from datetime import datetime
from typing import ClassVar

from chassis.api.checks import Rules
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.grpc.methods import change, get, listing
from loyalty.names import PROGRAM, UNIT
from loyalty.store import programs as store
from loyalty.usecases import programs as usecases
from rapport.loyalty.v1 import program_service_pb2 as pb
from rapport.loyalty.v1.program_pb2 import Program, Unit
from rapport.loyalty.v1.program_service_pb2_grpc import ProgramServiceServicer

_UNIT_ID_MAX = 50  # with a kind behind it, it is the id of an account


def _check_unit(check: Check, sent: pb.CreateUnitRequest, now: datetime) -> None:
    if len(sent.unit_id) > _UNIT_ID_MAX:
        check.refuse("unit_id", "TOO_LONG", f"must be at most {_UNIT_ID_MAX} characters")


class ProgramRpc(ProgramServiceServicer):
    """Programs, and what they count."""

    rules: ClassVar[Rules] = {pb.CreateUnitRequest: _check_unit}

    def __init__(self, db: Database) -> None:
        self.db = db

    CreateProgram = change(pb.CreateProgramRequest, usecases.create_program, Program)
    GetProgram = get(PROGRAM, store.GET_PROGRAM, Program)
    ListPrograms = listing(pb.ListProgramsResponse, store.LIST_PROGRAMS)
    UpdateProgram = change(pb.UpdateProgramRequest, usecases.update_program, Program)
    CreateUnit = change(pb.CreateUnitRequest, usecases.create_unit, Unit)
    GetUnit = get(UNIT, store.GET_UNIT, Unit)
    ListUnits = listing(pb.ListUnitsResponse, store.LIST_UNITS, parent=(PROGRAM, store.GET_PROGRAM))
    UpdateUnit = change(pb.UpdateUnitRequest, usecases.update_unit, Unit)
