"""What purchases earn, posted with them; and what is taken back of it with what is given back of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from chassis.db.transaction import Transaction
from loyalty.domain.earning import Earning
from loyalty.domain.value import Purchase
from loyalty.store import earning as store
from loyalty.store.earning import RuleInForce
from loyalty.store.purchases import SOME_PURCHASES
from loyalty.usecases.earning_posting import post_all
from loyalty.usecases.evaluating import Bands, Reckoning, Sale, given_for, in_order, items_of, matter_of
from loyalty.usecases.returns import returns_of

_READ_BY_NONE = ("refunded", "reference", "returned_purchase_id", "receipt_hash")


async def earn(tx: Transaction, sales: Sequence[Sale], bands: Bands, acting: Callable[[int], None]) -> None:
    """Post what purchases earn by the rules in force, and take back what goes with what is given back.

    `bands` has those that customers were told to be in before. The last locks that a transaction takes.
    """
    touched = {each for sale in sales for each in _touched(sale)}
    rules = _Rules(tx)
    kept = await store.LOCK_EARNINGS.all(tx, ids=sorted(touched)) if touched else []
    known = {each.id for each in kept}
    reckonings = []
    for sale in sales:
        at = _asked_at(tx, sale)
        if at and sale.purchase.id not in known and items_of(sale.purchase):
            found = [rule for rule in await rules.of(at) if not rule.has_ended(tx.now)]
            reckonings += [_asked(_of(sale.purchase, sale), found)] if found else []
    reckonings += await _of_kept(tx, kept, sales, rules)
    if reckonings:
        returned = await returns_of(tx, [each.id for each in reckonings if each.id in touched])
        await post_all(tx, reckonings, bands, returned, acting)


class _Rules:
    """The rules that were in force at a time, each time asked for once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._at: dict[datetime, list[RuleInForce]] = {}

    async def of(self, at: datetime) -> list[RuleInForce]:
        if at not in self._at:
            self._at[at] = await store.RULES_IN_FORCE.all(self._tx, at=at)
        return self._at[at]

    async def of_kept(self, earning: Earning, at: datetime) -> list[RuleInForce]:
        """The rules of then, or those that a job has reckoned it by since."""
        if not earning.reevaluation_job_id:
            return await self.of(at)
        keys = {(given.rule, given.version): None for given in earning.given}
        ids, versions = [rule for rule, _ in keys], [version for _, version in keys]
        return in_order(await store.RULES_BY_VERSION.all(self._tx, ids=ids, versions=versions))


def _asked_at(tx: Transaction, sale: Sale) -> datetime | None:
    """By the rules of when something earns that did not: what is new of now, what was nobody's of then."""
    if sale.purchase.customer_id is None:
        return None
    if sale.before is None:
        return tx.now
    return sale.purchase.create_time if sale.before.customer_id is None else None


def _of(purchase: Purchase, sale: Sale, customer_id: UUID | None = None) -> Reckoning:
    owner = purchase.customer_id or customer_id
    assert owner is not None, "nobody earns nothing"
    return Reckoning(purchase.id, owner, purchase.purchase_time, sale.place, sale.told, purchase=purchase)


def _asked(each: Reckoning, rules: Sequence[RuleInForce]) -> Reckoning:
    assert each.purchase is not None, "it is of a purchase"
    each.rules = rules
    each.ask = partial(given_for, matter_of(each.purchase), each.customer_id, rules, then=each.earners)
    return each


def _touched(sale: Sale) -> Iterable[UUID]:
    """The purchases that may earn otherwise than before: corrected, or lines of them are given back."""
    if sale.before is not None:
        yield sale.purchase.id
    for each in (sale.purchase, sale.before):
        if each is not None and each.returned_purchase_id:
            yield each.returned_purchase_id


async def _of_kept(
    tx: Transaction, kept: Sequence[Earning], sales: Sequence[Sale], rules: _Rules
) -> list[Reckoning]:
    """Purchases that earned before: reckoned anew by the rules of then where they say something else now."""
    because = {each: sale for sale in reversed(sales) for each in _touched(sale)}
    because |= {
        sale.purchase.id: sale for sale in sales if sale.before
    }  # its own word before that of a return
    stand = {each.id: each for each in await SOME_PURCHASES.all(tx, ids=[e.id for e in kept])} if kept else {}
    reckonings = []
    for earning in kept:
        purchase, sale = stand[earning.id], because[earning.id]
        again = _of(purchase, sale, earning.customer_id)
        again.kept, again.given = earning, [replace(each) for each in earning.given]
        before = sale.before if sale.purchase.id == purchase.id else None
        again.then = before.purchase_time if before else None
        if purchase.customer_id is None:  # it is nobody's any more
            again.given = []
        elif before and _is_another(purchase, before):
            if before.customer_id == purchase.customer_id:
                again.earners = {each.program: each for each in earning.earners}
            _asked(again, await rules.of_kept(earning, purchase.create_time))
        reckonings.append(again)
    return reckonings


def _is_another(purchase: Purchase, before: Purchase) -> bool:
    """Whether rules may give something else for it: none reads its names; returns are reckoned apart."""
    aside = {name: getattr(purchase, name) for name in _READ_BY_NONE}
    return not replace(before, **aside).says(purchase)
