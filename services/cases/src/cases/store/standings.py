"""Statements on what a customer is to us, and on the cases that are more or less pressing by that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cases.domain.care import COMPLAINT, Relationship
from cases.domain.case import Case, CaseState
from cases.domain.priority import Band, Harm
from cases.domain.promise_state import PromiseState
from cases.store.tables import CASES, METADATA, PROMISES
from chassis.db.aliases import group_of, names_of
from chassis.db.statement import Bulk, Statement, locking
from chassis.db.tables import among, replaced, table

MISSED_MAX = 100  # that are counted


@dataclass(slots=True)
class CustomerStanding:
    """What loyalty told last of a name of a customer."""

    customer_id: UUID
    band: Band
    version: int
    update_time: datetime


STANDINGS = table(METADATA, "customer_standings", CustomerStanding, key=("customer_id",))
_CUSTOMER: Any = sa.bindparam("customer_id", type_=sa.Uuid)

PUT_STANDINGS = Bulk[Any](STANDINGS, replaced)
STANDINGS_TOLD = Statement(
    sa.select(STANDINGS).where(among(STANDINGS.c.customer_id, "customer_ids")), row=CustomerStanding
)

_names = names_of(_CUSTOMER)
_bands = sa.select(STANDINGS.c.band).where(STANDINGS.c.customer_id == sa.func.any(group_of(_CUSTOMER)))
_missed = (
    sa.select(sa.literal_column("1"))
    .where(
        PROMISES.c.customer_id == _names.c.customer_id,
        PROMISES.c.due_time > sa.bindparam("since", type_=sa.DateTime(timezone=True)),
        PROMISES.c.state
        == sa.any_(sa.literal([PromiseState.BROKEN, PromiseState.KEPT_LATE], sa.ARRAY(sa.Text))),
    )
    .limit(MISSED_MAX)
    .lateral("missed")
)
# Whatever names they have: the bands that loyalty told of, and how many promises to them were missed.
STANDING = Statement[Any](
    sa.select(
        sa.func.array(_bands.scalar_subquery()).label("bands"),
        sa.select(sa.func.count())
        .select_from(_names.join(_missed, sa.true()))
        .scalar_subquery()
        .label("missed"),
    )
)
_lately = (
    sa.select(PROMISES.c.state)
    .where(
        PROMISES.c.customer_id == _names.c.customer_id,
        PROMISES.c.due_time > sa.bindparam("since", type_=sa.DateTime(timezone=True)),
        PROMISES.c.id != sa.bindparam("beside", type_=sa.Uuid),
        sa.or_(
            PROMISES.c.state
            == sa.any_(sa.literal([PromiseState.BROKEN, PromiseState.KEPT_LATE], sa.ARRAY(sa.Text))),
            sa.and_(
                PROMISES.c.state == PromiseState.RENEGOTIATED.value, sa.not_(PROMISES.c.customer_requested)
            ),
        ),
    )
    .limit(MISSED_MAX)
    .lateral("lately")
)
_is_broken = _lately.c.state == PromiseState.BROKEN.value
_complaints = sa.select(sa.func.count()).where(
    CASES.c.customer_id == sa.func.any(group_of(_CUSTOMER)),
    CASES.c.state == CaseState.OPEN.value,
    sa.or_(
        CASES.c.topic == COMPLAINT,
        CASES.c.harm == sa.any_(sa.literal([Harm.LOSS, Harm.SEVERE], sa.ARRAY(sa.Text))),
    ),
)
# As `STANDING`, with what makes a relationship fragile, but for the promise that it is asked for.
RELATIONSHIP = Statement(
    sa.select(
        sa.func.array(_bands.scalar_subquery()).label("bands"),
        sa.func.count().filter(_is_broken).label("broken"),
        sa.func.count().filter(_lately.c.state.is_not(None), sa.not_(_is_broken)).label("slipped"),
        _complaints.scalar_subquery().label("complaints"),
    ).select_from(_names.outerjoin(_lately, sa.true())),
    row=Relationship,
)
# The open cases of a customer after a certain one, locked in the order in which several always are.
LOCK_OPEN_CASES_OF = locking(
    CASES,
    Case,
    CASES.c.customer_id == sa.func.any(group_of(_CUSTOMER)),
    CASES.c.state == CaseState.OPEN.value,
    CASES.c.id > sa.bindparam("after", type_=sa.Uuid),
    limit=sa.bindparam("limit", type_=sa.Integer),
)
HARMS_MERGED_INTO = Statement[Any](
    sa.select(CASES.c.survivor_id, CASES.c.harm).where(among(CASES.c.survivor_id, "ids"))
)
