"""The table of reservations, and the statements on them."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import table
from loyalty.domain.reservation import Reservation
from loyalty.store.tables import METADATA

RESERVATIONS = table(METADATA, "reservations", Reservation)
_R = RESERVATIONS.c
GET_RESERVATION, LOCK_RESERVATION, UPDATE_RESERVATION = of_entity(RESERVATIONS, Reservation)
INSERT_RESERVATION = Statement[Any](sa.insert(RESERVATIONS))
RESERVATION_BY = Statement(
    sa.select(RESERVATIONS).where(
        sa.or_(
            _R.transfer_id == sa.bindparam("id", type_=sa.Uuid),
            _R.end_transfer_id == sa.bindparam("id", type_=sa.Uuid),
        )
    ),
    row=Reservation,
)
LIST_RESERVATIONS = Listing(
    sa.select(RESERVATIONS),
    _R.id,
    descending=True,
    row=Reservation,
    filters={"account": filters.text(_R.account)},
)
