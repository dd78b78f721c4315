"""Statements as text."""


class Sql:
    """What runs on a database or a transaction as a `Statement` does, without a builder."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.name = self.summary = sql.split()[0]
