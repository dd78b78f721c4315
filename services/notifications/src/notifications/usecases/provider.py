"""Having a provider tried before its time."""

from chassis import work
from chassis.api.entities import found, write
from chassis.db.transaction import Transaction
from notifications.domain.provider import MEASURED, ProviderFigures
from notifications.names import PROVIDER
from notifications.store import providers as store
from notifications.usecases.notice import SEND

ASK_AT_ONCE = 1000  # of what waits; the others ask at their time, when they see whether it works


async def try_provider(tx: Transaction, *, provider_id: str) -> ProviderFigures:
    """Have the next message try an unavailable provider; any other stays as it is. NotFound."""
    provider = await found(tx, PROVIDER, store.LOCK_PROVIDER, provider_id)
    if provider.try_now(tx.now):
        await write(tx, store.UPDATE_PROVIDER, provider)
        waiting = await store.WAITING_FOR.all(tx, provider=provider_id, at_most=ASK_AT_ONCE)
        await work.bring_forward(tx, SEND, [str(each["id"]) for each in waiting])
    return await store.SHOW_PROVIDER.one(tx, id=provider_id, since=tx.now - MEASURED)
