"""Letting go of files, and of what is known of them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from chassis.db.database import Database
from desk.store import transfers as store
from desk.store.cleaning import all_of

REMEMBERED = timedelta(days=400)  # that there was one, and of how many rows


def letting_go(db: Database, kept: timedelta) -> tuple[Callable[[], Awaitable[object]], ...]:
    """What does it: of files and all that is personal after `kept`, of the rest much later."""

    async def forget_files() -> object:
        return await all_of(db, store.FORGET, before=db.clock.now() - kept)

    async def forget_transfers() -> object:
        return await all_of(db, store.DELETE, before=db.clock.now() - REMEMBERED)

    return forget_files, forget_transfers
