"""Statements on consents and preferences."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement
from customer.domain.consents import Consent, Preferences
from customer.store.tables import CONSENT_HISTORY, CONSENTS, PREFERENCES

_CUSTOMER = sa.bindparam("customer_id", type_=sa.Uuid)

CONSENTS_OF = Statement(
    sa.select(CONSENTS)
    .where(CONSENTS.c.customer_id == _CUSTOMER)
    .order_by(CONSENTS.c.purpose.desc(), CONSENTS.c.channel),
    row=Consent,
)
CONSENT = Statement(
    sa.select(CONSENTS).where(
        CONSENTS.c.customer_id == _CUSTOMER,
        CONSENTS.c.purpose == sa.bindparam("purpose"),
        CONSENTS.c.channel == sa.bindparam("channel"),
    ),
    row=Consent,
)
_consent = insert(CONSENTS)
SAVE_CONSENT = Statement[Any](
    _consent.on_conflict_do_update(
        index_elements=["customer_id", "purpose", "channel"],
        set_={
            name: _consent.excluded[name] for name in ("status", "wording_version", "update_time", "version")
        },
    )
)
APPEND_CONSENT = Statement[Any](insert(CONSENT_HISTORY))

PREFERENCES_OF = Statement(
    sa.select(PREFERENCES).where(PREFERENCES.c.customer_id == _CUSTOMER), row=Preferences
)
_preferences = insert(PREFERENCES)
SAVE_PREFERENCES = Statement[Any](
    _preferences.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={name: _preferences.excluded[name] for name in ("channels", "version")},
    )
)
