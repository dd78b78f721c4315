"""The gRPC service of programs, and of what they count."""

from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.names import PROGRAM, UNIT
from loyalty.store import tables as store
from loyalty.usecases import programs
from rapport.loyalty.v1 import program_service_pb2 as pb
from rapport.loyalty.v1.program_pb2 import Program, Unit
from rapport.loyalty.v1.program_service_pb2_grpc import ProgramServiceServicer


class ProgramRpc(Rpc, ProgramServiceServicer):
    """Programs, and what they count."""

    CreateProgram = change(pb.CreateProgramRequest, programs.create_program, Program)
    GetProgram = get(PROGRAM, store.GET_PROGRAM, Program)
    ListPrograms = listing(pb.ListProgramsResponse, store.LIST_PROGRAMS)
    UpdateProgram = change(pb.UpdateProgramRequest, programs.update_program, Program)
    CreateUnit = change(pb.CreateUnitRequest, programs.create_unit, Unit)
    GetUnit = get(UNIT, store.GET_UNIT, Unit)
    ListUnits = listing(pb.ListUnitsResponse, store.LIST_UNITS, parent=(PROGRAM, store.GET_PROGRAM))
    UpdateUnit = change(pb.UpdateUnitRequest, programs.update_unit, Unit)
