"""Everything that happened with a customer, newest first, by what one looks for."""
