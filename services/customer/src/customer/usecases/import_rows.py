"""Applying imported rows: each finds its customer and brings what is missing, or becomes a new customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.errors import Aborted, Violation
from chassis.facts import fact_of
from customer.domain import provenance
from customer.domain.attributes import Attribute
from customer.domain.customers import MAX_ADDRESSES, PERSON, Customer, path_of, with_addresses
from customer.domain.facts import CustomerUpdated
from customer.domain.identifiers import (
    MAX_IDENTIFIERS,
    NUMBERS,
    Draft,
    Handle,
    Identifier,
    Key,
    distinct,
    same,
)
from customer.domain.matching import conflicting, in_match_order, name_conflict, same_name, strangers
from customer.names import CUSTOMER
from customer.store.identifiers import known_shared, names_with
from customer.store.tables import identifiers_of
from customer.usecases.claims import claim
from customer.usecases.customers import (
    Held,
    doubt,
    identified,
    insert_customers,
    prepare,
    record_added,
    save,
    without_stand_in,
)
from customer.usecases.people import lock_people
from customer.usecases.provenance import Sayings, profile_attributes

RENAMED = "RENAMED"
_SHARED = ("language_code", "time_zone", "region_code")  # by those who share an address
_KEPT = "somebody said otherwise, or a system that is trusted more: that stays until it is released"
_STRANGERS = (
    "whoever has this id has none of these e-mail addresses, and no name that both have: the id may be "
    "another system's, and is then to be imported as of that one"
)


@dataclass(slots=True)
class Applied:
    """What rows did: how many made a customer, for each what one may not expect, and which did nothing."""

    created: int
    notes: list[list[Violation]]
    refused: set[int]


@dataclass(slots=True)
class _Chunk:
    """The customers that rows may match, with what the rows before did to them.

    A row is of the name that has its handle: the person whose name it is decides whether that may be, and
    the name gets what the row says. So a merge of two records of one system is none of their profiles.
    """

    names: dict[Key, set[UUID]]  # which have a handle
    whose: dict[UUID, UUID]  # the customer whose each name is
    named: dict[UUID, Customer]  # by name
    shared: set[Key]  # handles that are known to be shared, or that are nobody's and a row says so
    known: dict[UUID, Held]
    sayings: Sayings
    attributes: Mapping[str, Attribute]  # of the profile's fields
    created: dict[UUID, Held] = field(default_factory=dict)
    changed: dict[UUID, Customer] = field(default_factory=dict)
    added: list[Identifier] = field(default_factory=list)
    before: dict[UUID, dict[str, str]] = field(default_factory=dict)  # profiles, of those that are known
    refused: set[int] = field(default_factory=set)

    def is_free(self, handle: Handle) -> bool:
        """Whether a customer may get a handle whoever has it: it is nobody's, or several may have it."""
        is_open = handle.type in NUMBERS or handle.key in self.shared
        return is_open or not self.names_with(handle.key)

    def names_with(self, key: Key | None) -> set[UUID]:
        """The names that have a handle."""
        return self.names.get(key, set()) if key else set()

    def of_name(self, name: UUID) -> Held:
        """What is known by a name, with all identifiers of whose it is."""
        return Held(self.named[name], self.known[self.whose[name]].identifiers)

    def add(self, held: Held, new: Sequence[Identifier]) -> None:
        """Take in what a name got."""
        self.added += new
        self.named[held.customer.id] = held.customer
        self.whose.setdefault(held.customer.id, held.customer.id)
        self.known.setdefault(held.customer.id, held)
        for identifier in new:
            if identifier.key:
                self.names.setdefault(identifier.key, set()).add(held.customer.id)


async def apply_drafts(
    tx: Transaction, drafts: Sequence[Draft], relationship_manager: str, sayings: Sayings
) -> Applied:
    """Apply rows in their order.

    A handle that belongs to another customer than the one the row matched stays where it is. A row that
    matched by an id or account number renames; one that matched by anything weaker does not. One that
    would make one of two strangers does nothing, unless it is confirmed. What a person said, or a source that
    is trusted more, stays.
    Aborted when somebody took a handle meanwhile: try the whole chunk again.
    """
    names: dict[Key, set[UUID]] = {}
    for key, name in await names_with(tx, {h.key for draft in drafts for h in draft.handles if h.key}):
        names.setdefault(key, set()).add(name)
    said = {h.key for draft in drafts for h in draft.handles if h.shared and h.key} - names.keys()
    shared = said | await known_shared(tx, names)
    drafts = [_marked(draft, shared) for draft in drafts]
    groups, named = await lock_people(tx, {name for having in names.values() for name in having})
    identifiers = await identifiers_of(tx, groups.members)
    known = {each: Held(named[each], identifiers[each]) for each in groups.members}
    attributes = await profile_attributes(tx) if known else {}
    chunk = _Chunk(names, groups.survivors, named, shared, known, sayings, attributes)
    notes = [_apply(tx, chunk, i, draft, relationship_manager) for i, draft in enumerate(drafts)]
    if (await claim(tx, chunk.added)).lost:
        told = "An identifier changed hands meanwhile: try again."
        raise Aborted("REQUEST_IN_FLIGHT", told, retry_after_s=1)
    for identifier in chunk.added:
        if identifier.customer_id not in chunk.created:
            record_added(tx, identifier)
    for customer in chunk.changed.values():
        sayings.note(tx, customer, chunk.before[customer.id])
    if chunk.created:
        await insert_customers(tx, list(chunk.created.values()), sayings)
    else:
        await sayings.keep(tx)
    if chunk.changed:
        await save(tx, list(chunk.changed.values()))
    return Applied(len(chunk.created), notes, chunk.refused)


def _marked(draft: Draft, shared: set[Key]) -> Draft:
    """The row, in which what is known to be shared says so."""
    handles = (replace(h, shared=True) if h.key in shared else h for h in draft.handles)
    return replace(draft, handles=tuple(handles))


def _apply(
    tx: Transaction, chunk: _Chunk, index: int, draft: Draft, relationship_manager: str
) -> list[Violation]:
    """Apply one row, and tell what one may not expect of it."""
    held, certain = _match(chunk, draft)
    if held and certain and not draft.confirmed:
        clash = strangers(held.customer, _said(held, draft), held.identifiers, draft.handles)
        if clash:
            chunk.refused.add(index)
            where = path_of(clash[0], draft.profile["kind"])
            return [Violation(where, "NAME_DIFFERS", _STRANGERS)]
    notes: list[Violation] = []
    if held is None:
        free = [h for h in draft.handles if chunk.is_free(h)]
        held = prepare(tx, Draft(draft.profile, tuple(free)), relationship_manager)
        chunk.created[held.customer.id] = held
        new = held.identifiers
    else:
        fields, renames = _change(tx, chunk, held, draft, notes, certain=certain)
        # An address that finds another name proves nothing: the row's id would rename the next time.
        kept = [h for h in draft.handles if not (renames and not certain and h.strong)]
        new = _bring(tx, chunk, held, kept, notes)
        if held.customer.id in chunk.created:
            held.customer.version = 1  # it is still being made
        elif fields or new:
            _record_changed(tx, held.customer, fields)
            chunk.changed[held.customer.id] = held.customer
    own = chunk.whose.get(held.customer.id, held.customer.id)
    for position, handle in enumerate(draft.handles):
        where = f"identifiers[{position}].value"
        others = {chunk.whose[name] for name in chunk.names_with(handle.key)} - {own}
        if others and not chunk.is_free(handle):
            owner = CUSTOMER.format(next(iter(others)))
            notes.append(
                Violation(where, "IDENTIFIER_TAKEN", f"belongs to {owner}, another customer: it stays there")
            )
        elif others:
            told = "another customer has this too: it proves nothing, and joined nobody"
            notes.append(Violation(where, "IDENTIFIER_SHARED", told))
        elif unsure := doubt(handle):
            notes.append(Violation(where, *unsure))
    chunk.add(held, new)
    return notes


def _match(chunk: _Chunk, draft: Draft) -> tuple[Held | None, bool]:
    """By which name the row is about whom, and whether an id or account number says so.

    A number, or what is shared, alone finds the one customer who has it and is called the same.
    """
    for handle in in_match_order(draft.handles):
        for name in chunk.names_with(handle.own_key):
            held = chunk.of_name(name)
            if not conflicting(handle, held.identifiers, draft.handles):
                return held, handle.strong
    if any(handle.own_key for handle in draft.handles):
        return None, False
    names = {name for handle in draft.handles for name in chunk.names_with(handle.key)}
    alike = {chunk.whose[name]: name for name in names if same_name(chunk.named[name], draft.profile)}
    return (chunk.of_name(*alike.values()) if len(alike) == 1 else None), False


def _said(held: Held, draft: Draft) -> dict[str, str]:
    """What the row says of its customer, who is called by an id no longer than until a name comes.

    Who is known as a person stays one: an organization in the row is where they are.
    """
    said = {field: value for field, value in draft.profile.items() if value}
    if held.customer.kind == PERSON:
        said.pop("kind", None)
    return dict(without_stand_in(held, said))


def _change(
    tx: Transaction, chunk: _Chunk, held: Held, draft: Draft, notes: list[Violation], *, certain: bool
) -> tuple[list[str], bool]:
    """Bring the row's profile to its customer: the fields that changed, and whether another name came."""
    changes = _said(held, draft)
    chunk.before.setdefault(held.customer.id, provenance.profile(held.customer))
    for name in provenance.kept_back(held.customer, changes, chunk.sayings.teller(tx), chunk.attributes):
        if changes.pop(name) and name != "kind":
            notes.append(Violation(path_of(name, draft.profile["kind"]), "VALUE_KEPT", _KEPT))
    clash = name_conflict(held.customer, changes, held.identifiers, certain=certain)
    where = path_of(clash[0], draft.profile["kind"]) if clash else ""
    if clash and certain:
        notes.append(Violation(where, RENAMED, f"{held.customer.name} had another name until now"))
    elif clash:  # whose birthday and address these are nobody knows either
        changes = {f: changes[f] for f in _SHARED if f in changes and not getattr(held.customer, f)}
        told = f"{held.customer.name} has another name, and keeps it: an e-mail address is no proof"
        notes.append(Violation(where, "NAME_KEPT", told))
    if brought := changes.get("addresses"):
        changes["addresses"], left_out = with_addresses(held.customer.addresses, brought)
        if left_out:
            told = f"a customer has at most {MAX_ADDRESSES}: {left_out} of the row's are left out"
            notes.append(Violation("addresses", "TOO_MANY_ADDRESSES", told))
    return held.customer.change(changes, tx.now), bool(clash)


def _bring(
    tx: Transaction, chunk: _Chunk, held: Held, handles: Sequence[Handle], notes: list[Violation]
) -> list[Identifier]:
    """The identifiers that a row adds to its customer: those that are nobody's, as far as there is room."""
    missing = [
        h for h in distinct(handles) if chunk.is_free(h) and not any(same(i, h) for i in held.identifiers)
    ]
    room = MAX_IDENTIFIERS - len(held.identifiers)
    if len(missing) > room:
        told = f"a customer has at most {MAX_IDENTIFIERS}: {len(missing) - room} of the row's are left out"
        notes.append(Violation("identifiers", "TOO_MANY_IDENTIFIERS", told))
    new = [identified(tx, held.customer.id, handle) for handle in missing[:room]]
    held.identifiers += new
    return new


def _record_changed(tx: Transaction, customer: Customer, fields: list[str]) -> None:
    """Tell which profile fields changed; a customer that only got identifiers counts a change for them."""
    if fields:
        tx.record(fact_of(CustomerUpdated, customer, updated_fields=fields), version=customer.version)
    else:
        customer.touch(tx.now)
