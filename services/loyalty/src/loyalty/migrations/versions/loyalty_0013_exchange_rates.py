"""What currencies are worth in others."""

from alembic import op

revision = "loyalty_0013"
down_revision = "loyalty_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE exchange_rates (
            id text PRIMARY KEY,
            base_currency text NOT NULL,
            quote_currency text NOT NULL,
            rate numeric NOT NULL CHECK (rate > 0),
            rate_date date NOT NULL,
            source text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK (base_currency <> quote_currency)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX rates_of_pair ON exchange_rates (base_currency, quote_currency, rate_date)"
    )
    op.execute("CREATE INDEX rates_of_base ON exchange_rates (base_currency, id)")
    op.execute("CREATE INDEX rates_of_quote ON exchange_rates (quote_currency, id)")
