"""The statements on words that customers have: those of each, and those that are spelt nearly so."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.db.statement import Statement
from chassis.db.tables import among
from chassis.db.words import each_word, words_of
from customer.store.search import SEARCH_WORDS, TEXT, WORDS
from customer.store.tables import CUSTOMERS

MISSPELT_MIN, SPELT_MAX = 4, 20  # letters
NEAR_MAX = 500  # words that are looked at for one
ASKED_MAX = 6  # words of a text for which others are looked for


_learnt = each_word(WORDS, "learnt")
# In their order, so that two who learn the same words do not each wait for the other.
LEARN_WORDS = Statement[Any](
    insert(SEARCH_WORDS)
    .from_select(
        ["word"],
        sa.select(_learnt.c.word)
        .distinct()
        .select_from(CUSTOMERS.join(_learnt, sa.true()))
        .where(among(CUSTOMERS.c.id, "ids"))
        .order_by(_learnt.c.word),
    )
    .on_conflict_do_nothing()
)


def _near(word: Any) -> Any:
    return sa.func.near_of(word, type_=ARRAY(sa.Text))


_in_text = each_word(words_of(TEXT), "in_text")
_mistaken = (
    sa.select(_in_text.c.word)
    .where(
        sa.func.length(_in_text.c.word).between(MISSPELT_MIN, SPELT_MAX),
        _in_text.c.word.op("!~")(sa.literal_column("'[0-9]'")),
    )
    .limit(sa.literal_column(str(ASKED_MAX)))
    .subquery("mistaken")
)
_meant = (
    sa.select(SEARCH_WORDS.c.word)
    .where(_near(SEARCH_WORDS.c.word).op("&&")(_near(_mistaken.c.word)))  # of what has digits nothing is left
    .limit(sa.literal_column(str(NEAR_MAX)))
    .lateral("meant")
)
# For the words of a text, those that have in common what `near_of` leaves of them.
NEAR_WORDS = Statement[Any](
    sa.select(_mistaken.c.word.label("asked"), _meant.c.word).select_from(_mistaken.join(_meant, sa.true()))
)
