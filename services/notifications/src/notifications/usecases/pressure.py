"""Whether a customer has room for another message, by what all departments have sent them."""

from datetime import datetime

from chassis.db.aliases import groups_of
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.facts import Decision, Outcome
from notifications.domain.notice import Notice
from notifications.domain.pressure import PERIOD, Budget, Contact, room_for
from notifications.domain.reasons import Reason
from notifications.names import CUSTOMER
from notifications.store.tables import LATELY_SENT
from notifications.usecases.attempt import Forbidden, Quiet


async def require_room(
    on: Executor,
    notice: Notice,
    category: str,
    budget: Budget,
    now: datetime,
    before: list[Decision],
    *,
    exempt: bool,
) -> list[Decision]:
    """The steps `before` and this one, for a notice whose purpose is of a category; counted, if `exempt`.

    Quiet until there is room; Forbidden when it is of no use by then.
    """
    lately = await _lately(on, notice, now)
    inputs = {"count": str(len(lately)), "most": str(budget.of_all)}
    if category:
        count = sum(each.category == category for each in lately)
        inputs |= {"category": category, "category_count": str(count)}
        inputs["category_most"] = str(budget.of(category))
    room = None if exempt else room_for(category, lately, budget, now)
    if room is None:
        why = "exempt" if exempt else ""
        return [*before, Decision("pressure", Outcome.PASSED, why, inputs, now)]
    inputs["open_time"] = room.isoformat()
    if room < notice.expire_time:
        step = Decision("pressure", Outcome.DEFERRED, Reason.CONTACT_PRESSURE, inputs, now)
        raise Quiet(Reason.CONTACT_PRESSURE, room, [*before, step])
    inputs["expire_time"] = notice.expire_time.isoformat()
    step = Decision("pressure", Outcome.STOPPED, Reason.CONTACT_PRESSURE, inputs, now)
    raise Forbidden(Reason.CONTACT_PRESSURE, [*before, step])


async def has_room(tx: Transaction, notice: Notice, category: str, budget: Budget) -> bool:
    """Whether there is room still, of a customer who is locked: several are sent at once."""
    return room_for(category, await _lately(tx, notice, tx.now), budget, tx.now) is None


async def _lately(on: Executor, notice: Notice, now: datetime) -> list[Contact]:
    """What else the customer was sent within the period, by any of their names, or is being sent."""
    ids = (await groups_of(on, CUSTOMER.ids(notice.customer))).whose
    names = [CUSTOMER.format(each) for each in ids]
    return await LATELY_SENT.all(on, customers=names, since=now - PERIOD, notice=notice.id)
