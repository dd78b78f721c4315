"""Which tool exported a file, told by columns that no other has: the ids in it are of that system."""

from collections.abc import Iterable, Mapping

from rapport_imports.names import plain

PLAIN = "import"
_MAILING = (
    "mailingstreet",
    "mailingcity",
    "mailingstate",
    "mailingstateprovince",
    "mailingpostalcode",
    "mailingzippostalcode",
    "mailingcountry",
    "mailingcountrycode",
)
# Whoever has all of one set; as `plain` has them.
_MARKS: dict[str, tuple[frozenset[str], ...]] = {
    "shopify": (
        frozenset({"name", "financialstatus"}),
        frozenset({"customerid", "acceptsemailmarketing"}),
        frozenset({"customerid", "acceptsmarketing"}),
        frozenset({"customerid", "defaultaddresscountrycode"}),
    ),
    "stripe": (frozenset({"id", "createddateutc"}), frozenset({"id", "createdutc"})),
    "paypal": (
        frozenset({"transactionid", "fromemailaddress"}),
        frozenset({"transactionid", "gross", "fee", "net"}),
        frozenset({"transaktionscode", "absenderemailadresse"}),
        frozenset({"transaktionscode", "vonemailadresse"}),
        frozenset({"transaktionscode", "brutto", "netto"}),
    ),
    "square": (
        frozenset({"squarecustomerid"}),
        frozenset({"paymentid", "grosssales"}),
        frozenset({"transactionid", "totalcollected"}),
    ),
    "hubspot": (frozenset({"recordid"}), frozenset({"recordidcontact"}), frozenset({"recordidcompany"})),
    "salesforce": (
        frozenset({"contactid", "accountname"}),
        frozenset({"contactid", "accountid"}),
        frozenset({"accountid", "accountname"}),
        frozenset({"id", "accountid", "lastname"}),
        frozenset({"id", "ownerid", "lastname"}),
        frozenset({"id", "systemmodstamp"}),
        *(frozenset({"lastname", part}) for part in _MAILING),
        *(frozenset({"contactid", part}) for part in _MAILING),
    ),
    "woocommerce": (
        frozenset({"orderstatus", "billingfirstname"}),
        frozenset({"customerid", "billingfirstname"}),
        frozenset({"orderstatus", "firstnamebilling"}),
        frozenset({"ordercurrency", "billingemail"}),
        frozenset({"orderkey", "billingemail"}),
    ),
}
# What a tool calls a field, before what others call it: of purchases the id that each has, not one of
# something that only some belong to.
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    # `Name` is the number of the order, on each of its lines; `Id` is on the first alone.
    "shopify": {"reference": "name id", "order_id": "name"},
    "stripe": {"reference": "id"},
    "paypal": {
        "reference": "transactionid transaktionscode",
        "amount": "gross brutto",
        "email": "fromemailaddress absenderemailadresse vonemailadresse",
    },
    # Of deals: contacts have neither an amount nor a date of closing.
    "hubspot": {"reference": "recordid dealid", "customer": "associatedcontactids", "date": "closedate"},
    "square": {"reference": "paymentid transactionid", "amount": "totalcollected"},
    "woocommerce": {"reference": "ordernumber orderid"},
}


def system_of(header: Iterable[str]) -> str:
    """The system whose ids the file holds; `import` when its columns do not tell."""
    names = {plain(column) for column in header}
    return next((tool for tool, marks in _MARKS.items() if any(mark <= names for mark in marks)), PLAIN)


def columns_of(header: Iterable[str]) -> Mapping[str, str]:
    """What the tool that exported the file calls fields, best first."""
    return _COLUMNS.get(system_of(header), {})
