"""The gRPC services of lots and of reservations."""

from functools import partial
from typing import Any

from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty import names
from loyalty.store import lots as store
from loyalty.store.ledger import GET_ACCOUNT
from loyalty.usecases.lots_due import activate_lot
from loyalty.usecases.redemption import commit_reservation, release_reservation, reserve
from rapport.loyalty.v1 import lot_service_pb2 as lot_pb
from rapport.loyalty.v1 import reservation_service_pb2 as pb
from rapport.loyalty.v1.lot_pb2 import Lot
from rapport.loyalty.v1.lot_service_pb2_grpc import LotServiceServicer
from rapport.loyalty.v1.reservation_pb2 import Reservation
from rapport.loyalty.v1.reservation_service_pb2_grpc import ReservationServiceServicer


class LotRpc(Rpc, LotServiceServicer):
    """What of an account ends when."""

    GetLot = get(names.LOT, store.GET_LOT, Lot)
    ActivateLot = change(lot_pb.ActivateLotRequest, activate_lot, Lot)

    async def ListLots(self, request: lot_pb.ListLotsRequest, context: Any) -> lot_pb.ListLotsResponse:
        """The lots of an account."""
        named = names.ACCOUNT.parse(request.parent, "parent")
        store.LIST_LOTS.check(request)
        account = await found(self.db, names.ACCOUNT, GET_ACCOUNT, *named)
        page, token = await store.LIST_LOTS.page(self.db, request, partial(to_message, Lot), of=account.id)
        return lot_pb.ListLotsResponse(lots=page, next_page_token=token)


class ReservationRpc(Rpc, ReservationServiceServicer):
    """Redemptions in two steps."""

    CreateReservation = change(pb.CreateReservationRequest, reserve, Reservation)
    GetReservation = get(names.RESERVATION, store.GET_RESERVATION, Reservation)
    ListReservations = listing(pb.ListReservationsResponse, store.LIST_RESERVATIONS)
    CommitReservation = change(pb.CommitReservationRequest, commit_reservation, Reservation)
    ReleaseReservation = change(pb.ReleaseReservationRequest, release_reservation, Reservation)
