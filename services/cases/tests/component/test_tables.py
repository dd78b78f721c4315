import sqlalchemy as sa

from cases.store.tables import METADATA
from chassis.db.statement import Statement

COLUMNS = Statement(
    sa.select(sa.column("table_name"), sa.column("column_name"), sa.column("is_nullable")).select_from(
        sa.text("information_schema.columns WHERE table_schema = 'public'")
    )
)


async def test_the_tables_are_what_the_migrations_make(desk):
    rows = await COLUMNS.all(desk.running.db)
    for table in METADATA.tables.values():
        columns = [row for row in rows if row["table_name"] == table.name]
        made = {row["column_name"]: row["is_nullable"] == "YES" for row in columns}
        assert made == {column.name: column.nullable for column in table.columns}, table.name
