"""A chunk of an import's rows: whom they may be about, what they do to whom, and how that is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.errors import Aborted
from customer.domain.attributes import Attribute
from customer.domain.customers import Customer
from customer.domain.identifiers import NUMBERS, Draft, Handle, Identifier, Key
from customer.domain.import_effects import Effect
from customer.domain.imports import ImportJob
from customer.names import CUSTOMER
from customer.store import imports as store
from customer.store.identifiers import known_shared, names_with
from customer.store.tables import identifiers_of
from customer.usecases.claims import claim
from customer.usecases.customers import Held, insert_customers, record_added, save
from customer.usecases.import_previews import Ahead
from customer.usecases.people import lock_people
from customer.usecases.provenance import Sayings, profile_attributes


@dataclass(slots=True)
class Chunk:
    """The customers that rows may match, with what the rows before did to them.

    A row is of the name that has its handle: the person whose name it is decides whether that may be, and
    the name gets what the row says. So a merge of two records of one system is none of their profiles.
    """

    job: ImportJob
    sayings: Sayings
    ahead: Ahead
    names: dict[Key, set[UUID]]  # which have a handle
    whose: dict[UUID, UUID]  # the customer whose each name is
    named: dict[UUID, Customer]  # by name
    shared: set[Key]  # handles that are known to be shared, or that are nobody's and a row says so
    known: dict[UUID, Held]
    attributes: Mapping[str, Attribute]  # of the profile's fields
    created_lines: dict[UUID, int]  # of the customers whom this job created
    created: dict[UUID, Held] = field(default_factory=dict)
    changed: dict[UUID, Customer] = field(default_factory=dict)
    added: list[Identifier] = field(default_factory=list)
    before: dict[UUID, dict[str, str]] = field(default_factory=dict)  # profiles, of those that are known
    refused: set[int] = field(default_factory=set)
    facts: list[tuple[Any, int]] = field(default_factory=list)  # what to tell of those who change
    effects: list[Effect] = field(default_factory=list)

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

    def called(self, customer_id: UUID) -> str:
        """Who that is, for whoever reads the file: one of its own customers, or one who was known."""
        line = self.created_lines.get(customer_id)
        return f"the customer of line {line}" if line else CUSTOMER.format(customer_id)

    def add(self, held: Held, new: Sequence[Identifier]) -> None:
        """Take in what a name got."""
        self.added += new
        self.named[held.customer.id] = held.customer
        self.whose.setdefault(held.customer.id, held.customer.id)
        self.known.setdefault(held.customer.id, held)
        for identifier in new:
            if identifier.key:
                self.names.setdefault(identifier.key, set()).add(held.customer.id)

    async def write(self, tx: Transaction) -> None:
        """Do what the rows do. Aborted when somebody took a handle meanwhile: try the whole chunk again."""
        for fact, version in self.facts:
            tx.record(fact, version=version)
        if (await claim(tx, self.added)).lost:
            told = "An identifier changed hands meanwhile: try again."
            raise Aborted("REQUEST_IN_FLIGHT", told, retry_after_s=1)
        for identifier in self.added:
            if identifier.customer_id not in self.created:
                record_added(tx, identifier)
        for customer in self.changed.values():
            self.sayings.note(tx, customer, self.before[customer.id])
        if self.created:
            await insert_customers(tx, list(self.created.values()), self.sayings)
        else:
            await self.sayings.keep(tx)
        if self.changed:
            await save(tx, list(self.changed.values()))
        self._complete_effects()

    async def keep_preview(self, tx: Transaction) -> None:
        """Keep what the rows would do, for the rows after them."""
        for customer in self.changed.values():
            self.sayings.note(tx, customer, self.before[customer.id])
        for held in self.created.values():
            self.sayings.note(tx, held.customer, {})
        customers = [*self.changed.values(), *(held.customer for held in self.created.values())]
        await self.ahead.keep(tx, self.job.id, customers, self.added)
        self._complete_effects()

    def _complete_effects(self) -> None:
        said = {each.customer_id: each.id.hex for each in self.sayings.observations}
        for effect in self.effects:
            if effect.customer_id:
                effect.version = self.named[effect.customer_id].version
                effect.observation = said.get(effect.customer_id, "")


async def opened(
    tx: Transaction, job: ImportJob, drafts: Sequence[Draft], sayings: Sayings
) -> tuple[Chunk, list[Draft]]:
    """Whom these rows may be about, locked; and the rows, marked with what is shared.

    In a preview others may look, too, and the customers are as the rows before would have left them.
    """
    keys = {h.key for draft in drafts for h in draft.handles if h.key}
    ahead = Ahead()
    if job.is_preview:
        await ahead.find(tx, job.id, keys)
    names: dict[Key, set[UUID]] = {}
    for key, name in [*await names_with(tx, keys), *ahead.names]:
        names.setdefault(key, set()).add(name)
    said = {h.key for draft in drafts for h in draft.handles if h.shared and h.key} - names.keys()
    shared = said | ahead.shared | await known_shared(tx, names)
    groups, named = await lock_people(
        tx, {name for having in names.values() for name in having}, sharing=job.is_preview
    )
    identifiers = await identifiers_of(tx, groups.members)
    if job.is_preview:
        await ahead.read(tx, job.id, groups.everybody)
    for name, previewed in ahead.customers.items():
        named[name] = previewed.customer
        identifiers[groups.whose[name]] += previewed.added
    known = {each: Held(named[each], identifiers[each]) for each in groups.members}
    lines = await store.CREATED_LINES.all(tx, job_id=job.id, customer_ids=list(named)) if named else ()
    chunk = Chunk(
        job,
        sayings,
        ahead,
        names,
        whose=groups.survivors,
        named=named,
        shared=shared,
        known=known,
        attributes=await profile_attributes(tx) if known else {},
        created_lines={row["customer_id"]: row["line"] for row in lines},
    )
    return chunk, [_marked(draft, shared) for draft in drafts]


def _marked(draft: Draft, shared: set[Key]) -> Draft:
    """The row, in which what is known to be shared says so."""
    handles = (replace(h, shared=True) if h.key in shared else h for h in draft.handles)
    return replace(draft, handles=tuple(handles))
