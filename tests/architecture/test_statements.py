"""What traces say of a statement."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import cases
import customer
import loyalty
import notifications
from chassis.db.statement import Statement


def statements() -> Iterator[Statement[object]]:
    for service in (cases, customer, loyalty, notifications):
        for found in pkgutil.walk_packages(service.__path__, f"{service.__name__}."):
            if not found.name.endswith((".migrations", ".__main__")):
                yield from (
                    each for each in vars(import_module(found.name)).values() if isinstance(each, Statement)
                )


def test_every_statement_names_what_it_is_about() -> None:
    """A bare SELECT tells nobody anything."""
    told = {each.sql: each.summary for each in statements()}
    assert len(told) > 400
    assert [sql for sql, summary in told.items() if len(summary.split()) != 2] == []
