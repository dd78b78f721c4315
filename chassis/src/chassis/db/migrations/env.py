"""Alembic's environment for every service: the chassis' tables and the service's own, in one database."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
