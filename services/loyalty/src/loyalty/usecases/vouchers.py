"""Checking and using vouchers by their codes, and undoing a use.

Locked are, in this order: the person, the grant that a voucher is, the voucher, accounts.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from chassis import ids
from chassis.api.entities import found, save
from chassis.db.aliases import lock_person
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of
from loyalty.domain.facts import VoucherUsed, VoucherUseReversed
from loyalty.domain.receipts import TRIES_MAX, TRY_PERIOD, tries_left
from loyalty.domain.voucher import CALLER_TRIES_MAX, Outcome, Voucher, VoucherTry, VoucherUse
from loyalty.domain.voucher_code import code_hash
from loyalty.names import CUSTOMER, PURCHASE, VOUCHER, VOUCHER_USE
from loyalty.store import vouchers as store
from loyalty.store.purchases import GET_PURCHASE
from loyalty.usecases.memberships import earning_memberships


class Checked(NamedTuple):
    """What a code is worth, and how many wrong tries are left."""

    outcome: Outcome
    voucher: Voucher | None
    tries_left: int


class Used(NamedTuple):
    """What was used, or why nothing."""

    outcome: Outcome
    use: VoucherUse | None
    voucher: Voucher | None
    tries_left: int


async def validate_voucher(tx: Transaction, *, code: str, customer_id: UUID | None) -> Checked:
    """Say what a code is worth; a wrong one is answered, so that the try is kept.

    FailedPrecondition `TOO_MANY_TRIES`.
    """
    looked = await _look(tx, code, customer_id)
    if looked.voucher is None:
        return looked
    return looked._replace(outcome=looked.voucher.worth(tx.now))


async def use_voucher(
    tx: Transaction,
    *,
    code: str,
    customer_id: UUID | None,
    money: Decimal | None,
    money_currency: str,
    reference: str,
    purchase_id: UUID | None,
) -> Used:
    """Use a voucher once. NotFound without the purchase; FailedPrecondition `TOO_MANY_TRIES`."""
    looked = await _look(tx, code, customer_id)
    voucher = looked.voucher
    if voucher and voucher.worth(tx.now) is Outcome.OK:  # of all who want it only those wait who may get it
        voucher = await store.LOCK_BY_CODE.maybe(tx, code_hash=voucher.code_hash)
    if voucher is None:  # or it was given another code meanwhile
        outcome = looked.outcome if looked.voucher is None else Outcome.UNKNOWN
        return Used(outcome, None, None, looked.tries_left)
    if purchase_id is not None:
        await found(tx, PURCHASE, GET_PURCHASE, purchase_id)
    outcome, taken = voucher.take(money, money_currency, tx.now)
    if outcome is not Outcome.OK:
        return Used(outcome, None, voucher, looked.tries_left)
    use = VoucherUse(
        id=ids.uuid7(tx.now),
        voucher_id=voucher.id,
        customer_id=customer_id,
        money=taken,
        money_currency=voucher.money_currency,
        reference=reference,
        purchase_id=purchase_id,
        reverses_id=None,
        reason_code="",
        department_id=tx.call.principal.department or None,
        create_time=tx.now,
    )
    await store.INSERT_USE.run(tx, **values(use))
    told = fact_of(VoucherUsed, voucher, **voucher.told, **use.told)
    await save(tx, store.UPDATE_VOUCHER, voucher, told)
    return Used(outcome, use, voucher, looked.tries_left)


async def reverse_voucher_use(
    tx: Transaction, *, voucher_id: UUID, use_id: UUID, reason_code: str
) -> VoucherUse:
    """Undo a use, once. NotFound; FailedPrecondition `ALREADY_REVERSED`, `IS_REVERSAL`."""
    voucher = await found(tx, VOUCHER, store.LOCK_VOUCHER, voucher_id)
    use = await found(tx, VOUCHER_USE, store.GET_USE, voucher_id, use_id)
    if use.reverses_id is not None:
        told = f"{use.name} undid another use: use the voucher again."
        raise FailedPrecondition("IS_REVERSAL", told, {"resource": use.name})
    if await store.REVERSAL.maybe(tx, id=use.id) is not None:
        told = f"{use.name} was reversed before; a use is reversed once."
        raise FailedPrecondition("ALREADY_REVERSED", told, {"resource": use.name})
    voucher.give_back(use)
    reversal = VoucherUse(
        id=ids.uuid7(tx.now),
        voucher_id=voucher.id,
        customer_id=use.customer_id,
        money=None if use.money is None else -use.money,
        money_currency=use.money_currency,
        reference=use.reference,
        purchase_id=use.purchase_id,
        reverses_id=use.id,
        reason_code=reason_code,
        department_id=tx.call.principal.department or None,
        create_time=tx.now,
    )
    await store.INSERT_USE.run(tx, **values(reversal))
    more = {"reverses": use.name, "reason_code": reason_code}
    fact = fact_of(VoucherUseReversed, voucher, **voucher.told, **reversal.told, **more)
    await save(tx, store.UPDATE_VOUCHER, voucher, fact)
    return reversal


async def _look(tx: Transaction, code: str, customer_id: UUID | None) -> Checked:
    """The voucher of a code, for who may use it; or a wrong try. FailedPrecondition `TOO_MANY_TRIES`.

    Tries are the customer's, and without one the caller's. A code with a wrong check letter is a slip of the
    pen, which opens nothing and counts for nothing.
    """
    names = await lock_person(tx, customer_id) if customer_id else ()
    triers = [CUSTOMER.format(each) for each in names] or [tx.call.principal.subject]
    [[wrong]] = await store.COUNT_TRIES.all(tx, triers=triers, since=tx.now - TRY_PERIOD)
    left = tries_left(wrong, TRIES_MAX if names else CALLER_TRIES_MAX)
    if (hashed := code_hash(code)) is None:
        return Checked(Outcome.UNKNOWN, None, left)
    voucher = await store.BY_CODE.maybe(tx, code_hash=hashed)
    if voucher and await _may_use(tx, voucher, customer_id, names):
        return Checked(Outcome.OK, voucher, left)
    await store.INSERT_TRY.run(tx, **values(VoucherTry(ids.uuid7(tx.now), triers[0], tx.now)))
    return Checked(Outcome.WRONG_HOLDER if voucher else Outcome.UNKNOWN, None, left - 1)


async def _may_use(
    tx: Transaction, voucher: Voucher, customer_id: UUID | None, names: Collection[UUID]
) -> bool:
    """Whether a voucher is a customer's by any of their names, or their membership's; or anybody's."""
    if voucher.customer_id is None or voucher.customer_id in names:
        return True
    if customer_id is None or voucher.membership_id is None:
        return False
    earning = await earning_memberships(tx, voucher.program_id, [customer_id])
    if (member := earning.get(customer_id)) is None:
        return False
    return await store.IS_PART.maybe(tx, part=voucher.membership_id, whole=member.id) is not None
