from importlib import import_module
from pkgutil import iter_modules

import customer.store
from chassis.db.schema import ALIAS_GROUPS
from customer.store.reverting import USES
from customer.store.tables import METADATA

# What any import makes of whom it creates, by itself or for what is seen and found of them.
OF_ANY_IMPORT = {
    ("identifiers", "customer_id"),
    ("views", "customer_id"),
    ("import_effects", "customer_id"),
    ("import_previews", "customer_id"),
    ("import_preview_keys", "customer_id"),
    ("match_keys", "customer_id"),
    ("match_records", "customer_id"),
    ("match_queue", "customer_id"),
    ("customer_links", "customer_id"),  # that older links open nothing: no more than of whoever is gone
}


def test_whatever_names_a_customer_is_asked_before_one_is_deleted_or_is_of_any_import():
    for module in iter_modules(customer.store.__path__):
        import_module(f"customer.store.{module.name}")
    tables = [*METADATA.tables.values(), ALIAS_GROUPS]
    naming = {(of.name, each.name) for of in tables for each in of.c if each.name.endswith("customer_id")}
    asked = {(each.table.name, each.name) for use in USES for each in (use.selected_columns[0].element,)}
    assert asked.isdisjoint(OF_ANY_IMPORT)
    assert naming == asked | OF_ANY_IMPORT
