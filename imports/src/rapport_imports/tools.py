"""Which tool exported a file, by columns that no other has, and what it calls things."""

import functools
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
    "zendesk": """
        email role organizationid | email role restrictedagent | email role ticketrestriction |
        email role sharedphonenr | email role suspended | email role lastloginat | email role primarygroup |
        id name email role timezone | externalid details email role | domainnames sharedtickets |
        id name domainnames groupid
    """,
    "mailchimp": """
        emailaddress memberrating | memberrating optintime | leid euid | emailaddress optintime confirmtime |
        emailaddress unsubtime unsubcampaigntitle | emailaddress cleantime cleancampaigntitle
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
# The roles of those who work with a help desk, and are nobody's customers.
STAFF = frozenset(
    {"agent", "admin", "administrator", "owner", "lightagent", "chatagent", "billingadmin", "contributor"}
    | {"teammember", "staff", "legacyagent"}
)
# Before what a tool alone calls a field: what others call it is something else there.
ALONE = "!"
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
    "zendesk": {"external_id": "!id userid", "role": "role", "time_zone": "ianatimezone timezone"},
    # Of where an address of the network was seen `CC` is the country, and `REGION` part of no address.
    "mailchimp": {
        "country": "country cc",
        "state": "!",
        "consent_date": "!optintime confirmtime",
        "left_date": "!unsubtime cleantime",
        "consent": "status memberstatus",
    },
}
_ORGANIZATIONS = {"external_id": "!id", "display_name": "!", "organization_name": "name"}


def system_of(header: Iterable[str]) -> str:
    """The system whose ids the file holds; `import` when its columns do not tell."""
    names = {plain(column) for column in header}
    return next((tool for tool, marks in _MARKS.items() if any(mark <= names for mark in marks)), PLAIN)


def first_of(header: Iterable[str]) -> str:
    """Whether `day` or `month` begins a date in what the tool exports, where it is always the same."""
    return "month" if system_of(header) == "mailchimp" else ""


def columns_of(header: Iterable[str]) -> Mapping[str, str]:
    """What the tool that exported the file calls fields, best first; behind `ALONE` all that may be one."""
    return _columns_of(tuple(header))


@functools.lru_cache(64)
def _columns_of(header: tuple[str, ...]) -> Mapping[str, str]:
    system = system_of(header)
    if system == "zendesk" and "domainnames" in map(plain, header):
        return _ORGANIZATIONS
    return _COLUMNS.get(system, {})
