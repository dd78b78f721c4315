"""Which tool exported a file, told by columns that no other has: the ids in it are of that system."""

from collections.abc import Iterable, Mapping

from rapport_imports.names import plain

PLAIN = "import"
_MAILING = """
    mailingstreet mailingcity mailingstate mailingstateprovince mailingpostalcode mailingzippostalcode
    mailingcountry mailingcountrycode
"""
# Whoever has all of one set, between bars; as `plain` has them.
_MARKED = {
    "shopify": """
        name financialstatus | customerid acceptsemailmarketing | customerid acceptsmarketing |
        customerid defaultaddresscountrycode
    """,
    "stripe": "id createddateutc | id createdutc",
    "paypal": """
        transactionid fromemailaddress | transactionid gross fee net | transaktionscode absenderemailadresse |
        transaktionscode vonemailadresse | transaktionscode brutto netto
    """,
    "square": "squarecustomerid | paymentid grosssales | transactionid totalcollected",
    "hubspot": "recordid | recordidcontact | recordidcompany",
    "salesforce": """
        contactid accountname | contactid accountid | accountid accountname | id accountid lastname |
        id ownerid lastname | id systemmodstamp
    """,
    "woocommerce": """
        orderstatus billingfirstname | customerid billingfirstname | orderstatus firstnamebilling |
        ordercurrency billingemail | orderkey billingemail
    """,
}
_MARKS = {tool: [frozenset(mark.split()) for mark in marks.split("|")] for tool, marks in _MARKED.items()}
_MARKS["salesforce"] += [
    frozenset({of, part}) for of in ("lastname", "contactid") for part in _MAILING.split()
]
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
