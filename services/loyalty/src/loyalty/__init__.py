"""The loyalty service: points ledger, purchases, customer value, goodwill."""
