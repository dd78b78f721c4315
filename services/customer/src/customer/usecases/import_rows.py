"""Applying imported rows: each finds its customer and brings what is missing, or becomes a new customer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.db.transaction import Transaction
from chassis.errors import Violation
from chassis.facts import fact_of
from customer.domain import provenance
from customer.domain.customers import (
    MAX_ADDRESSES,
    PERSON,
    PROFILE_FIELDS,
    Customer,
    path_of,
    with_addresses,
)
from customer.domain.facts import CustomerUpdated
from customer.domain.identifiers import MAX_IDENTIFIERS, Draft, Handle, Identifier, distinct, same
from customer.domain.import_effects import Added, Effect, FieldChange, Outcome, overwrites
from customer.domain.imports import ImportJob, ImportMode, Outcomes
from customer.domain.matching import conflicting, in_match_order, name_conflict, same_name, strangers
from customer.usecases.customers import Held, doubt, identified, prepare, without_stand_in
from customer.usecases.import_chunks import Chunk, opened
from customer.usecases.provenance import Sayings

CHANGED = "CHANGED"
RENAMED = "RENAMED"
_SHARED = ("language_code", "time_zone", "region_code")  # by those who share an address
_KEPT = "somebody said otherwise, or a system that is trusted more: that stays until it is released"
_STRANGERS = (
    "whoever has this id has none of these e-mail addresses, and no name that both have: the id may be "
    "another system's, and is then to be imported as of that one"
)


@dataclass(slots=True)
class Applied:
    """What rows did: for each what one may not expect, which were refused, and what the others did."""

    notes: list[list[Violation]]
    refused: set[int]
    effects: list[Effect]

    @property
    def outcomes(self) -> Outcomes:
        """How many did what."""
        many = Counter(each.outcome for each in self.effects)
        return Outcomes(
            created=many[Outcome.CREATED],
            matched=many[Outcome.KNOWN] + many[Outcome.CORRECTED],
            changed=many[Outcome.CORRECTED],
            renamed=sum(any(note.reason == RENAMED for note in notes) for notes in self.notes),
            skipped=many[Outcome.SKIPPED],
            refused=len(self.refused),
        )


async def apply_rows(
    tx: Transaction,
    job: ImportJob,
    rows: Mapping[int, Draft],
    relationship_manager: str,
    sayings: Sayings,
) -> Applied:
    """Apply rows, by their lines, in their order; of a preview look what they would do.

    A handle that belongs to another customer than the one the row matched stays where it is. A row that
    matched by an id or account number renames; one that matched by anything weaker does not. One that
    would make one of two strangers does nothing, unless it is confirmed. What a person said, or a source that
    is trusted more, stays.
    Aborted when somebody took a handle meanwhile: try the whole chunk again.
    """
    chunk, drafts = await opened(tx, job, list(rows.values()), sayings)
    chunk.effects = [Effect(job.id, line, Outcome.KNOWN, preview=job.is_preview) for line in rows]
    notes = [_apply(tx, chunk, i, draft, relationship_manager) for i, draft in enumerate(drafts)]
    await (chunk.keep_preview(tx) if job.is_preview else chunk.write(tx))
    effects = [each for i, each in enumerate(chunk.effects) if i not in chunk.refused]
    return Applied(notes, chunk.refused, effects)


def _apply(
    tx: Transaction, chunk: Chunk, index: int, draft: Draft, relationship_manager: str
) -> list[Violation]:
    """Apply one row, and tell what one may not expect of it."""
    effect = chunk.effects[index]
    held, by = _match(chunk, draft)
    certain = by is not None and by.strong
    if held:
        effect.customer_id = held.customer.id
        effect.created_line = chunk.created_lines.get(held.customer.id, 0)
        effect.matched = draft.handles.index(by) if by else -1
    if held and certain and not draft.confirmed:
        clash = strangers(held.customer, _said(held, draft), held.identifiers, draft.handles)
        if clash:
            chunk.refused.add(index)
            where = path_of(clash[0], draft.profile["kind"])
            return [Violation(where, "NAME_DIFFERS", _STRANGERS)]
    if chunk.job.mode is (ImportMode.CREATE if held else ImportMode.UPDATE) and not effect.created_line:
        effect.outcome = Outcome.SKIPPED
        return []
    notes: list[Violation] = []
    if held is None:
        free = [h for h in draft.handles if chunk.is_free(h)]
        held = prepare(tx, Draft(draft.profile, tuple(free)), relationship_manager)
        chunk.created[held.customer.id] = held
        chunk.created_lines[held.customer.id] = effect.created_line = effect.line
        effect.outcome, effect.customer_id = Outcome.CREATED, held.customer.id
        new = held.identifiers
    else:
        fields, renames = _change(tx, chunk, effect, held, draft, notes, certain=certain)
        # An address that finds another name proves nothing: the row's id would rename the next time.
        kept = [h for h in draft.handles if not (renames and not certain and h.strong)]
        new = _bring(tx, chunk, held, kept, notes)
        if fields or new:
            effect.outcome = Outcome.CORRECTED
        if held.customer.id in chunk.created:
            held.customer.version = 1  # it is still being made
        elif fields or new:
            _record_changed(tx, chunk, held.customer, fields)
            chunk.changed[held.customer.id] = held.customer
    effect.added = [Added(_position(draft, each), each.id) for each in new]
    notes += _of_handles(chunk, held, draft)
    chunk.add(held, new)
    return notes


def _position(draft: Draft, identifier: Identifier) -> int:
    return next(i for i, handle in enumerate(draft.handles) if same(identifier, handle))


def _of_handles(chunk: Chunk, held: Held, draft: Draft) -> list[Violation]:
    """What is to be known of a row's handles: who has them too, and which reach nobody."""
    notes: list[Violation] = []
    own = chunk.whose.get(held.customer.id, held.customer.id)
    for position, handle in enumerate(draft.handles):
        where = f"identifiers[{position}].value"
        others = {chunk.whose[name] for name in chunk.names_with(handle.key)} - {own}
        if others and not chunk.is_free(handle):
            owner = chunk.called(next(iter(others)))
            notes.append(
                Violation(where, "IDENTIFIER_TAKEN", f"belongs to {owner}, another customer: it stays there")
            )
        elif others:
            told = "another customer has this too: it proves nothing, and joined nobody"
            notes.append(Violation(where, "IDENTIFIER_SHARED", told))
        elif unsure := doubt(handle):
            notes.append(Violation(where, *unsure))
    return notes


def _match(chunk: Chunk, draft: Draft) -> tuple[Held | None, Handle | None]:
    """By which name the row is about whom, and which of its handles says so.

    A number, or what is shared, alone finds the one customer who has it and is called the same.
    """
    for handle in in_match_order(draft.handles):
        for name in chunk.names_with(handle.own_key):
            held = chunk.of_name(name)
            if not conflicting(handle, held.identifiers, draft.handles):
                return held, handle
    if any(handle.own_key for handle in draft.handles):
        return None, None
    by = {name: handle for handle in reversed(draft.handles) for name in chunk.names_with(handle.key)}
    alike = {chunk.whose[name]: name for name in by if same_name(chunk.named[name], draft.profile)}
    if len(alike) != 1:
        return None, None
    (name,) = alike.values()
    return chunk.of_name(name), by[name]


def _said(held: Held, draft: Draft) -> dict[str, str]:
    """What the row says of its customer, who is called by an id no longer than until a name comes.

    Who is known as a person stays one: an organization in the row is where they are.
    """
    said = {field: value for field, value in draft.profile.items() if value}
    if held.customer.kind == PERSON:
        said.pop("kind", None)
    return dict(without_stand_in(held, said))


def _change(
    tx: Transaction,
    chunk: Chunk,
    effect: Effect,
    held: Held,
    draft: Draft,
    notes: list[Violation],
    *,
    certain: bool,
) -> tuple[list[str], bool]:
    """Bring the row's profile to its customer: the fields that changed, and whether another name came."""
    changes = _said(held, draft)
    chunk.before.setdefault(held.customer.id, provenance.profile(held.customer))
    for name in provenance.kept_back(held.customer, changes, chunk.sayings.teller(tx), chunk.attributes):
        if changes.pop(name) and name != "kind":
            notes.append(Violation(path_of(name, draft.profile["kind"]), "VALUE_KEPT", _KEPT))
    clash = name_conflict(held.customer, changes, held.identifiers, certain=certain)
    where, called = path_of(clash[0], draft.profile["kind"]) if clash else "", chunk.called(held.customer.id)
    if clash and certain:
        notes.append(Violation(where, RENAMED, f"{called} had another name until now"))
    elif clash:  # whose birthday and address these are nobody knows either
        changes = {f: changes[f] for f in _SHARED if f in changes and not getattr(held.customer, f)}
        told = f"{called} has another name, and keeps it: an e-mail address is no proof"
        notes.append(Violation(where, "NAME_KEPT", told))
    if brought := changes.get("addresses"):
        changes["addresses"], left_out = with_addresses(held.customer.addresses, brought)
        if left_out:
            told = f"a customer has at most {MAX_ADDRESSES}: {left_out} of the row's are left out"
            notes.append(Violation("addresses", "TOO_MANY_ADDRESSES", told))
    before = {name: getattr(held.customer, name) for name in PROFILE_FIELDS}
    fields = held.customer.change(changes, tx.now)
    effect.changes = _changes(held.customer, before) if fields else []
    notes += [
        Violation(each.path, CHANGED, f"{called} had another value until now")
        for each in effect.changes
        if each.overwrites and not (clash and each.name in clash)
    ]
    return fields, bool(clash)


def _changes(customer: Customer, before: Mapping[str, str]) -> list[FieldChange]:
    """What is another now, and whose word that was."""
    said = provenance.sources(customer)
    return [
        FieldChange(
            name,
            customer.kind.lower() if name == "kind" else path_of(name, customer.kind),
            before[name],
            getattr(customer, name),
            overwrites(name, before[name], getattr(customer, name)),
            [each.observation, each.teller, "!" if each.held else ""] if (each := said.get(name)) else [],
        )
        for name in PROFILE_FIELDS
        if getattr(customer, name) != before[name]
    ]


def _bring(
    tx: Transaction, chunk: Chunk, held: Held, handles: Sequence[Handle], notes: list[Violation]
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


def _record_changed(tx: Transaction, chunk: Chunk, customer: Customer, fields: list[str]) -> None:
    """Note which profile fields changed; a customer that only got identifiers counts a change for them."""
    if fields:
        fact = fact_of(CustomerUpdated, customer, updated_fields=fields)
        chunk.facts.append((fact, customer.version))
    else:
        customer.touch(tx.now)
