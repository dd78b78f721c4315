"""Giving lines of a purchase back, or all that is left of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chassis import ids
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from loyalty.domain.purchase_lines import Line, given_back
from loyalty.domain.value import Purchase, ValueFormula
from loyalty.names import PURCHASE
from loyalty.usecases.purchases import record_purchases
from loyalty.usecases.returns import lock_bought, require_left


@dataclass(slots=True)
class LineReturn:
    """How much of a line is given back: all that is left when nobody says."""

    line: int
    quantity: Decimal | None


async def return_purchase(
    tx: Transaction,
    formula: ValueFormula,
    *,
    purchase_id: UUID,
    lines: list[LineReturn],
    return_time: datetime | None,
) -> Purchase:
    """Record what is given back as a purchase of its own, of a negative amount."""
    bought, lefts, _ = await lock_bought(tx, [purchase_id])
    if not bought:
        raise NotFound(PURCHASE.format(purchase_id))
    original, left = bought[purchase_id], lefts[purchase_id]
    rest = {number for number, line in left.items() if line.quantity or line.paid}
    wanted = {each.line: each.quantity for each in lines} or dict.fromkeys(rest)
    for number, quantity in wanted.items() or [(1, None)]:
        one = Decimal(1) if number not in rest else Decimal(0)  # of what is not there nothing is left
        require_left(original, left, Line("", -(quantity or one), Decimal(0), returned_line=number))
    back = given_back(original.sold, left, wanted, original.currency_code)
    sent = Purchase(
        id=ids.uuid7(tx.now),
        customer_id=original.customer_id,
        paid=sum((line.paid for line in back), Decimal(0)),
        currency_code=original.currency_code,
        purchase_time=return_time or tx.now,
        quantity=0,
        reference=original.reference,
        import_key=None,
        create_time=tx.now,
        update_time=tx.now,
        sold=back,
        returned_purchase_id=purchase_id,
        store=original.store,
    )
    [recorded] = await record_purchases(tx, [sent], formula)
    assert recorded.purchase is not None, "without an import key it is new"
    return recorded.purchase
