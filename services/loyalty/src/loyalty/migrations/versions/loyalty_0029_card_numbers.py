"""Cards are kept by a keyed hash of their number and by its end, and no longer by the number."""

import sqlalchemy as sa
from alembic import op

from loyalty.domain.card_numbers import CardNumbers
from loyalty.settings import CardSettings

revision = "loyalty_0029"
down_revision = "loyalty_0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No release has had cards.
    op.execute(
        """
        -- squawk-ignore renaming-column
        ALTER TABLE cards RENAME COLUMN number TO number_hash
        """
    )
    op.execute("ALTER TABLE cards ADD COLUMN number_end text NOT NULL DEFAULT ''")
    if not op.get_context().as_sql:
        _hash(op.get_bind())


def _hash(connection: sa.Connection) -> None:
    """Of the cards that there are. RuntimeError without the key."""
    cards = sa.table("cards", *map(sa.column, ("id", "program_id", "number_hash", "number_end")))
    known = connection.execute(sa.select(cards.c.id, cards.c.program_id, cards.c.number_hash)).all()
    if not known:
        return
    numbers = CardNumbers(CardSettings().card_pepper.get_secret_value())
    if not numbers.pepper:
        raise RuntimeError(
            "RAPPORT_CARD_PEPPER must be given: there are cards, whose numbers are hashed with it."
        )
    change = (
        sa.update(cards)
        .where(cards.c.id == sa.bindparam("of"))
        .values(number_hash=sa.bindparam("hashed"), number_end=sa.bindparam("ending"))
    )
    for card in known:
        kept = numbers.kept(card.program_id, card.number_hash, "number")
        row = {"of": card.id, "hashed": kept.number_hash, "ending": kept.number_end}
        connection.execute(change, row)
