"""Asking other services, and telling them."""
