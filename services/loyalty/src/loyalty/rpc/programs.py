"""The gRPC services of programs, their units and their members."""

from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.names import MEMBERSHIP, PROGRAM, UNIT
from loyalty.store import programs as store
from loyalty.usecases import programs as usecases
from rapport.loyalty.v1 import membership_service_pb2
from rapport.loyalty.v1 import program_service_pb2 as pb
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2_grpc import MembershipServiceServicer
from rapport.loyalty.v1.program_pb2 import Program, Unit
from rapport.loyalty.v1.program_service_pb2_grpc import ProgramServiceServicer


class ProgramRpc(Rpc, ProgramServiceServicer):
    """Programs, and what they count."""

    CreateProgram = change(pb.CreateProgramRequest, usecases.create_program, Program)
    GetProgram = get(PROGRAM, store.GET_PROGRAM, Program)
    ListPrograms = listing(pb.ListProgramsResponse, store.LIST_PROGRAMS)
    UpdateProgram = change(pb.UpdateProgramRequest, usecases.update_program, Program)
    CreateUnit = change(pb.CreateUnitRequest, usecases.create_unit, Unit)
    GetUnit = get(UNIT, store.GET_UNIT, Unit)
    ListUnits = listing(pb.ListUnitsResponse, store.LIST_UNITS, parent=(PROGRAM, store.GET_PROGRAM))
    UpdateUnit = change(pb.UpdateUnitRequest, usecases.update_unit, Unit)


class MembershipRpc(Rpc, MembershipServiceServicer):
    """Customers' places in programs."""

    CreateMembership = change(
        membership_service_pb2.CreateMembershipRequest, usecases.create_membership, Membership
    )
    GetMembership = get(MEMBERSHIP, store.GET_MEMBERSHIP, Membership)
    ExplainMembership = explain(MEMBERSHIP, store.GET_MEMBERSHIP, Membership)
    ListMemberships = listing(
        membership_service_pb2.ListMembershipsResponse,
        store.LIST_MEMBERSHIPS,
        parent=(PROGRAM, store.GET_PROGRAM),
    )
