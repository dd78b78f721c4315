"""What of a customer is compared with others: names, birth date, addresses, handles: as compared."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import UUID

from customer.domain.customers import ORGANIZATION, KeptCustomer
from customer.domain.identifiers import Identifier, IdentifierType, Quality, stand_ins
from rapport_identity import blocking
from rapport_identity.record import KINDS, Kind, Record, record

FIELDS: Mapping[str, Kind] = {
    **KINDS,
    "fax": Kind.PHONE,
    "country": Kind.TEXT,
    "organization_name": Kind.TEXT,
    "legal_name": Kind.TEXT,
}
KEYS_MAX = 200  # of one customer: whoever has a hundred handles is not looked for by all their combinations
# Who has one of these has proof of who they are: two of one system are two customers.
PROOFS = frozenset({IdentifierType.EXTERNAL_ID, IdentifierType.ACCOUNT_NUMBER})
_CONTACTS = {IdentifierType.EMAIL: "email", IdentifierType.PHONE: "phone", IdentifierType.FAX: "fax"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")  # of a birth date that is known in part no two can be compared
Texts = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Features:
    """A customer as compared: what they are, the matcher's record, and ids by type and system."""

    customer_id: UUID
    kind: str
    record: Record
    proofs: Mapping[tuple[str, str], frozenset[str]]

    @property
    def digest(self) -> str:
        """Names what is compared: while it is the same there is nothing to compare anew."""
        said = [self.kind, sorted(self.record.values.items()), self._proofs()]
        return blake2b(repr(said).encode(), digest_size=12).hexdigest()

    @property
    def keys(self) -> list[int]:
        """Those who share one are compared. Numbers: what is stored of them says nothing of anybody."""
        texts = blocking.keys(self.record, FIELDS) | {"|".join(each) for each in self._proofs()}
        return sorted(map(key_number, texts))[:KEYS_MAX]

    def _proofs(self) -> list[tuple[str, str, str]]:
        return sorted((*of, value) for of, values in self.proofs.items() for value in values)


def key_number(text: str) -> int:
    """A key as it is stored: 64 bits of its hash."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def features_of(customer: KeptCustomer, identifiers: Sequence[Identifier]) -> Features:
    """What of a customer is compared. What several are known to have says nothing of who they are."""
    texts = _names(customer, identifiers)
    if _DAY.fullmatch(customer.birth_date):
        texts["birth_date"] = [customer.birth_date]
    for address in json.loads(customer.addresses or "[]"):
        _add_address(texts, address.get("postal_address", {}))
    proofs: dict[tuple[str, str], set[str]] = {}
    for each in identifiers:
        if each.shared:
            continue
        if field := _CONTACTS.get(each.type):
            if value := _contact(each):
                texts.setdefault(field, []).append(value)
        elif each.type in PROOFS and each.key:
            proofs.setdefault((each.type, each.system), set()).add(each.normalized_value)
    known = record(str(customer.id), texts, FIELDS)
    return Features(
        customer.id,
        customer.kind,
        known,
        {of: frozenset(values) for of, values in proofs.items()},
    )


def _names(customer: KeptCustomer, identifiers: Sequence[Identifier]) -> Texts:
    """Names; of an organization what it is called. An id that stands in for a name is none."""
    shown = "" if customer.display_name in stand_ins(identifiers) else customer.display_name
    if customer.kind == ORGANIZATION:
        return {"legal_name": _some(customer.organization_name or shown)}
    return {
        "given_name": _some(customer.given_name),
        "family_name": _some(customer.family_name),
        "display_name": _some(shown),
        "organization_name": _some(customer.organization_name),
    }


def _some(*texts: str) -> list[str]:
    return [text for text in texts if text]


def _add_address(texts: Texts, address: Mapping[str, Any]) -> None:
    lines: Iterable[str] = address.get("address_lines", ())
    first, second, *_ = [*lines, "", ""]
    for field, text in (
        ("street", first),
        ("street_2", second),
        ("postal_code", address.get("postal_code", "")),
        ("city", address.get("locality", "")),
        ("state", address.get("administrative_area", "")),
        ("country", address.get("region_code", "")),
    ):
        if text:
            texts.setdefault(field, []).append(text)


def _contact(identifier: Identifier) -> str:
    """An address, or a number without its extension, as it is compared; of what cannot be right none."""
    if identifier.normalized_value:
        return identifier.normalized_value.partition(";")[0]
    return "" if identifier.quality == Quality.INVALID else identifier.value
