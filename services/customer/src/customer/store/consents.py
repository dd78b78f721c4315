"""Statements on purposes, consents and preferences."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import replaced, updated
from customer.domain.consents import Consent, Preferences, Purpose, Standing
from customer.store.tables import CONSENT_HISTORY, CONSENTS, PREFERENCES, PURPOSES

_CUSTOMER = sa.bindparam("customer_id", type_=sa.Uuid)
_P, _C = PURPOSES.c, CONSENTS.c

_purpose = sa.select(PURPOSES).where(_P.id == sa.bindparam("id"))
PURPOSE = Statement(_purpose, row=Purpose)
LOCK_PURPOSE = Statement(_purpose.with_for_update(), row=Purpose)
LIST_PURPOSES = Listing(sa.select(PURPOSES), _P.id, row=Purpose)
# Nothing comes back when there is one already.
INSERT_PURPOSE = Statement[Any](insert(PURPOSES).on_conflict_do_nothing().returning(_P.id))
UPDATE_PURPOSE = Statement[Any](updated(PURPOSES))

_of_customer = sa.select(CONSENTS).where(_C.customer_id == _CUSTOMER)
LIST_CONSENTS = Listing(_of_customer, _C.id, row=Consent)
CONSENT = Statement(_of_customer.where(_C.id == sa.bindparam("id")), row=Consent)
# Nothing when there is no such purpose, and one without a channel when the customer never said anything.
STANDINGS = Statement(
    sa.select(_P.contact_default, _C.channel, _C.state)
    .select_from(PURPOSES.outerjoin(CONSENTS, sa.and_(_C.purpose_id == _P.id, _C.customer_id == _CUSTOMER)))
    .where(_P.id == sa.bindparam("purpose_id")),
    row=Standing,
)
SAVE_CONSENT = Statement[Any](replaced(insert(CONSENTS)))
APPEND_CONSENT = Statement[Any](insert(CONSENT_HISTORY))

PREFERENCES_OF = Statement(
    sa.select(PREFERENCES).where(PREFERENCES.c.customer_id == _CUSTOMER), row=Preferences
)
SAVE_PREFERENCES = Statement[Any](replaced(insert(PREFERENCES)))
