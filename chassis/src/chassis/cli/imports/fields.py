"""From the cells of a row to typed values, by well-known column names or by `--map`."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pycountry

from chassis.cli.imports.tabular import Problem, Row, UnreadableFile

# What columns are called out there, lower-case letters and digits only.
SYNONYMS: Mapping[str, Sequence[str]] = {
    "external_id": ("externalid", "customerid", "custid", "customer", "id", "recid", "clientid"),
    "given_name": ("givenname", "firstname", "forename"),
    "family_name": ("familyname", "lastname", "surname"),
    "display_name": ("displayname", "name", "fullname", "contactname", "customername"),
    "organization_name": ("organizationname", "companyname", "company", "organisation", "organization"),
    "email": ("email", "emailaddress", "mail"),
    "phone": ("phone", "phonenumber", "telephone", "mobile", "tel"),
    "fax": ("fax", "faxnumber"),
    "account_number": ("accountnumber", "account", "accountno"),
    "country": ("country", "countrycode", "regioncode", "shipcountry", "billingcountry"),
    "language": ("language", "languagecode", "locale"),
    "time_zone": ("timezone", "tz"),
    "amount": ("amount", "total", "spend", "price", "value", "revenue", "sales"),
    "currency": ("currency", "currencycode"),
    "quantity": ("quantity", "qty", "units", "cds"),
    "date": ("date", "purchasedate", "invoicedate", "purchasetime", "timestamp", "datetime", "orderdate"),
    "reference": ("reference", "invoiceid", "orderid", "ordernumber", "invoicenumber", "transactionid"),
    "order_id": ("orderid", "ordernumber", "order", "orderno"),
    "order_date": ("orderdate", "ordered", "orderedat", "orderpurchasetimestamp"),
    "promised_date": (
        "requireddate",
        "promiseddate",
        "promiseddeliverydate",
        "duedate",
        "promised",
        "estimateddeliverydate",
    ),
    "delivered_date": (
        "shippeddate",
        "delivereddate",
        "deliverydate",
        "shipped",
        "delivered",
        "fulfilleddate",
    ),
}

_YEAR_FIRST = re.compile(r"\d{4}/")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL = re.compile(r"\d{1,12}(\.\d{1,15})?")
_DAY = timedelta(days=1) - timedelta(microseconds=1)  # to its last moment

# Names of countries in everyday use that ISO 3166 does not list.
_COUNTRIES = {
    "UK": "GB",
    "ENGLAND": "GB",
    "SCOTLAND": "GB",
    "WALES": "GB",
    "U.S.A.": "US",
    "RUSSIA": "RU",
    "SOUTH KOREA": "KR",
}


def columns_for(
    fields: Sequence[str], required: Sequence[str], header: Sequence[str], mapping: Mapping[str, str]
) -> dict[str, str]:
    """Which column holds each field: as mapped, else by a well-known name.

    UnreadableFile when a mapped field or column does not exist, or a required field has no column.
    """
    known = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(header)}
    found = {f: known[s] for f in fields for s in reversed(SYNONYMS[f]) if s in known}
    for name, column in mapping.items():
        if name not in fields:
            raise UnreadableFile(f"--map {name}=...: the fields are {', '.join(fields)}")
        if column not in header:
            raise UnreadableFile(f"--map {name}={column}: the columns are {', '.join(header)}")
        found[name] = column
    if missing := [name for name in required if name not in found]:
        hint = " ".join(f"--map {name}=COLUMN" for name in missing)
        raise UnreadableFile(
            f"no column for {', '.join(missing)} among {', '.join(header)}; say which with {hint}"
        )
    return found


class Cells:
    """The typed cells of one row; what is wrong is added to the row's problems.

    Args:
        row: the row.
        columns: which column holds each field.
        date_format: how dates are written, as `strptime` takes it; empty means ISO 8601.

    """

    def __init__(self, row: Row, columns: Mapping[str, str], date_format: str = "") -> None:
        self._row = row
        self._columns = columns
        self._date_format = date_format

    def text(self, field: str, *, required: bool = False) -> str:
        """The trimmed text; empty when there is no such column."""
        value = self._row.cells.get(self._columns.get(field, ""), "").strip()
        if required and not value:
            self._refuse(field, "REQUIRED", "must not be empty")
        return value

    def moment(self, field: str, *, required: bool = False, end_of_day: bool = False) -> datetime | None:
        """A date or time, UTC unless it says otherwise. A bare date is its first moment, or its last."""
        value = self.text(field, required=required)
        if not value:
            return None
        try:
            at = self._parsed(value)
        except ValueError:
            how = (
                f"as in {self._date_format}"
                if self._date_format
                else "such as 2026-03-02 or 2026-03-02T09:30:00"
            )
            self._refuse(
                field, "INVALID_TIME", f"must be a date or time {how}; --date-format tells another way"
            )
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if not 1900 <= at.year <= 2199:
            self._refuse(field, "INVALID_TIME", "must be between the years 1900 and 2199")
            return None
        return at + _DAY if end_of_day and at.time() == time.min else at

    def _parsed(self, value: str) -> datetime:
        if self._date_format:
            return datetime.strptime(value, self._date_format)  # noqa: DTZ007 - the caller adds UTC
        return datetime.fromisoformat(value.replace("/", "-") if _YEAR_FIRST.match(value) else value)

    def amount(self, field: str) -> Decimal:
        """An amount of money: a decimal number, not negative, at most two decimals; `1,234.50` is one."""
        value = self.text(field, required=True)
        plain = value.replace(",", "") if _THOUSANDS.fullmatch(value) else value
        amount = Decimal(plain) if _DECIMAL.fullmatch(plain) else None
        if value and (amount is None or amount != round(amount, 2)):
            allowed = "must be a decimal number with at most two decimals, such as 12.50, not negative"
            self._refuse(field, "INVALID_AMOUNT", allowed)
        return amount or Decimal(0)

    def count(self, field: str) -> int:
        """A whole number, 0 when empty."""
        value = self.text(field)
        if value and not re.fullmatch(r"\d{1,9}", value):
            self._refuse(field, "INVALID_NUMBER", "must be a whole number from 0 to 999999999")
            return 0
        return int(value or 0)

    def region(self, field: str) -> str:
        """The ISO 3166-1 alpha-2 code of a country given by name or code; empty when it is not known."""
        value = self.text(field)
        if not value:
            return ""
        if alias := _COUNTRIES.get(value.upper()):
            return alias
        try:
            return str(pycountry.countries.lookup(value).alpha_2)
        except LookupError:
            return ""

    def _refuse(self, field: str, reason: str, description: str) -> None:
        self._row.problems.append(Problem(self._columns.get(field, field), reason, description))
