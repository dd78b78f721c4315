"""Which relay publishes which part of the outbox: sixteen leases, shared evenly, held by session locks."""

import asyncpg

from chassis.db.transaction import LEASES

_CLASS = 0x6F757462  # "outb"
_MEMBER = LEASES  # every relay holds this lock, shared, so that they can be counted
_MEMBERS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Leases:
    """The leases that one connection holds. They end with the connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.held: list[int] = []

    async def join(self) -> None:
        """Be counted as a relay."""
        await self._connection.execute("SELECT pg_advisory_lock_shared($1::int, $2::int)", _CLASS, _MEMBER)

    async def balance(self) -> None:
        """Take free leases up to an even share, give up what is beyond. Call it with nothing in flight."""
        members = await self._connection.fetchval(_MEMBERS, _CLASS, _MEMBER)
        share = -(-LEASES // members)
        while len(self.held) > share:
            await self._connection.execute(
                "SELECT pg_advisory_unlock($1::int, $2::int)", _CLASS, self.held.pop()
            )
        for lease in range(LEASES):
            if len(self.held) >= share:
                break
            if lease not in self.held and await self._connection.fetchval(
                "SELECT pg_try_advisory_lock($1::int, $2::int)", _CLASS, lease
            ):
                self.held.append(lease)
