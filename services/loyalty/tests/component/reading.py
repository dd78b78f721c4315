"""Reading a whole database, as who has a copy of it does."""

import asyncpg

from rapport_testing.running import Running


async def tables_with(running: Running, *texts: str) -> list[str]:
    """The tables that the service reads of which a row holds one of these texts, in whatever column."""
    connection = await asyncpg.connect(running.app.settings.database_url)
    tables = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT') ORDER BY tablename"
    )
    holding = []
    for (table,) in tables:
        rows = await connection.fetch(f'SELECT each::text FROM "{table}" each')
        if any(text in row[0] for row in rows for text in texts):
            holding.append(table)
    await connection.close()
    return holding
