"""A line for each RPC."""
