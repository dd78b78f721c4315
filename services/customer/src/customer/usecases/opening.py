"""Knowing a link to customers' own pages again."""

from chassis.db.statement import Executor
from customer.domain.links import Holder, LinkKeys, LinkNotFound, parsed
from customer.store import links as store


async def linked(on: Executor, keys: LinkKeys, token: str) -> Holder:
    """Whose link it is. LinkNotFound."""
    customer_id, _ = parsed(token)
    held = await store.LINKED.maybe(on, id=customer_id)
    if not keys.opens(token, held) or held is None:
        raise LinkNotFound()
    return held
