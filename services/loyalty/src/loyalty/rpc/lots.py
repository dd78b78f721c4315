"""The gRPC service of lots."""

from functools import partial
from typing import Any

from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.grpc.methods import change, get
from chassis.servicer import Rpc
from loyalty import names
from loyalty.store import lots as store
from loyalty.store.ledger import GET_ACCOUNT
from loyalty.usecases.lots_due import activate_lot
from rapport.loyalty.v1 import lot_service_pb2 as pb
from rapport.loyalty.v1.lot_pb2 import Lot
from rapport.loyalty.v1.lot_service_pb2_grpc import LotServiceServicer


class LotRpc(Rpc, LotServiceServicer):
    """What of an account ends when."""

    GetLot = get(names.LOT, store.GET_LOT, Lot)
    ActivateLot = change(pb.ActivateLotRequest, activate_lot, Lot)

    async def ListLots(self, request: pb.ListLotsRequest, context: Any) -> pb.ListLotsResponse:
        """The lots of an account."""
        named = names.ACCOUNT.parse(request.parent, "parent")
        store.LIST_LOTS.check(request)
        account = await found(self.db, names.ACCOUNT, GET_ACCOUNT, *named)
        page, token = await store.LIST_LOTS.page(self.db, request, partial(to_message, Lot), of=account.id)
        return pb.ListLotsResponse(lots=page, next_page_token=token)
