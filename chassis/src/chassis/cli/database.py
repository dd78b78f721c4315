"""One question to the database of a local service."""

from typing import Any


async def rows(url: str, sql: str, *args: Any) -> list[Any]:
    """Run one statement and return its rows. OSError or asyncpg.PostgresError when that fails."""
    import asyncpg

    connection = await asyncpg.connect(url, timeout=5)
    try:
        found: list[Any] = await connection.fetch(sql, *args)
        return found
    finally:
        await connection.close()
