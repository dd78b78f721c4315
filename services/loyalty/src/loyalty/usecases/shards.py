"""Having the clock see to what is due, shard by shard."""

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from loyalty.domain.shards import SHARDS


async def expect_shards(db: Database, timer: str, shards: int = SHARDS) -> None:
    """Have somebody look at what is due, of each shard at its own time, from now on."""
    with acting(Call("start", service_itself(db.service))):
        async with db.transaction() as tx:
            for shard in range(shards):
                await tx.schedule(timer, str(shard), tx.now)
