"""Customers who may be one: who waits for somebody to say so, and both records side by side."""
