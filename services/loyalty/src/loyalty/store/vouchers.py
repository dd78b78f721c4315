"""The tables of vouchers, and the statements on them."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, table
from loyalty.domain.goodwill import Goodwill
from loyalty.domain.voucher import Voucher, VoucherState, VoucherTry, VoucherUse
from loyalty.names import CUSTOMER
from loyalty.store.memberships import parts_of
from loyalty.store.tables import GOODWILL, METADATA
from rapport.loyalty.v1.voucher_pb2 import Voucher as VoucherMessage

VOUCHERS = table(METADATA, "vouchers", Voucher)
USES = table(METADATA, "voucher_uses", VoucherUse)
TRIES = table(METADATA, "voucher_tries", VoucherTry)
_V, _U = VOUCHERS.c, USES.c
_ACTIVE = _V.state == sa.literal_column(f"'{VoucherState.ACTIVE}'")

INSERT_VOUCHERS = Bulk[Any](VOUCHERS)
GET_VOUCHER, LOCK_VOUCHER, UPDATE_VOUCHER = of_entity(VOUCHERS, Voucher)
_LOCKED = sa.select(VOUCHERS).with_for_update(key_share=True)
_BY_CODE = sa.select(VOUCHERS).where(_V.code_hash == sa.bindparam("code_hash"))
BY_CODE = Statement(_BY_CODE, row=Voucher)
LOCK_BY_CODE = Statement(_BY_CODE.with_for_update(key_share=True), row=Voucher)
LOCK_OF_REDEMPTION = Statement(_LOCKED.where(_V.redemption_id == sa.bindparam("redemption_id")), row=Voucher)
LOCK_OF_GOODWILL = Statement(_LOCKED.where(_V.goodwill_id == sa.bindparam("goodwill_id")), row=Voucher)
LIST_VOUCHERS = Listing(
    sa.select(VOUCHERS),
    _V.id,
    descending=True,
    row=Voucher,
    filters={
        "customer": filters.customer(_V.customer_id, CUSTOMER),
        "campaign": filters.text(_V.campaign),
        "state": filters.enum(_V.state, VoucherMessage.State.DESCRIPTOR),
    },
)
# The grant that a transfer gave: before its voucher, as whoever issues one locks them.
LOCK_GRANT = Statement(
    sa.select(GOODWILL)
    .where(GOODWILL.c.transfer_id == sa.bindparam("transfer_id"))
    .with_for_update(key_share=True),
    row=Goodwill,
)

INSERT_USE = Statement[Any](sa.insert(USES))
_OF = _U.voucher_id == sa.bindparam("voucher_id")
GET_USE = Statement(sa.select(USES).where(_OF, _U.id == sa.bindparam("id")), row=VoucherUse)
REVERSAL = Statement[Any](sa.select(_U.id).where(_U.reverses_id == sa.bindparam("id")))
LIST_USES = Listing(sa.select(USES).where(_OF), _U.id, descending=True, row=VoucherUse)

# Whether a membership is another, or part of it.
IS_PART = Statement[Any](
    sa.select(sa.literal_column("1")).where(
        sa.bindparam("part", type_=sa.Uuid).in_(parts_of(sa.bindparam("whole", type_=sa.Uuid)))
    )
)

INSERT_TRY = Statement[Any](sa.insert(TRIES))
COUNT_TRIES = Statement[Any](
    sa.select(sa.func.count()).where(
        among(TRIES.c.trier, "triers"), TRIES.c.create_time > sa.bindparam("since")
    )
)

DUE = Statement[Any](
    sa.select(_V.id, _V.goodwill_id)
    .where(_ACTIVE, _V.expire_time <= sa.bindparam("now"))
    .order_by(_V.expire_time)
    .limit(sa.bindparam("limit", type_=sa.BigInteger))
)
ENDING = Statement[Any](
    sa.select(
        sa.func.count().label("count"),
        sa.func.min(_V.expire_time).label("first"),
    ).where(_ACTIVE, _V.expire_time <= sa.bindparam("until"), _V.used_count == 0)
)
_left = sa.case((_V.in_parts, _V.money - _V.used_amount), else_=_V.money * (_V.max_uses - _V.used_count))
# What is owed on vouchers of a program, by currency; of those that are worth no amount only how many.
OWED = Statement[Any](
    sa.select(
        _V.money_currency.label("currency"),
        sa.func.count().label("count"),
        sa.func.sum(_left).label("amount"),
    )
    .where(
        _ACTIVE,
        _V.program_id == sa.bindparam("program_id"),
        sa.or_(_V.expire_time.is_(None), _V.expire_time > sa.bindparam("now")),
    )
    .group_by(_V.money_currency)
    .order_by(_V.money_currency)
)
