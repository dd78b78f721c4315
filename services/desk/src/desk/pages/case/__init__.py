"""The page of a case: which department has what of it, since when, and what was promised and noted."""
