"""The table of escalations, and the statements on it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases import names
from cases.domain.escalation import Escalation, EscalationState
from cases.store.tables import METADATA
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import table
from rapport.cases.v1 import escalation_pb2

ESCALATIONS = table(METADATA, "escalations", Escalation)
_E = ESCALATIONS.c
_OPEN = _E.state == sa.literal_column(f"'{EscalationState.OPEN.value}'")

ESCALATION, LOCK_ESCALATION, UPDATE_ESCALATION = of_entity(ESCALATIONS, Escalation)
INSERT_ESCALATION = Statement[Any](insert(ESCALATIONS))
# The open one of a case. The case is locked before it: no other comes to be, nor is the case settled.
OPEN_OF_CASE = Statement(
    sa.select(ESCALATIONS)
    .where(_E.case_id == sa.bindparam("case_id"), _OPEN)
    .with_for_update(key_share=True),
    row=Escalation,
)
LIST_ESCALATIONS = Listing(
    sa.select(ESCALATIONS),
    _E.id,  # UUIDv7: in the order of starting
    row=Escalation,
    filters={
        "case": filters.name(_E.case_id, names.CASE),
        "agent": filters.name(_E.agent_id, names.AGENT),
        "state": filters.enum(_E.state, escalation_pb2.Escalation.State.DESCRIPTOR),
    },
)
