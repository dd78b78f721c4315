"""Customers are found by their birthday."""

from chassis.db.indexes import create_index

revision = "customer_0033"
down_revision = "customer_0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # As `customer.store.tables` says it: a year and its month, such as 1912-04, are no birthday.
    create_index("customers_birthday", "customers (substring(birth_date, '-(..-..)$'), create_time, id)")
