"""A message as it was sent, in place."""
