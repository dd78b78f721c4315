"""Answering advice: done, or not now."""

from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from customer.domain.advice import AdviceAnswer, AdviceOutcome, not_advised
from customer.domain.customers import Customer
from customer.domain.facts import AdviceAnswered
from customer.names import ADVICE_ANSWER, CUSTOMER
from customer.store import advice as store
from customer.store.views import VIEWS_BY_ID
from customer.usecases.advice.giving import found
from customer.usecases.hot_views import HotViews
from customer.usecases.people import lock_people
from customer.usecases.rendering import bare
from rapport.customer.v1.view_pb2 import CustomerView

ANSWERED = Counter(
    "rapport_advice_answers", "What became of advice, by rule and outcome.", ["kind", "outcome"]
)


async def answer_advice(
    tx: Transaction,
    hot: HotViews,
    *,
    customer_id: UUID,
    advice_answer_id: UUID,
    outcome: AdviceOutcome,
    until_time: datetime | None,
    reason_code: str,
) -> AdviceAnswer:
    """Note what becomes of advice. NotFound; FailedPrecondition NOT_ADVISED; InvalidArgument INVALID_TIME."""
    groups, customers = await lock_people(tx, [customer_id])  # of whichever of their names, one at a time
    if groups.survivors[customer_id] not in customers:
        raise NotFound(CUSTOMER.format(customer_id))
    answer = await store.ANSWER.maybe(tx, customer_id=customer_id, id=advice_answer_id)
    if answer is None:
        answer = await _unanswered(
            tx, hot, customer_id, advice_answer_id, customers[groups.survivors[customer_id]]
        )
    if answer.answer(outcome, until_time, reason_code, tx.call.principal.subject, tx.now):
        tx.record(fact_of(AdviceAnswered, answer), version=answer.version)
        await tx.defer(store.SAVE_ANSWER, **values(answer))
        tx.after_commit(lambda: hot.committed(groups.everybody))
        tx.after_commit(lambda: ANSWERED.labels(answer.rule, outcome).inc())
    return answer


async def _unanswered(
    tx: Transaction, hot: HotViews, customer_id: UUID, id: UUID, customer: Customer
) -> AdviceAnswer:
    """What there is cause for by that name, not answered yet. FailedPrecondition NOT_ADVISED."""
    row = await VIEWS_BY_ID.one(tx, customer_ids=[customer_id])
    view = row["view"] or bare(customer)
    causes = found(CustomerView.FromString(view), row, hot.time_zone, tx.now)
    cause = next((each for each in causes if each.id == id and each.holds(tx.now)), None)
    if cause is None:
        raise not_advised(ADVICE_ANSWER.format(customer_id, id))
    return AdviceAnswer(
        customer_id,
        id,
        cause.rule,
        cause.evidence,
        AdviceOutcome.DONE,
        until_time=None,
        reason_code="",
        actor="",
        answer_time=tx.now,
        version=0,
    )
