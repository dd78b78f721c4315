"""Statements on profiles of imports."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import table
from customer.domain.import_profiles import ImportProfile
from customer.store.tables import METADATA

IMPORT_PROFILES = table(METADATA, "import_profiles", ImportProfile)
_id = IMPORT_PROFILES.c.id

PROFILE, LOCKED_PROFILE, SAVE_PROFILE = of_entity(IMPORT_PROFILES, ImportProfile)
LIST_PROFILES = Listing(sa.select(IMPORT_PROFILES), _id, row=ImportProfile)
INSERT_PROFILE = Statement[Any](insert(IMPORT_PROFILES).on_conflict_do_nothing().returning(_id))
DELETE_PROFILE = Statement[Any](sa.delete(IMPORT_PROFILES).where(_id == sa.bindparam("id")))
