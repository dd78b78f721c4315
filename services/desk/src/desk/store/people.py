"""Who is signed in, and what they typed and did not send yet: tables of the entities that they hold."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement
from chassis.db.tables import table

_METADATA = sa.MetaData()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in, in one browser."""

    id: bytes  # made of the secret in the browser's cookie, from which nobody gets back to it
    subject: str  # who, `agent:alice`
    display_name: str
    tokens: bytes = field(repr=False)  # theirs, encrypted with a key that is made of the same secret
    revision: int  # how often the tokens were replaced
    create_time: datetime
    expire_time: datetime  # when it ends, unless it is used before
    refresh_until: datetime | None  # while somebody gets new tokens, until when nobody else tries


SESSIONS = table(_METADATA, "sessions", Session)
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


@dataclass(frozen=True, slots=True)
class Draft:
    """What `agent:alice` typed and did not send yet: the fields of one of their forms."""

    subject: str
    about: str
    fields: dict[str, Any] = field(repr=False)
    update_time: datetime


DRAFTS = table(_METADATA, "drafts", Draft, key=("subject", "about"))
_OF = sa.and_(DRAFTS.c.subject == sa.bindparam("person"), DRAFTS.c.about == sa.bindparam("key"))
_INSERT = insert(DRAFTS)
_OLD = (
    sa.select(DRAFTS.c.subject, DRAFTS.c.about)
    .where(DRAFTS.c.update_time < sa.bindparam("before"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)

GET_DRAFT = Statement(sa.select(DRAFTS).where(_OF), row=Draft)
PUT_DRAFT = Statement[None](
    _INSERT.on_conflict_do_update(
        index_elements=["subject", "about"],
        set_={"fields": _INSERT.excluded.fields, "update_time": _INSERT.excluded.update_time},
    )
)
DELETE_DRAFT = Statement[None](sa.delete(DRAFTS).where(_OF))
DELETE_OLD_DRAFTS = Statement[Any](
    sa.delete(DRAFTS).where(sa.tuple_(DRAFTS.c.subject, DRAFTS.c.about).in_(_OLD)).returning(DRAFTS.c.about)
)
