"""A call to a customer: why, what to say, how they are reached, and what became of it."""
