"""Statements on purchases that are nobody's, and on guesses at their receipts."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Statement
from chassis.db.tables import among, rows_of
from loyalty.domain.value import Purchase
from loyalty.store.tables import PURCHASES, RECEIPT_TRIES

# Of what was bought, not given back; two are as many as several.
_BOUGHT = sa.select(PURCHASES).where(PURCHASES.c.returned_purchase_id.is_(None)).limit(sa.literal_column("2"))
WITH_CODE = Statement(_BOUGHT.where(PURCHASES.c.receipt_hash == sa.bindparam("receipt_hash")), row=Purchase)
WITH_RECEIPT = Statement(
    _BOUGHT.where(
        PURCHASES.c.store == sa.bindparam("store"),
        PURCHASES.c.purchase_time >= sa.bindparam("begins"),
        PURCHASES.c.purchase_time < sa.bindparam("ends"),
        PURCHASES.c.reference == sa.bindparam("reference"),
        PURCHASES.c.paid == sa.bindparam("paid"),
        PURCHASES.c.currency_code == sa.bindparam("currency_code"),
    ),
    row=Purchase,
)
_P = PURCHASES.c
# What others bought, or the same people, that says the same as what is nobody's.
ALIKE = Statement(
    sa.select(PURCHASES).where(
        _P.customer_id.is_not(None),
        _P.returned_purchase_id.is_(None),
        _P.reference == sa.bindparam("reference"),
        _P.purchase_time == sa.bindparam("purchase_time"),
        _P.paid == sa.bindparam("paid"),
        _P.currency_code == sa.bindparam("currency_code"),
    ),
    row=Purchase,
)
_said = rows_of(
    "said", references=sa.Text(), times=_P.purchase_time.type, amounts=_P.paid.type, currencies=sa.Text()
)
# What imports brought as nobody's with one of these references, at its time, for its amount.
NOBODYS = Statement(
    sa.select(PURCHASES)
    .join(
        _said,
        sa.and_(
            _P.reference == _said.c.references,
            _P.purchase_time == _said.c.times,
            _P.paid == _said.c.amounts,
            _P.currency_code == _said.c.currencies,
        ),
    )
    .where(_P.customer_id.is_(None), _P.returned_purchase_id.is_(None), _P.import_key.is_not(None)),
    row=Purchase,
)
# What is nobody's, with what was given back of it.
_id: sa.BindParameter[Any] = sa.bindparam("id", type_=sa.Uuid)
CLAIM = Statement(
    sa.update(PURCHASES)
    .where(
        sa.or_(PURCHASES.c.id == _id, PURCHASES.c.returned_purchase_id == _id),
        PURCHASES.c.customer_id.is_(None),
    )
    .values(
        customer_id=sa.bindparam("customer_id", type_=sa.Uuid),
        update_time=sa.bindparam("at"),
        version=PURCHASES.c.version + 1,
    )
    .returning(PURCHASES),
    row=Purchase,
)

INSERT_TRY = Statement[Any](sa.insert(RECEIPT_TRIES))
COUNT_TRIES = Statement[Any](
    sa.select(sa.func.count()).where(
        among(RECEIPT_TRIES.c.customer_id, "customer_ids"),
        RECEIPT_TRIES.c.create_time > sa.bindparam("since"),
    )
)
