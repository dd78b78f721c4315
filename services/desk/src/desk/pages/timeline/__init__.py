"""Everything that happened with one customer, newest first, as far back as it goes."""
