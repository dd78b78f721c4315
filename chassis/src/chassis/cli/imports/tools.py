"""Which tool exported a file, told by columns that no other has: the ids in it are of that system."""

from collections.abc import Iterable

from chassis.cli.imports.columns import plain

PLAIN = "import"
# Whoever has all of one set; as `plain` has them.
_MARKS: dict[str, tuple[frozenset[str], ...]] = {
    "shopify": (
        frozenset({"name", "financialstatus"}),
        frozenset({"customerid", "acceptsemailmarketing"}),
        frozenset({"customerid", "acceptsmarketing"}),
        frozenset({"customerid", "defaultaddresscountrycode"}),
    ),
    "stripe": (frozenset({"id", "createddateutc"}), frozenset({"id", "createdutc"})),
    "hubspot": (frozenset({"recordid"}), frozenset({"recordidcontact"}), frozenset({"recordidcompany"})),
    "salesforce": (
        frozenset({"contactid", "accountname"}),
        frozenset({"accountid", "accountname"}),
        frozenset({"accountid", "lastname", "mailingcity"}),
    ),
    "woocommerce": (
        frozenset({"orderstatus", "billingfirstname"}),
        frozenset({"customerid", "billingfirstname"}),
        frozenset({"orderstatus", "firstnamebilling"}),
    ),
}


def system_of(header: Iterable[str]) -> str:
    """The system whose ids the file holds; `import` when its columns do not tell."""
    names = {plain(column) for column in header}
    return next((tool for tool, marks in _MARKS.items() if any(mark <= names for mark in marks)), PLAIN)
