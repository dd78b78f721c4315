"""One function per verb; each writes within the transaction that it is given."""
