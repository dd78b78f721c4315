"""Customers: staged in an ImportJob of the customer service, then committed."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import ClassVar

import grpc

from chassis.api.customers import check_customer, check_row, judged
from rapport.customer.v1 import customer_pb2, identifier_pb2, import_job_pb2
from rapport_imports import restoring
from rapport_imports.fields import Cells
from rapport_imports.jobs import Job
from rapport_imports.names import plain
from rapport_imports.nothing import is_nothing
from rapport_imports.postal import FIELDS, addresses
from rapport_imports.reading import Reading
from rapport_imports.result import Result
from rapport_imports.tabular import Problem, Row, Table
from rapport_imports.tools import STAFF

_IDENTIFIERS = {
    "email": identifier_pb2.Identifier.TYPE_EMAIL,
    "phone": identifier_pb2.Identifier.TYPE_PHONE,
    "fax": identifier_pb2.Identifier.TYPE_FAX,
    "account_number": identifier_pb2.Identifier.TYPE_ACCOUNT_NUMBER,
}
_BEFORE_AND_BEHIND = ("family_name_prefix", "second_family_name")
_PERSON = ("given_name", "additional_name", "family_name", "honorific_prefix", "honorific_suffix")
_NAMES = ("display_name", *_PERSON, "organization_name")
# Further addresses that address books have of somebody.
_SAME_PERSONS = frozenset(
    {"email2address", "email3address", "email2value", "email3value", "email2", "secondaryemail"}
    | {"email2adresse", "email3adresse"}
    | {"alternateemail"}
)
_NO_PERSON = frozenset({"firma", "company", "unternehmen", "organization", "societe", "empresa"})
_ORDER_NUMBER = re.compile(r"#?\d+")


def external_id(system: str, value: str) -> identifier_pb2.Identifier:
    return identifier_pb2.Identifier(
        type=identifier_pb2.Identifier.TYPE_EXTERNAL_ID, system=system, value=value
    )


def _written(cells: Cells, field: str) -> list[tuple[str, str]]:
    """The handles of one kind that a row holds, each with its column: numbers of all its columns."""
    if field == "phone" and not cells.notation.exact:
        return cells.everywhere(field)
    if field == "email" and not cells.notation.exact:
        return _addresses(cells)
    is_one = field == "account_number" and not cells.notation.exact
    texts = filter(None, [cells.text(field)]) if is_one else cells.several(field)
    return [(cells.column(field), text) for text in texts]


def _addresses(cells: Cells) -> list[tuple[str, str]]:
    """The e-mail addresses of a row: also those of columns called alike or further; others are told."""
    first = cells.several("email")
    column = cells.column("email")
    found = [(column, text) for text in first]
    if not cells.spares.get("email"):
        return found
    for other, text in cells.everywhere("email"):
        if text.casefold() in [each.casefold() for each in first]:
            continue
        if other.startswith(f"{column} (") or plain(other) in _SAME_PERSONS:
            found.append((other, text))
        else:
            allowed = f"{other} holds another address, which is not taken: --map email={other} says otherwise"
            cells.tell("NOT_TAKEN", allowed, "email")
    return found


class CustomerImporter:
    """Rows become customers, matched by external id, account number or e-mail.

    Where the service is not asked, what it would say of a row alone is said here.
    """

    fields = (
        "external_id",
        *_NAMES,
        *_BEFORE_AND_BEHIND,
        "birth_date",
        *_IDENTIFIERS,
        "country",
        "language",
        "time_zone",
        "role",
        *FIELDS,
        *restoring.FIELDS,
    )
    required = ()
    sources: ClassVar = {
        "region_code": "country",
        "language_code": "language",
        "legal_name": "organization_name",
    }

    def __init__(
        self,
        channel: grpc.aio.Channel,
        table: Table,
        system: str,
        *,
        dry_run: bool,
        offline: bool = False,
        only: str = "",
    ) -> None:
        self._table = table
        self._system = system
        self._offline = offline
        self._only = only
        self.job = Job(channel, dry_run=dry_run, only=only)
        self._used: Mapping[str, str] = {}
        self._sources: dict[int, tuple[str, ...]] = {}  # which columns the identifiers of a line came from
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}

    def order_of(self, used: Mapping[str, str], spares: Mapping[str, list[str]]) -> None:
        """Each row is alone."""

    def begin(self, reading: Reading) -> None:
        """Remember how the file is read: otherwise, or with rows that are confirmed, it is another import."""
        self._used = reading.columns
        read = {
            name: value
            for name, value in asdict(reading).items()
            if name != "day_one" and (value or name != "constants")  # say nothing here
        }
        identity = [self._table.digest, self._table.encoding.name, self._table.confirm, read]
        identity += [self._only] if self._only else []
        self.job.source = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def parse(self, cells: Cells) -> import_job_pb2.ImportRow | None:
        """A customer with every handle the row holds; None for who works at the help desk."""
        row = cells.row
        if plain(cells.text("role")) in STAFF:
            cells.tell("STAFF", "works at the help desk, and is no customer: skipped", "role")
            return None
        handles = (
            [(self._used["external_id"], external_id(self._system, value))]
            if (value := cells.text("external_id"))
            else []
        )
        handles += [
            (column, identifier_pb2.Identifier(type=kind, value=text))
            for name, kind in _IDENTIFIERS.items()
            for column, text in _written(cells, name)
        ]
        handles += restoring.handles(cells)
        restoring.mark_shared(cells, [handle for _, handle in handles])
        if not handles and not row.problems:
            needed = "must have an id, account number, e-mail or phone to recognise the customer by"
            missing = [name for name in ("external_id", *_IDENTIFIERS) if name not in self._used]
            hint = f"; no column is used for {', '.join(missing)}: see --map" if missing else ""
            row.problems.append(Problem("", "REQUIRED", needed + hint))
        customer = customer_pb2.Customer(
            identifiers=[handle for _, handle in handles],
            region_code=cells.region("country"),
            language_code=cells.language("language"),
            time_zone=cells.time_zone("time_zone"),
        )
        filled = [cell for cell in row.cells.values() if not is_nothing(cell)]
        if cells.text("external_id") and len(filled) == 1 < len(self._table.header):
            alone = "has an id alone: a total or a note below the table is no customer"
            cells.tell("NOTHING_ELSE", alone, "external_id")
        if self._table.own:
            restoring.name(cells, customer)
        else:
            self._name(cells, customer)
        found = addresses(cells, self._used, self._table.header, customer.region_code)
        customer.addresses.extend([*found, *restoring.addresses(cells)])
        if customer.addresses and not customer.region_code and not self._table.own:
            customer.region_code = customer.addresses[0].postal_address.region_code
        shape = tuple(column for column, _ in handles)
        self._sources[row.line] = self._shapes.setdefault(shape, shape)
        if self._offline or row.problems:  # what the service is never asked about
            self._check(row, customer)
        return import_job_pb2.ImportRow(line=row.line, customer=customer, confirmed=row.confirmed)

    def _name(self, cells: Cells, customer: customer_pb2.Customer) -> None:
        """What the customer is called, and is: a person where one is named, and whom they are with."""
        names = {name: cells.text(name) for name in _NAMES}
        if _ORDER_NUMBER.fullmatch(names["display_name"]):
            cells.tell("NO_NAME", "holds a number, which is nobody's name: not taken", "display_name")
            names["display_name"] = ""
        family = [cells.text("family_name_prefix"), names["family_name"], cells.text("second_family_name")]
        names["family_name"] = " ".join(filter(None, family)) if names["family_name"] else ""
        if plain(names["honorific_prefix"]) in _NO_PERSON:
            names["honorific_prefix"] = ""
        called, organization = names.pop("display_name"), names["organization_name"]
        born = cells.born("birth_date")
        customer.display_name = called
        by_name = any(names[name] for name in _PERSON[:3]) or born is not None
        if by_name or (called and (names["honorific_prefix"] or organization not in ("", called))):
            customer.person.CopyFrom(customer_pb2.Person(**names, birth_date=born))
        elif organization:
            customer.organization.legal_name = organization

    def _check(self, row: Row, customer: customer_pb2.Customer) -> None:
        """Note what the service would refuse or tell."""
        found = (check_customer if row.problems else check_row)(customer, datetime.now(UTC))
        row.problems += [
            Problem(self._column(row.line, wrong.field), wrong.reason, wrong.description) for wrong in found
        ]
        refused = {wrong.field.partition(".")[0] for wrong in found}
        for i, identifier in enumerate(customer.identifiers):
            field = f"identifiers[{i}]"
            if field not in refused and (doubt := judged(identifier, customer.region_code).doubt()):
                column = self._column(row.line, field)
                if not any((wrong.column, wrong.reason) == (column, doubt[0]) for wrong in row.problems):
                    row.told.append(Problem(column, *doubt))

    async def send(self, items: list[tuple[Row, import_job_pb2.ImportRow]]) -> int:
        """Stage the rows. What is new is known only after the commit."""
        await self.job.send([row for _, row in items])
        return 0

    async def finish(self, result: Result) -> Mapping[int, Sequence[Problem]]:
        """Commit, or look what that would do; wait for it, and collect what was refused."""
        return await self.job.finish(result, self._column)

    def _column(self, line: int, field: str) -> str:
        """The column that a field of the service came from."""
        if match := re.match(r"identifiers\[(\d+)\]", field):
            names = self._sources.get(line, ())
            return names[int(match[1])] if int(match[1]) < len(names) else field
        field = field.rpartition(".")[2]
        field = self.sources.get(field, field)
        return self._used.get(field, field)
