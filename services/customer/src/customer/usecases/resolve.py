"""From handles to customers, creating those that are missing: once, however many ask at the same time.

And what a text to search by may mean: a customer, a handle, the end of a number, words.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.api.text import TURNS
from chassis.db.statement import LOCK_NAMES
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, NotFound
from customer.domain.identifiers import NUMBERS, Draft, Handle, IdentifierType, Key, shared, taken
from customer.names import CUSTOMER
from customer.store.identifiers import known_shared, owners_of
from customer.store.tables import DELETE_IDENTIFIERS_OF
from customer.usecases.claims import claim
from customer.usecases.customers import Held, insert_customers, judge, prepare, refuse_taken
from customer.usecases.provenance import Sayings, calling_source

_ANY = "customers/-"  # a handle is never repeated, so of nobody's there is no other name to tell
CHARACTERS_MIN = 2
DIGITS_MIN = 4
# What is dialled before a number, at home and to go abroad, and how much of a number there is behind it.
_DIALLED = ("0", "1", "8", "06", "80", "00", "011", "0011", "810")
_NUMBER_MIN = 6
_TRUNK = re.compile(r"(?<=\d)[\s./-]*[(\[]\s*0\s*[)\]]")  # `0049 (0)30`: dialled at home only
_OF_SYSTEMS = (IdentifierType.EXTERNAL_ID, IdentifierType.SOCIAL)


@dataclass(frozen=True, slots=True)
class Ask:
    """Whose handle is this? With `new`, make that customer when it is nobody's."""

    field: str
    handle: Handle
    new: Draft | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The customer that a handle belongs to."""

    customer_id: UUID
    created: bool


async def resolve_customers(
    tx: Transaction, asks: Sequence[Ask], relationship_manager: str, *, missing_allowed: bool = False
) -> list[Resolved | None]:
    """Answer every ask, in order; the first of several asks for one new handle creates the customer.

    With `missing_allowed`, a handle that is nobody's and is not to create is answered by None.

    NotFound for such a handle otherwise; FailedPrecondition IDENTIFIER_SHARED for a handle of several
    customers; AlreadyExists IDENTIFIER_TAKEN when a customer to be created has a further handle that is
    another's.
    """
    several_may_have = {str(ask.handle.key) for ask in asks if ask.new and not ask.handle.own_key}
    if several_may_have:  # nobody else makes a customer for them meanwhile
        await LOCK_NAMES.run(tx, names=list(several_may_have))
    owners = await _owners_of(tx, asks)
    joined = await _known_shared(tx, asks)
    planned: dict[UUID, Held] = {}
    first: dict[UUID, Ask] = {}
    for ask in asks:
        if _key(ask.handle) in owners:
            continue
        if ask.new is None:
            if missing_allowed:
                continue
            if len(asks) > 1:  # which ones are known would be a reading of customers whom nothing names
                raise NotFound(_ANY, "A handle of these is nobody's: allow_missing tells of each.")
            raise NotFound(_ANY, f"No customer has the handle in {ask.field}.")
        held = prepare(tx, Draft(ask.new.profile, (ask.handle, *ask.new.handles)), relationship_manager)
        for identifier in held.identifiers:
            if not identifier.key:
                continue
            owner = owners.setdefault(identifier.key, held.customer.id)
            if identifier.own_key and identifier.key not in joined and owner != held.customer.id:
                raise taken(ask.field, CUSTOMER.format(owners[identifier.key]))
        planned[held.customer.id], first[held.customer.id] = held, ask
    beaten = await _create(tx, planned, first, owners) if planned else set()
    if beaten.intersection(owners.get(_key(ask.handle)) for ask in asks):
        raise _changed_hands()  # a further handle of a customer that is not to be
    creators = {id(ask): customer_id for customer_id, ask in first.items() if customer_id in planned}
    found = ((owners.get(_key(ask.handle)), id(ask) in creators) for ask in asks)
    return [Resolved(customer_id, created) if customer_id else None for customer_id, created in found]


async def holders_of(tx: Transaction, handles: Iterable[Handle]) -> dict[Key, set[UUID]]:
    """The customers that have handles, by key; a handle that is nobody's has no entry."""
    keys = {handle.key for handle in handles if handle.key}
    holders: dict[Key, set[UUID]] = {}
    for key, customer_id in await owners_of(tx, keys):
        holders.setdefault(key, set()).add(customer_id)
    return holders


async def _owners_of(tx: Transaction, asks: Sequence[Ask]) -> dict[Key, UUID]:
    """The one customer of each handle. IDENTIFIER_SHARED when there are several."""
    holders = await holders_of(tx, (ask.handle for ask in asks))
    for ask in asks:
        if len(holders.get(_key(ask.handle), ())) > 1:
            raise shared(ask.field)
    return {key: next(iter(customers)) for key, customers in holders.items()}


async def _known_shared(tx: Transaction, asks: Sequence[Ask]) -> set[Key]:
    """Which handles of customers to be created are known to be shared: those join whoever has them."""
    handles = (handle for ask in asks if ask.new for handle in (ask.handle, *ask.new.handles))
    return await known_shared(tx, {handle.key for handle in handles if handle.own_key and handle.key})


async def _create(
    tx: Transaction, planned: dict[UUID, Held], first: dict[UUID, Ask], owners: dict[Key, UUID]
) -> set[UUID | None]:
    """Create the planned customers, but for those whose handle somebody else has taken meanwhile: these."""
    claimed = await claim(tx, [identifier for held in planned.values() for identifier in held.identifiers])
    others = [*claimed.lost, *claimed.joined]
    beaten = {i.customer_id for i in others if i.key == first[i.customer_id].handle.key}
    for identifier in claimed.lost:
        if identifier.customer_id not in beaten:
            await refuse_taken(tx, identifier, first[identifier.customer_id].field)
    if beaten:
        await DELETE_IDENTIFIERS_OF.run(tx, customer_ids=list(beaten))
        lost_asks = [first[customer_id] for customer_id in beaten]
        winners = await _owners_of(tx, lost_asks)
        if len(winners) < len({ask.handle.key for ask in lost_asks}):
            raise _changed_hands()
        owners.update(winners)
        for customer_id in beaten:
            del planned[customer_id]
    if planned:
        await insert_customers(tx, list(planned.values()), Sayings(calling_source(tx)))
    return set(beaten)


def _changed_hands() -> Aborted:
    return Aborted("REQUEST_IN_FLIGHT", "The identifier changed hands meanwhile: try again.", retry_after_s=1)


def _key(handle: Handle) -> Key:
    assert handle.key is not None, "a handle without a key resolves to nobody: refuse it before"
    return handle.key


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that a text may mean: what has any of it is found."""

    customer_id: UUID | None  # the customer whose name it is
    # Handles as they are matched: type, system or None for any, and value.
    keys: frozenset[tuple[IdentifierType, str | None, str]]
    ends: frozenset[str]  # how numbers end: digits, or an E.164 number whole, with its plus
    text: str  # the text, for its words

    def parameters(self) -> dict[str, Any]:
        """What `customer.store.search.FOUND` takes."""
        types, systems, values = map(list, zip(*self.keys, strict=True)) if self.keys else ([], [], [])
        keys = {"types": types, "systems": systems, "values": values}
        ends = [end[::-1] for end in self.ends]
        return {"customer_id": self.customer_id, **keys, "ends": ends, "text": self.text}


def wanted(text: str) -> Wanted:
    """What is searched for by a text."""
    text = TURNS.sub("", text).strip()  # what is copied comes with them; no handle or name has any
    named = CUSTOMER.match(text)
    return Wanted(named[0] if named else None, frozenset(_keys(text)), frozenset(_ends(text)), text)


def _keys(text: str) -> Iterator[tuple[IdentifierType, str | None, str]]:
    system, _, value = text.partition(":")
    for kind in IdentifierType:
        for spelling in (text, _plain(text)) if kind in NUMBERS else (text,):
            if whole := judge(kind, "", spelling, "").normalized_value:
                yield kind, None, whole
        if kind in _OF_SYSTEMS and (of_system := judge(kind, system, value, "").normalized_value):
            yield kind, system.casefold(), of_system


def _plain(text: str) -> str:
    """A number as it is copied from mails, tables and web pages, without what only shows there.

    No-break and thin spaces, full-width signs, and what turns the direction of text or cannot be seen.
    """
    shown = (each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf")
    return _TRUNK.sub(" ", " ".join("".join(shown).split()))


def _ends(text: str) -> Iterator[str]:
    """With its country's code a number is known; without, it is one of any country that ends like that.

    So is one that begins with 00: it is the way abroad nearly everywhere, and what is dialled elsewhere.
    """
    text = _plain(text)
    number = "" if text.startswith("00") else judge(IdentifierType.PHONE, "", text, "").normalized_value
    if number:
        if ";" not in number:  # who says no extension may mean any
            yield number
        return
    digits = "".join(str(unicodedata.decimal(each)) for each in text if each.isdecimal())
    if len(digits) < DIGITS_MIN or any(each.isalpha() for each in text):
        return
    yield digits
    for dialled in _DIALLED:
        if digits.startswith(dialled) and len(digits) - len(dialled) >= _NUMBER_MIN:
            yield digits.removeprefix(dialled)
