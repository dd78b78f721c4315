"""Statements on answers to advice, and what advice looks at beside a view."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from chassis.api.listing import Listing
from chassis.db.aliases import group_of, survivor_of
from chassis.db.statement import Statement
from chassis.db.tables import replaced, table
from customer.domain.advice import AdviceAnswer
from customer.store.tables import CONSENTS, CUSTOMERS, IDENTIFIERS, METADATA

ANSWERS = table(METADATA, "advice_answers", AdviceAnswer, key=("customer_id", "id"))
_A, _I, _C = ANSWERS.c, IDENTIFIERS.c, CONSENTS.c
ANSWERS_SEEN = 200  # by a view: the latest
_OF_CUSTOMER = _A.customer_id == sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid)))

# The last that was said counts, by whichever of the customer's names.
ANSWER = Statement(
    sa.select(ANSWERS)
    .where(_OF_CUSTOMER, _A.id == sa.bindparam("id"))
    .order_by(_A.answer_time.desc(), _A.customer_id)
    .limit(sa.literal_column("1")),
    row=AdviceAnswer,
)
LIST_ANSWERS = Listing(
    sa.select(ANSWERS), _A.answer_time, _A.id, descending=True, row=AdviceAnswer, of_customer=_A.customer_id
)
SAVE_ANSWER = Statement[Any](replaced(insert(ANSWERS)))


def beside(customer: sa.ColumnElement[Any]) -> list[Any]:
    """SQL: what advice looks at beside the view of a customer, a row of each: by one index each.

    What was answered, each with until when it holds (NULL: for ever), the earliest first; by which of their
    addresses and numbers nobody reaches them, since when; which of their consents wait to be confirmed,
    until when; and when they were born.
    """
    group = sa.func.any(group_of(customer))
    latest = (
        sa.select(_A.id, _A.until_time, _A.answer_time)
        .where(_A.customer_id == group)
        .order_by(_A.answer_time.desc())
        .limit(sa.literal_column(str(ANSWERS_SEEN)))
        .correlate(customer.table)
        .lateral("latest_answers")
    )
    return [
        sa.select(
            _all(latest.c.id, latest.c.answer_time).label("answered"),
            _all(latest.c.until_time, latest.c.answer_time).label("answered_until"),
        ).lateral("answers"),
        sa.select(
            _all(_I.customer_id, _I.id).label("unreached_of"),
            _all(_I.id, _I.id).label("unreached"),
            _all(_I.unreachable_time, _I.id).label("unreached_since"),
        )
        .where(_I.customer_id == group, _I.unreachable_time.is_not(None))
        .lateral("unreached"),
        sa.select(
            _all(_C.customer_id, _C.effective_time).label("waiting_of"),
            _all(_C.id, _C.effective_time).label("waiting"),
            _all(_C.effective_time, _C.effective_time).label("waiting_since"),
            _all(_C.confirm_expire_time, _C.effective_time).label("waiting_until"),
        )
        .where(
            _C.customer_id == group,
            _C.confirm_expire_time.is_not(None),
            _C.confirm_time.is_(None),
            _C.asked_version == _C.version,
            _C.state == sa.literal_column("'DENIED'"),
        )
        .lateral("waiting"),
        # Aggregated, so that there is a row of whoever is not known yet.
        sa.select(sa.func.max(CUSTOMERS.c.birth_date).label("birth_date"))
        .where(CUSTOMERS.c.id == survivor_of(customer))
        .lateral("born"),
    ]


def _all(column: sa.ColumnElement[Any], order: sa.ColumnElement[Any]) -> Any:
    return sa.func.array_agg(aggregate_order_by(column, order))
