"""What is known of customers beside what an import said: who has any of it is not deleted with the import."""

from typing import Any

import sqlalchemy as sa

from chassis.db.schema import ALIAS_GROUPS
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, table
from customer.domain.customers import DeletedCustomer, KeptCustomer
from customer.store.advice import ANSWERS
from customer.store.attachments import ATTACHMENTS, CONTENTS
from customer.store.attributes import CANDIDATES, OBSERVATIONS, PINS
from customer.store.imports import IMPORT_EFFECTS
from customer.store.matches import MATCH_CANDIDATES
from customer.store.merges import MERGES
from customer.store.relationships import RELATIONSHIPS
from customer.store.tables import (
    CONSENT_HISTORY,
    CONSENT_TOKENS,
    CONSENTS,
    CONTACT_STOPS,
    CUSTOMERS,
    METADATA,
    PREFERENCES,
    TIMELINE,
    VIEW_PARTS,
    VIEW_SECTIONS,
    VIEWS,
)

# Nobody finds them any more, and what is told of them late makes nothing anew.
DELETED_CUSTOMERS = table(METADATA, "deleted_customers", DeletedCustomer)

# What happens with whoever is imported: that they are made, and compared with others.
_OF_ANY_IMPORT = sa.bindparam("own_types", type_=sa.ARRAY(sa.Text))


def _who(column: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(column.label("customer_id")).where(among(column, "customer_ids"), *where)


# What another import said, and did not after all.
_taken_back = sa.exists().where(
    IMPORT_EFFECTS.c.customer_id == OBSERVATIONS.c.customer_id,
    sa.literal_column("'importJobs/'").op("||")(sa.cast(IMPORT_EFFECTS.c.job_id, sa.Text))
    == OBSERVATIONS.c.origin,
    IMPORT_EFFECTS.c.undone,
)
# Read by each column that names a customer, but for what any import makes: their test says of what.
USES = [
    *(
        _who(each.c.customer_id)
        for each in (
            ANSWERS,
            ATTACHMENTS,
            CONTENTS,
            CONSENTS,
            CONSENT_HISTORY,
            CONSENT_TOKENS,
            CONTACT_STOPS,
            PREFERENCES,
            VIEW_SECTIONS,
        )
    ),
    *(_who(each.c.customer_id) for each in (VIEW_PARTS, CANDIDATES, PINS, ALIAS_GROUPS)),
    *(_who(each) for each in (RELATIONSHIPS.c.customer_id, RELATIONSHIPS.c.related_customer_id)),
    *(_who(each) for each in (MERGES.c.customer_id, MERGES.c.merged_customer_id)),
    *(
        _who(
            each,
            MATCH_CANDIDATES.c.decider != sa.literal_column("''"),
            sa.not_(MATCH_CANDIDATES.c.decider.startswith(sa.literal_column("'service:'"))),
        )
        for each in (MATCH_CANDIDATES.c.customer_id, MATCH_CANDIDATES.c.other_customer_id)
    ),
    _who(
        OBSERVATIONS.c.customer_id,
        OBSERVATIONS.c.origin != sa.bindparam("origin", type_=sa.Text),
        ~_taken_back,
    ),
    _who(TIMELINE.c.customer_id, TIMELINE.c.event_type != sa.all_(_OF_ANY_IMPORT)),
    _who(TIMELINE.c.assigned_customer_id),
]
IN_USE = Statement[Any](sa.union(*USES))
# Locked also against those who write rows about them.
CUSTOMERS_TO_DELETE = Statement(
    sa.select(CUSTOMERS).where(among(CUSTOMERS.c.id, "ids")).order_by(CUSTOMERS.c.id).with_for_update(),
    row=KeptCustomer,
)
DELETE_CUSTOMERS = Statement[Any](sa.delete(CUSTOMERS).where(among(CUSTOMERS.c.id, "ids")))
DELETE_OBSERVATIONS = Statement[Any](sa.delete(OBSERVATIONS).where(among(OBSERVATIONS.c.customer_id, "ids")))
INSERT_DELETED = Bulk[Any](DELETED_CUSTOMERS)
DELETED_AMONG = Statement[Any](sa.select(DELETED_CUSTOMERS.c.id).where(among(DELETED_CUSTOMERS.c.id, "ids")))
DELETE_SHOWN = tuple(
    Statement[Any](sa.delete(each).where(among(each.c.customer_id, "ids")))
    for each in (VIEWS, VIEW_PARTS, TIMELINE)
)
