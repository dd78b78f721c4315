"""Statements on the languages that customers speak, as the customer service tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cases.store.tables import METADATA
from chassis.db.aliases import group_of, survivor_of
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import replaced, table


@dataclass(slots=True)
class CustomerLanguage:
    """What the customer service told last of a name of a customer."""

    customer_id: UUID
    language_code: str  # BCP 47; empty when nobody knows
    version: int  # of the customer
    update_time: datetime


LANGUAGES = table(METADATA, "customer_languages", CustomerLanguage, key=("customer_id",))
PUT_LANGUAGES = Bulk[Any](LANGUAGES, lambda insert: replaced(insert, newer=True))
_customer: Any = sa.bindparam("customer_id", type_=sa.Uuid)
# Of several names of one customer that which goes on says it.
LANGUAGE = Statement(
    sa.select(LANGUAGES)
    .where(LANGUAGES.c.customer_id == sa.func.any(group_of(_customer)), LANGUAGES.c.language_code != "")
    .order_by((LANGUAGES.c.customer_id == survivor_of(_customer)).desc(), LANGUAGES.c.update_time.desc())
    .limit(sa.literal_column("1")),
    row=CustomerLanguage,
)
