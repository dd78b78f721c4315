"""The desk's tables, of the entities that they hold."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.db.tables import table
from desk.store.received import Delivery, Received

METADATA = sa.MetaData()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in, in one browser.

    Attributes:
        id: made of the secret in the browser's cookie, from which nobody gets back to it.
        subject: who, `agent:alice`.
        display_name: what the identity provider calls them.
        tokens: theirs, encrypted with a key that is made of the same secret.
        revision: how often the tokens were replaced.
        create_time: when they signed in.
        expire_time: when it ends, unless it is used before.
        refresh_until: while somebody gets new tokens, until when nobody else tries.

    """

    id: bytes
    subject: str
    display_name: str
    tokens: bytes = field(repr=False)
    revision: int
    create_time: datetime
    expire_time: datetime
    refresh_until: datetime | None


SESSIONS = table(METADATA, "sessions", Session)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody typed and did not send yet.

    Attributes:
        subject: who, `agent:alice`.
        about: which form of theirs.
        fields: what it holds.
        update_time: when they typed last.

    """

    subject: str
    about: str
    fields: dict[str, Any] = field(repr=False)
    update_time: datetime


DRAFTS = table(METADATA, "drafts", Draft, key=("subject", "about"))
RECEIVED = table(METADATA, "received", Received)
DELIVERIES = table(METADATA, "deliveries", Delivery)
