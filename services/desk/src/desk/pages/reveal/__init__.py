"""Showing a masked value, for a purpose that is audited."""
