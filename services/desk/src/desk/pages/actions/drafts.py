"""What people typed and did not send yet, by person and form: it survives the browser."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from chassis.api.text import no_line
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.errors import invalid
from desk.pages.base import Looking
from desk.store.cleaning import all_of
from desk.store.people import DELETE_DRAFT, DELETE_OLD_DRAFTS, GET_DRAFT, PUT_DRAFT

KEPT = timedelta(days=30)
KEY_MAX, SIZE_MAX = 300, 50_000

_log = structlog.get_logger()


class Drafts:
    """The drafts of whoever looks. A draft is a convenience: when none can be read, a form opens without."""

    def __init__(self, look: Looking) -> None:
        self._db, self._person = look.db, look.viewer.principal.subject

    async def get(self, key: str) -> dict[str, Any]:
        """What the form holds; nothing when nothing was typed."""
        try:
            draft = await GET_DRAFT.maybe(self._db, person=self._person, key=key)
        except DATABASE_ERRORS:
            return {}
        return dict(draft.fields) if draft else {}

    async def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Keep what was typed. TOO_LONG, INVALID_TEXT: of a key or the name of a field."""
        if len(key) > KEY_MAX or sum(map(len, fields.values())) > SIZE_MAX:
            raise invalid("fields", "TOO_LONG", f"must be of at most {SIZE_MAX} characters")
        if wrong := no_line("".join([key, *fields])):
            raise invalid("fields", *wrong)
        told = {name: value.replace("\x00", "") for name, value in fields.items()}
        now = self._db.clock.now()
        await PUT_DRAFT.run(self._db, subject=self._person, about=key, fields=told, update_time=now)

    async def delete(self, key: str) -> None:
        try:
            await DELETE_DRAFT.run(self._db, person=self._person, key=key)
        except DATABASE_ERRORS as error:
            _log.warning("a draft that was sent is kept", error=type(error).__name__)


def clean(db: Database) -> Callable[[], Awaitable[object]]:
    """Deletes what nobody came back to."""
    return lambda: all_of(db, DELETE_OLD_DRAFTS, before=db.clock.now() - KEPT)
