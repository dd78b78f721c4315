"""The gRPC service of reservations."""

from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.names import RESERVATION
from loyalty.store import reservations as store
from loyalty.usecases.reservations import commit_reservation, release_reservation, reserve
from rapport.loyalty.v1 import reservation_service_pb2 as pb
from rapport.loyalty.v1.reservation_pb2 import Reservation
from rapport.loyalty.v1.reservation_service_pb2_grpc import ReservationServiceServicer


class ReservationRpc(Rpc, ReservationServiceServicer):
    """Points set aside: redemptions in two steps."""

    CreateReservation = change(pb.CreateReservationRequest, reserve, Reservation)
    GetReservation = get(RESERVATION, store.GET_RESERVATION, Reservation)
    ListReservations = listing(pb.ListReservationsResponse, store.LIST_RESERVATIONS)
    CommitReservation = change(pb.CommitReservationRequest, commit_reservation, Reservation)
    ReleaseReservation = change(pb.ReleaseReservationRequest, release_reservation, Reservation)
