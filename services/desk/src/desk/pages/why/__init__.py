"""Why something is as it is, in place."""
