"""What customers would be after the rows of a preview that were looked at: later rows find them so."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from chassis.db.transaction import Transaction
from customer.domain.customers import Customer
from customer.domain.identifiers import Identifier, Key
from customer.store import imports as store


@dataclass(slots=True)
class Previewed:
    """A customer as they would be, and the handles that they would have got."""

    customer: Customer
    added: list[Identifier]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Previewed)


@dataclass(slots=True)
class Ahead:
    """What the rows before would have done, as far as these rows meet it; nothing where rows are applied."""

    names: list[tuple[Key, UUID]] = field(default_factory=list)
    shared: set[Key] = field(default_factory=set)
    customers: dict[UUID, Previewed] = field(default_factory=dict)

    async def find(self, tx: Transaction, job_id: UUID, keys: Iterable[Key]) -> None:
        """Who would have these handles."""
        digests = {_digest(key): key for key in keys}
        for each in await store.PREVIEWED_KEYS.all(tx, job_id=job_id, digests=list(digests)):
            key = digests[each.digest]
            self.names.append((key, each.customer_id))
            if each.shared:
                self.shared.add(key)

    async def read(self, tx: Transaction, job_id: UUID, names: Collection[UUID]) -> None:
        """What these would be."""
        rows = await store.PREVIEWED.all(tx, job_id=job_id, customer_ids=sorted(names))
        self.customers = {row.customer_id: _DECODER.decode(row.held) for row in rows}

    async def keep(
        self, tx: Transaction, job_id: UUID, customers: Iterable[Customer], added: Iterable[Identifier]
    ) -> None:
        """Keep what these would be now, with what they would have got."""
        held = {
            each.id: Previewed(each, list(before.added) if (before := self.customers.get(each.id)) else [])
            for each in customers
        }
        keys = {}
        for identifier in added:
            held[identifier.customer_id].added.append(identifier)
            if identifier.key:
                row = store.PreviewedKey(
                    job_id, _digest(identifier.key), identifier.customer_id, identifier.shared
                )
                keys[row.digest, row.customer_id] = row
        rows = [store.PreviewedCustomer(job_id, name, _ENCODER.encode(each)) for name, each in held.items()]
        await store.SAVE_PREVIEWS.rows(tx, rows)
        await store.SAVE_PREVIEW_KEYS.rows(tx, list(keys.values()))


def _digest(key: Key) -> bytes:
    return hashlib.sha256(json.dumps(key).encode()).digest()
