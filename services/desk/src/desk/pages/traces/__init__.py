"""Traces: one as a waterfall, and those that are worth a look."""
