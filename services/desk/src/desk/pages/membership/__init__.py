"""A customer's membership: what it holds and until when, what moved it, its tier, its household and cards."""
