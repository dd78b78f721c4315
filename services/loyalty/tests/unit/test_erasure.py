"""Who is forgotten is forgotten everywhere."""

from importlib import import_module
from pkgutil import iter_modules

import loyalty.store
from loyalty.store.erasure import TABLES
from loyalty.store.tables import METADATA


def test_no_table_that_says_whose_a_row_is_is_left_out() -> None:
    for module in iter_modules(loyalty.store.__path__):
        import_module(f"loyalty.store.{module.name}")
    assert {each.name for each in METADATA.sorted_tables if "customer_id" in each.c} == {
        each.name for each in TABLES
    }
