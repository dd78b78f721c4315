"""Rules of customers, identifiers, consent and imports. Standard library only."""
