"""Where the fields of a profile come from: which observation said each, by which source, and what is held.

A field is held when a person said it: an import leaves it as it is, until it is released or emptied.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from customer.domain.attributes import PROFILE, Attribute, Rule
from customer.domain.customers import KIND_FIELDS, Customer

FIELDS = ("display_name", *KIND_FIELDS, "addresses", "language_code", "time_zone", "region_code")
_NAMES = ("given_name", "family_name", "organization_name")


@dataclass(frozen=True, slots=True)
class Said:
    """Which observation a field is of, as hexadecimal digits, by whose source; and whether it is held."""

    observation: str
    teller: str
    held: bool


def attribute_of(field: str) -> str:
    """The id of a field's attribute: `profile.given-name`."""
    return f"{PROFILE}.{field.replace('_', '-')}"


def field_of(attribute_id: str) -> str:
    """The field of a profile that an attribute is: `given_name`."""
    return attribute_id.partition(".")[2].replace("-", "_")


def profile(customer: Customer) -> dict[str, str]:
    """The fields of which it is known where they come from; empty ones too."""
    return {field: getattr(customer, field) for field in FIELDS}


def sources(customer: Customer) -> dict[str, Said]:
    """Where each field comes from; what is older than this is not among them."""
    kept: dict[str, list[str]] = json.loads(customer.profile_sources or "{}")
    return {
        field.removesuffix("!"): Said(observation, teller, field.endswith("!"))
        for observation, (teller, *fields) in kept.items()
        for field in fields
    }


def keep(customer: Customer, said: Mapping[str, Said]) -> None:
    """Keep where each field comes from, an observation once."""
    kept: dict[str, list[str]] = {}
    for field, each in said.items():
        kept.setdefault(each.observation, [each.teller]).append(f"{field}!" if each.held else field)
    customer.profile_sources = json.dumps(kept, separators=(",", ":")) if kept else ""


def note(
    customer: Customer, changed: Collection[str], observation: str, teller: str, held: Collection[str]
) -> None:
    """Note whose word the changed fields are now. What was emptied is nobody's: empty values never stand."""
    said = sources(customer) if customer.profile_sources else {}
    for field in changed:
        if getattr(customer, field):
            said[field] = Said(observation, teller, field in held)
        else:
            said.pop(field, None)
    keep(customer, said)


def release(customer: Customer, field: str) -> bool:
    """Let imports change a field again; False when they may already."""
    said = sources(customer)
    if field not in said or not said[field].held:
        return False
    keep(customer, {**said, field: replace(said[field], held=False)})
    return True


def kept_back(
    customer: Customer, changes: Mapping[str, str], teller: str, attributes: Mapping[str, Attribute]
) -> list[str]:
    """The fields of which an import of a department's source says otherwise, and which stay as they are.

    By their rule: what a person said under MANUAL, and what a more trusted source said. A full name stays
    with the names that it is made of, and what a customer is with what they are called.
    """
    said = sources(customer) if customer.profile_sources else {}
    differ = [
        field for field in changes if field in said and _stays(said[field], teller, attributes.get(field))
    ]
    staying = set(differ)
    if staying.intersection(_NAMES) or any(_held(said, attributes, _NAMES)):
        staying.add("display_name")
    if any(_held(said, attributes, KIND_FIELDS)):
        staying.add("kind")
    return [field for field in changes if field in staying and changes[field] != getattr(customer, field)]


def _stays(said: Said, teller: str, attribute: Attribute | None) -> bool:
    if attribute is None:
        return said.held
    if said.held and attribute.rule is Rule.MANUAL:
        return True
    return attribute.trust(said.teller) > attribute.trust(teller)


def _held(
    said: Mapping[str, Said], attributes: Mapping[str, Attribute], fields: Iterable[str]
) -> Iterable[bool]:
    for field in fields:
        if field in said and said[field].held:
            attribute = attributes.get(field)
            yield attribute is None or attribute.rule is Rule.MANUAL
