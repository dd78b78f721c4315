"""What this service tells: facts recorded with their effect, published in order, kept to be told again."""
