"""Stands between the outboxes and the consumers of the services, and is hostile: it holds, repeats, reorders.

What it delivers goes through the consumers' own transaction, inbox first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.app import App
from chassis.db.schema import OUTBOX
from chassis.db.statement import Statement
from chassis.events.envelope import headers
from chassis.inbox.effect import Effect
from chassis.inbox.subscription import Subscription

_SINCE = Statement[Any](
    sa.select(OUTBOX).where(OUTBOX.c.id > sa.bindparam("since", type_=sa.Uuid)).order_by(OUTBOX.c.id)
)


@dataclass(frozen=True)
class Message:
    """A fact on its way to one consumer."""

    effect: Effect
    subscription: Subscription
    headers: Mapping[str, str]
    body: bytes

    @property
    def folded(self) -> bool:
        """Whether it goes to a read model."""
        return self.subscription.batch is not None


class Broker:
    """Every fact of every service, until the test delivers it."""

    def __init__(self, apps: Sequence[App[Any]]) -> None:
        self._apps = apps
        self._routes = [(s, Effect(app.db, s)) for app in apps for s in app.subscriptions]
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was told until now is of no interest."""
        self._since = ids.uuid7(self._apps[0].clock.now())
        self.facts: dict[UUID, Any] = {}  # rows of the outboxes
        self.waiting: list[Message] = []  # for those who act on it
        self.unread: list[Message] = []  # for read models
        self._delivered: list[Message] = []

    async def collect(self) -> None:
        """Take what the services have told since."""
        for app in self._apps:
            for row in await _SINCE.all(app.db, since=self._since):
                if row["id"] not in self.facts:
                    self.facts[row["id"]] = row
                    self._route(app.name, row)

    async def deliver(self, which: int) -> None:
        """Deliver one of those that wait; 0 is the oldest."""
        if self.waiting:
            message = self.waiting.pop(which % len(self.waiting))
            await message.effect.of_one(message)
            self._delivered.append(message)
        await self.collect()

    async def repeat(self, which: int) -> None:
        """Deliver one again; 0 is the latest."""
        if self._delivered:
            message = self._delivered[-1 - which % len(self._delivered)]
            await message.effect.of_one(message)
        await self.collect()

    async def everything(self, chance: Random) -> bool:
        """Deliver all that waits, in any order, and what that leads to. Whether there was something."""
        before = len(self._delivered)
        while self.waiting:
            await self.deliver(chance.randrange(len(self.waiting)))
        return len(self._delivered) > before

    async def read(self, chance: Random) -> None:
        """Have the read models fold everything twice, in any order and in batches of any size."""
        messages = self.unread * 2
        chance.shuffle(messages)
        while messages:
            size = chance.randint(1, 12)
            batch, messages = messages[:size], messages[size:]
            for effect in {id(m.effect): m.effect for m in batch}.values():
                await effect.of_batch([m for m in batch if m.effect is effect])
        self.unread = []

    async def again(self, chance: Random) -> None:
        """Deliver once more what was delivered."""
        for message in chance.sample(self._delivered, len(self._delivered)):
            await message.effect.of_one(message)
        await self.collect()

    def _route(self, source: str, row: Any) -> None:
        for subscription, effect in self._routes:
            if subscription.source == source and row["type"] in subscription.messages:
                message = Message(effect, subscription, headers(row, source), row["data"])
                (self.unread if message.folded else self.waiting).append(message)
