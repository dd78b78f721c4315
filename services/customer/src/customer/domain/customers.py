"""The customer: names, language, region, and the human who answers for the relationship."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.errors import FailedPrecondition
from customer.names import CUSTOMER

PERSON, ORGANIZATION = "PERSON", "ORGANIZATION"
MAX_ADDRESSES = 20
_BEFORE = {"language_code": "en", "time_zone": "UTC"}  # what was kept of who did not say
# What a person has. `organization_name` is also what an organization is called.
KIND_FIELDS = (
    "given_name",
    "additional_name",
    "family_name",
    "honorific_prefix",
    "honorific_suffix",
    "birth_date",
    "organization_name",
)
PROFILE_FIELDS = (
    "display_name",
    "kind",
    *KIND_FIELDS,
    "addresses",
    "language_code",
    "time_zone",
    "region_code",
)


@dataclass(frozen=True, slots=True)
class ProfileUpdate:
    """What an update names of a profile, and what it gives for that."""

    # The profile fields that are named, without the kind: empty where nothing is given.
    fields: Mapping[str, str]
    kinds: Collection[str]  # of which kinds fields are named
    as_a_whole: bool  # whether `kinds` are named themselves, with all that they have
    kind: str  # the one of `kinds` that is given; empty for none


def path_of(field: str, kind: str) -> str:
    """What the contract calls a field of a customer of that kind."""
    if field not in KIND_FIELDS:
        return field
    return "organization.legal_name" if kind == ORGANIZATION else f"person.{field}"


def with_addresses(held: str, brought: str) -> tuple[str, int]:
    """The addresses with those that are brought, and how many of these had no room.

    Each takes the place of one of its type that is not brought itself, else one of its own; the primary one
    stays.
    """
    merged, new = json.loads(held or "[]"), json.loads(brought)
    said, left_out = [_whatever_primary(address) for address in new], 0
    for address, plainly in zip(new, said, strict=True):
        known = [_whatever_primary(each) for each in merged]
        if plainly in known:
            continue
        free = (i for i, e in enumerate(known) if e.get("type") == address.get("type") and e not in said)
        at = next(free, len(merged))
        if at == MAX_ADDRESSES:
            left_out += 1
            continue
        is_first = address.get("primary", False) and not any(map(_is_primary, merged))
        address["primary"] = is_first or any(map(_is_primary, merged[at : at + 1]))
        merged[at : at + 1] = [address]
    return (json.dumps(merged, ensure_ascii=False) if merged else ""), left_out


def _is_primary(address: dict[str, Any]) -> bool:
    return bool(address.get("primary"))


def _whatever_primary(address: dict[str, Any]) -> dict[str, Any]:
    return address | {"primary": False}


@dataclass(slots=True)
class KeptCustomer:
    """A person or organization, or nobody knows which (`kind`).

    `display_name` is empty unless somebody chose one: see `shown_name`. `addresses` are a JSON list as the
    contract has it, `birth_date` is as ISO 8601 has it, as far as it is known; both empty for none.
    `language_code` and `time_zone` are as somebody said, empty when nobody did. `profile_sources` is where
    the fields come from: see `customer.domain.provenance`.
    """

    id: UUID
    display_name: str
    kind: str
    given_name: str
    additional_name: str
    family_name: str
    honorific_prefix: str
    honorific_suffix: str
    birth_date: str
    organization_name: str
    addresses: str
    language_code: str
    time_zone: str
    region_code: str
    profile_sources: str
    relationship_manager: str
    create_time: datetime
    update_time: datetime
    version: int
    bought: bool  # under this name, since somebody told of a purchase
    prospect: bool  # until then, under any of their names

    name = CUSTOMER.named("id")

    def __post_init__(self) -> None:
        for field, kept in _BEFORE.items():
            if getattr(self, field) == kept and f'"{field}' not in self.profile_sources:
                setattr(self, field, "")

    @property
    def region(self) -> str:
        """The country that they live in, as far as it is known."""
        held = json.loads(self.addresses or "[]")
        regions = (each.get("postal_address", {}).get("region_code") for each in held if _is_primary(each))
        return next(filter(None, regions), self.region_code)

    @property
    def type(self) -> str:
        """The kind, as facts have it."""
        return self.kind

    @property
    def shown_name(self) -> str:
        """What people call the customer."""
        return self.display_name or self._derived_name()

    def named_by(self, update: ProfileUpdate) -> dict[str, str]:
        """The profile fields that `update` sets here. What it does not name is not among them.

        A kind that is given as a whole takes the place of the other; one that is named and not given is gone
        when the customer is that. FailedPrecondition OTHER_TYPE for a field of what the customer is not.
        """
        kind = {"kind": update.kind} if update.kind else {}
        if update.as_a_whole and (update.kind or self.kind in update.kinds):
            return {"kind": "", **dict.fromkeys(KIND_FIELDS, ""), **update.fields, **kind}
        if update.as_a_whole:
            return {field: value for field, value in update.fields.items() if field not in KIND_FIELDS}
        if self.kind and not {self.kind}.issuperset(update.kinds):
            told = f"{self.name} is of the kind {self.kind}: send the other as a whole to make it that."
            raise FailedPrecondition("OTHER_TYPE", told, {"resource": self.name, "type": self.kind})
        return {**update.fields, **kind}

    def change(self, values: Mapping[str, str], now: datetime) -> list[str]:
        """Set profile fields; returns those that changed, as the contract calls them: see `path_of`.

        A display name that says what the other names say, or said until now, is not kept, so that it follows
        them when they change: a client that sends back what it read does not freeze it, not even together
        with another name. To keep the name of before is a choice that is made in a call of its own.
        """
        derived = () if self.display_name else (self._derived_name(),)
        before = {field: getattr(self, field) for field in PROFILE_FIELDS}
        for field, value in values.items():
            setattr(self, field, value)
        if self.display_name in (*derived, self._derived_name()):
            self.display_name = ""
        return self._changed(before, now)

    def _changed(self, before: Mapping[str, str], now: datetime) -> list[str]:
        changed = [field for field in PROFILE_FIELDS if getattr(self, field) != before[field]]
        if changed:
            self.touch(now)
        if before["kind"] != self.kind:
            kind = (self.kind or before["kind"]).lower()
            return [kind, *(field for field in changed if field not in ("kind", *KIND_FIELDS))]
        return [path_of(field, self.kind) for field in changed]

    def restore(self, values: Mapping[str, str], now: datetime) -> list[str]:
        """Set profile fields to what they were; returns those that changed, as `change` does."""
        before = {field: getattr(self, field) for field in PROFILE_FIELDS}
        for field, value in values.items():
            setattr(self, field, value)
        return self._changed(before, now)

    def assign(self, relationship_manager: str, now: datetime) -> bool:
        """Name the human who answers for the relationship; False when it is them already."""
        if relationship_manager == self.relationship_manager:
            return False
        self.relationship_manager = relationship_manager
        self.touch(now)
        return True

    def convert(self, now: datetime) -> bool:
        """Note that they bought something, perhaps by another name; False when that is known."""
        if not self.prospect:
            return False
        self.prospect = False
        self.touch(now)
        return True

    def touch(self, now: datetime) -> None:
        """Count a change."""
        self.version += 1
        self.update_time = now

    def _derived_name(self) -> str:
        return " ".join(filter(None, (self.given_name, self.family_name))) or self.organization_name


@dataclass(slots=True)
class Customer(KeptCustomer):
    """A customer with what is kept beside them."""

    chosen_zone: str  # the time zone of their preferences


@dataclass(frozen=True, slots=True)
class DeletedCustomer:
    """The name of somebody who is no customer any more, since when."""

    id: UUID
    delete_time: datetime


def new_customer(
    customer_id: UUID, profile: Mapping[str, str], relationship_manager: str, now: datetime
) -> Customer:
    """A customer at version 1. What `profile` leaves out is empty."""
    said = {field: profile.get(field, "") for field in PROFILE_FIELDS}
    customer = Customer(
        id=customer_id,
        **said,
        profile_sources="",
        relationship_manager=relationship_manager,
        create_time=now,
        update_time=now,
        version=1,
        bought=False,
        prospect=True,
        chosen_zone="",
    )
    for field in _BEFORE:
        setattr(customer, field, said[field])  # as kept of who did not say, too, where somebody says so
    if customer.display_name == customer._derived_name():
        customer.display_name = ""
    return customer
