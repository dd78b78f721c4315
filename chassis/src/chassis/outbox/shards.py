"""Which relay publishes which part of the outbox: sixteen shards, shared evenly, held by session locks."""

import asyncpg

SHARDS = 16  # of the outbox, by the hash of the resource
_CLASS = 0x6F757462  # "outb"
_MEMBER = SHARDS  # every relay holds this lock, shared, so that they can be counted
_MEMBERS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Shards:
    """The shards that one connection holds. They end with the connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.held: list[int] = []

    async def join(self) -> None:
        """Be counted as a relay."""
        await self._connection.execute("SELECT pg_advisory_lock_shared($1::int, $2::int)", _CLASS, _MEMBER)

    async def balance(self) -> None:
        """Take free shards up to an even share, give up what is beyond. Call it with nothing in flight."""
        members = await self._connection.fetchval(_MEMBERS, _CLASS, _MEMBER)
        share = -(-SHARDS // members)
        while len(self.held) > share:
            await self._connection.execute(
                "SELECT pg_advisory_unlock($1::int, $2::int)", _CLASS, self.held.pop()
            )
        for shard in range(SHARDS):
            if len(self.held) >= share:
                break
            if shard not in self.held and await self._connection.fetchval(
                "SELECT pg_try_advisory_lock($1::int, $2::int)", _CLASS, shard
            ):
                self.held.append(shard)
