"""What Rapport's own exports call their columns, by which an import knows them and reads them as they are."""

from collections.abc import Iterable

from chassis.names import EXPORTED

# An id in this system is the name that its customer has, or had, in the installation that exported it.
SYSTEM = EXPORTED
CUSTOMER = "rapport_customer"
# The column that names what a row is of, by kind; that of customers is in all of them.
MARKS = {
    kind: f"rapport_{singular}"
    for kind, singular in {
        "purchases": "purchase",
        "promises": "promise",
        "consents": "consent",
        "cases": "case",
        "work-items": "work_item",
        "timeline": "timeline_entry",
        "notices": "notice",
        "goodwill": "goodwill",
        "values": "customer_value",
        "attributes": "attribute_value",
        "customers": "customer",
    }.items()
}
# Which of them are imported, as which kind; and the column of each field.
IMPORTED = {"customers", "purchases", "consents"}
COLUMNS = {
    "customers": {"external_id": CUSTOMER, "email": "email", "phone": "phone", "fax": "fax"}
    | {"country": "region_code", "language": "language_code", "rapport_type": "type"}
    | {
        name: name
        for name in (
            *("display_name", "given_name", "additional_name", "family_name", "honorific_prefix"),
            *("honorific_suffix", "organization_name", "birth_date", "account_number", "time_zone"),
            *("external_ids", "social", "device", "shared", "addresses"),
        )
    },
    "purchases": {"customer": CUSTOMER, "date": "purchase_time", "refunded": "refunded_amount"}
    | {
        name: name
        for name in (
            *("amount", "currency", "pieces", "reference", "store", "product", "quantity", "discount"),
            "tax",
        )
    },
    "consents": {"customer": CUSTOMER, "consent": "state", "consent_date": "effective_time"}
    | {name: name for name in ("purpose", "channel", "source", "proof", "wording_version")},
}


def kind_of(header: Iterable[str]) -> str:
    """What the rows of an export of ours are, by its columns; empty for any other file."""
    names = set(header)
    return next((kind for kind, mark in MARKS.items() if mark in names), "")
