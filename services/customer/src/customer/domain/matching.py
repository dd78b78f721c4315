"""Whom an imported row is about: which handles prove it, which only suggest it, and whether names agree."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from customer.domain.customers import KIND_FIELDS, ORGANIZATION, Customer
from customer.domain.identifiers import Handle, Identifier, IdentifierType, stand_ins

# By which kind of handle a row finds its customer, best first; the others come after these.
_ORDER = (IdentifierType.EXTERNAL_ID, IdentifierType.ACCOUNT_NUMBER, IdentifierType.EMAIL)
_PERSON = ("display_name", "given_name", "family_name")


def in_match_order(handles: Iterable[Handle]) -> list[Handle]:
    """The handles, best proof first."""
    rank = {kind: position for position, kind in enumerate(_ORDER)}
    return sorted(handles, key=lambda handle: rank.get(handle.type, len(rank)))


def conflicting(by: Handle, held: Sequence[Identifier], row: Sequence[Handle]) -> bool:
    """Whether a stronger handle than `by` says that the row is about somebody else.

    Two ids in one system, or two account numbers, are two customers, whatever else they share.
    """
    stronger = _ORDER[: _ORDER.index(by.type)] if by.type in _ORDER else _ORDER[:2]
    for kind in stronger:
        had, has = _by_system(kind, held), _by_system(kind, row)
        if any(had[system].isdisjoint(has[system]) for system in had.keys() & has.keys()):
            return True
    return False


def same_name(customer: Customer, profile: Mapping[str, str]) -> bool:
    """Whether a row calls the customer what we call them, or nothing at all."""
    row = _called(profile)
    ours = _called({f: getattr(customer, f) for f in (*_PERSON, "organization_name")})
    return not row or row == ours


def name_conflict(
    customer: Customer, profile: Mapping[str, str], identifiers: Sequence[Identifier], *, certain: bool = True
) -> list[str]:
    """The name fields of the row that say otherwise than the customer's; empty when they agree or add.

    Person and organisation are judged apart: somebody at an organization is another, unless it is `certain`
    whom the row is about. Case, accents' composition and spaces do not count.
    """
    clash = []
    names = {field: getattr(customer, field) for field in _PERSON}
    if names["display_name"] in stand_ins(identifiers):
        names["display_name"] = ""
    row = {field: profile[field] for field in _PERSON if profile.get(field)}
    differ = [field for field in row if names[field] and _plain(names[field]) != _plain(row[field])]
    ours, theirs = _called(names), _called(row)
    in_one_field = ("display_name" in row) != bool(names["display_name"])  # and in two on the other side
    if differ or (in_one_field and ours not in ("", theirs)):
        clash += list(row)
    organization = profile.get("organization_name", "")
    if organization and _plain(customer.organization_name) not in ("", _plain(organization)):
        clash.append("organization_name")
    if not (clash or certain) and customer.kind == ORGANIZATION:
        clash = _of_a_person(customer, profile)
    return clash


def _of_a_person(organization: Customer, profile: Mapping[str, str]) -> list[str]:
    """The fields of a row that are somebody's, and not the organization's."""
    shown = _plain(profile.get("display_name", ""))
    other = ["display_name"] if shown and _plain(organization.organization_name) not in ("", shown) else []
    return other + [name for name in KIND_FIELDS if name != "organization_name" and profile.get(name)]


def strangers(
    customer: Customer, profile: Mapping[str, str], identifiers: Sequence[Identifier], row: Sequence[Handle]
) -> list[str]:
    """The name fields by which a row and the customer who has its id seem two; empty when they seem one.

    Who shares no e-mail address, though both have some, seems one only by a name that both have.
    """
    had, has = (
        {handle.normalized_value for handle in handles if handle.type == IdentifierType.EMAIL}
        for handles in (identifiers, row)
    )
    if not (had and has and had.isdisjoint(has)):
        return []
    ours = {field: getattr(customer, field) for field in (*_PERSON, "organization_name")}
    if ours["display_name"] in stand_ins(identifiers):
        ours["display_name"] = ""
    clash = name_conflict(customer, profile, identifiers)
    return clash if clash or (_called(ours) and _called(profile)) else ["display_name"]


def _by_system(kind: IdentifierType, handles: Iterable[Handle | Identifier]) -> dict[str, set[str]]:
    """The values of a kind by system; account numbers are of one system."""
    found: dict[str, set[str]] = {}
    for handle in handles:
        if handle.type == kind and handle.key:
            found.setdefault(handle.system, set()).add(handle.normalized_value)
    return found


def _called(profile: Mapping[str, str]) -> str:
    parts = filter(None, (profile.get("given_name", ""), profile.get("family_name", "")))
    return _plain(profile.get("display_name") or " ".join(parts) or profile.get("organization_name", ""))


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
