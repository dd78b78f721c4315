"""Customers' inboxes: putting messages there, noting that they were read, and what that says of notices."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

from prometheus_client import Counter

from chassis.db.aliases import groups_of
from chassis.db.database import Database
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.events.broadcast import Broadcast
from chassis.work.timers import Timer
from notifications.domain.attempt import Delivery, Receipt
from notifications.domain.inbox_message import InboxMessage
from notifications.domain.notice import State
from notifications.names import INBOX_MESSAGE, NOTICE
from notifications.store import inbox as store
from notifications.store.tables import GET_NOTICE
from notifications.usecases.receipt import record_receipt

NAME = "providers/inbox"
READ_TIMER, EXPIRY_TIMER = "inbox-read", "inbox-expiry"
SHOWN_AT_ONCE = 100  # of what is unread, to who begins to watch
EVERY, PACE = timedelta(hours=6), timedelta(seconds=1)  # a round of deleting, and a page of it
PAGE = 1000
_SOON = timedelta(seconds=5)
_READ = "read"
MESSAGES = Counter("rapport_inbox_messages", "Messages in customers' inboxes, put there or read.", ["act"])


class Inboxes:
    """Wakes who watches an inbox when it changes, here or in another replica, of which word may be lost."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._watchers: defaultdict[bytes, set[asyncio.Event]] = defaultdict(set)
        broadcast.listen(self._wake)

    @contextmanager
    def watched(self, customer_ids: Iterable[UUID]) -> Iterator[asyncio.Event]:
        """An event that is set whenever the inbox of one of these names may have changed."""
        event, keys = asyncio.Event(), [each.bytes for each in customer_ids]
        for key in keys:
            self._watchers[key].add(event)
        try:
            yield event
        finally:
            for key in keys:
                self._watchers[key].discard(event)
                if not self._watchers[key]:
                    del self._watchers[key]

    def changed(self, customer_id: UUID) -> None:
        """The inbox of that name has changed, and that is committed."""
        self._wake(customer_id.bytes)
        self._broadcast.send(customer_id.bytes)

    def _wake(self, key: bytes) -> None:
        for event in self._watchers.get(key, ()):
            event.set()


async def put(db: Database, inboxes: Inboxes, message: InboxMessage) -> None:
    """Put a message into its customer's inbox, once, however often it is handed over."""
    async with db.transaction() as tx:
        if await store.PUT.maybe(tx, **values(message)) is None:
            return
        tx.after_commit(partial(inboxes.changed, message.customer_id))
        tx.after_commit(MESSAGES.labels("put").inc)


async def unread_of(on: Executor, customer_id: UUID) -> int:
    """How many messages a customer has not read."""
    count: int = (await store.COUNT_UNREAD.one(on, customer_id=customer_id))["count"]
    return count


async def mark_read(
    tx: Transaction, inboxes: Inboxes, *, customer_id: UUID, inbox_message_ids: list[tuple[UUID, UUID]]
) -> int:
    """Note that a customer has read messages; how many are unread then. NotFound, of none that is theirs."""
    theirs = set((await groups_of(tx, [customer_id])).everybody)
    if absent := [each for each in inbox_message_ids if each[0] not in theirs]:
        raise NotFound(INBOX_MESSAGE.format(*absent[0]))
    asked = [each for _, each in inbox_message_ids]
    messages = await store.LOCK_SOME.all(tx, ids=asked, customer_id=customer_id)
    found = {each.id for each in messages}
    if absent := [each for each in inbox_message_ids if each[1] not in found]:
        raise NotFound(INBOX_MESSAGE.format(*absent[0]))
    if unread := [each for each in messages if each.read_time is None]:
        await store.MARK_READ.run(tx, ids=[each.id for each in unread], read_time=tx.now)
    for each in unread:
        tx.touch(each.name)
        await tx.schedule(READ_TIMER, f"{each.customer_id}/{each.id}", tx.now)
        tx.after_commit(MESSAGES.labels(_READ).inc)
    for changed in {each.customer_id for each in unread}:
        tx.after_commit(partial(inboxes.changed, changed))
    return await unread_of(tx, customer_id)


async def note_delivered(tx: Transaction, timer: Timer) -> None:
    """What was read has arrived, also where the answer to its hand-over was lost."""
    whose, message_id = map(UUID, timer.key.split("/"))
    message = await store.GET.maybe(tx, customer_id=whose, id=message_id)
    if message is None or message.read_time is None:
        return
    notice = await GET_NOTICE.one(tx, id=NOTICE.ids(message.notice)[0])
    if notice.state is State.SENDING:  # read before the hand-over was recorded
        await tx.schedule(READ_TIMER, timer.key, tx.now + _SOON)
        return
    await record_receipt(tx, NAME, message.key, Receipt(Delivery.DELIVERED, _READ, message.read_time), ())


async def delete_expired(tx: Transaction, timer: Timer) -> None:
    """Delete a page of what has expired, and come back for more."""
    gone = await store.DELETE_EXPIRED.all(tx, now=tx.now, page=PAGE)
    await tx.schedule(EXPIRY_TIMER, timer.key, tx.now + (PACE if len(gone) == PAGE else EVERY))
