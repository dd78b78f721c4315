"""Whether two records are one person: compared field by field, weighed, blocked, clustered. Pure.

`matching.resolve` does a whole list; `scoring.Scorer` one pair.
"""
