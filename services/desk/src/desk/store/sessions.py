"""Statements on sessions."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Statement
from desk.store.tables import SESSIONS, Session

_THIS = SESSIONS.c.id == sa.bindparam("session")
_CHUNK = (
    sa.select(SESSIONS.c.id)
    .where(SESSIONS.c.expire_time <= sa.bindparam("now"))
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)  # replicas share the work
)

INSERT_SESSION = Statement[None](sa.insert(SESSIONS))
GET_SESSION = Statement(
    sa.select(SESSIONS).where(_THIS, SESSIONS.c.expire_time > sa.bindparam("now")), row=Session
)
EXTEND_SESSION = Statement[None](
    sa.update(SESSIONS).where(_THIS).values(expire_time=sa.bindparam("expire_time"))
)
# One of all who see that the tokens are about to expire.
CLAIM_REFRESH = Statement[Any](
    sa.update(SESSIONS)
    .where(
        _THIS,
        SESSIONS.c.revision == sa.bindparam("revision"),
        sa.func.coalesce(SESSIONS.c.refresh_until, sa.text("'-infinity'")) <= sa.bindparam("now"),
    )
    .values(refresh_until=sa.bindparam("until"))
    .returning(SESSIONS.c.id)
)
END_REFRESH = Statement[None](
    sa.update(SESSIONS)
    .where(_THIS)
    .values(tokens=sa.bindparam("tokens"), revision=SESSIONS.c.revision + 1, refresh_until=sa.null())
)
PUT_OFF_REFRESH = Statement[None](
    sa.update(SESSIONS).where(_THIS).values(refresh_until=sa.bindparam("until"))
)
DELETE_SESSION = Statement[Any](sa.delete(SESSIONS).where(_THIS).returning(SESSIONS.c.subject))
DELETE_SESSIONS_OF = Statement[Any](
    sa.delete(SESSIONS).where(SESSIONS.c.subject == sa.bindparam("person")).returning(SESSIONS.c.id)
)
DELETE_EXPIRED = Statement[Any](sa.delete(SESSIONS).where(SESSIONS.c.id.in_(_CHUNK)).returning(SESSIONS.c.id))
