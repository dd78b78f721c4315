"""Parameters of matching: what is believed to begin with, and what is learned from the customers."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chassis import ids
from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from customer.domain.facts import MatchParametersCreated
from customer.domain.match_features import FIELDS
from customer.domain.match_jobs import MatchParameters
from customer.store import matches as store
from customer.usecases.match_records import load
from rapport_identity import training
from rapport_identity.matching import Candidates
from rapport_identity.parameters import Parameters
from rapport_identity.record import Record

LEARN_FROM_MIN = 200
LEARN_FROM_MAX = 3000
_BEAT_S = 2.0
_SEEDS = 1000  # of more than can be learned from at once: some, with all who share a key with them


async def seed_parameters(db: Database) -> None:
    """Make sure that there are parameters: those that are believed of any data, until others are learned."""
    with acting(Call("seed", service_itself(db.service))):
        async with db.transaction() as tx:
            await LOCK_NAME.run(tx, name="match-parameters")
            if await store.IN_FORCE.maybe(tx) is None:  # nobody is told: nobody did anything
                await _keep(tx, training.believed(FIELDS), learned=False)


async def learn(tx: Transaction, match_job: str) -> MatchParameters | None:
    """Learn parameters from the customers, or from some of very many; None where there is too little.

    In another thread, so that calls are answered meanwhile: some seconds at most.
    """
    total, sample = await _sample(tx)
    known = await load(tx, sample)
    records = [each.record for each in known.values() if each.record.values]
    if len(records) < LEARN_FROM_MIN:
        return None
    learning = asyncio.create_task(asyncio.to_thread(_learned, records, total))
    while not (await asyncio.wait([learning], timeout=_BEAT_S))[0]:
        await store.IN_FORCE.maybe(tx)  # a transaction that asks nothing for long is ended
    parameters = await learning
    kept = await _keep(tx, parameters, learned=True, customer_count=len(records))
    tx.record(fact_of(MatchParametersCreated, kept, match_job=match_job), version=1)
    return kept


def _learned(records: Sequence[Record], total: int) -> Parameters:
    ordered = sorted(records, key=lambda record: record.id)  # the same customers teach the same
    return Candidates(ordered, FIELDS, population=total).learn()


async def _sample(tx: Transaction) -> tuple[int, Sequence[UUID]]:
    """How many customers have keys, and those to learn from."""
    total = (await store.COUNT_RECORDS.one(tx))["customers"]
    if total <= LEARN_FROM_MAX:
        everybody = await store.SAMPLE.all(tx, percent=100.0, limit=LEARN_FROM_MAX)
        return total, [each.customer_id for each in everybody]
    percent = min(100.0, 200.0 * _SEEDS / total)
    seeds = await store.SAMPLE.all(tx, percent=percent, limit=_SEEDS)
    found = dict.fromkeys(each.customer_id for each in seeds)
    holders, _ = await store.holders_of_keys(tx, {key for each in seeds for key in each.keys})
    for sharing in holders.values():
        found.update(dict.fromkeys(sharing))
    return total, list(found)[:LEARN_FROM_MAX]


async def _keep(
    tx: Transaction, parameters: Parameters, *, learned: bool, customer_count: int = 0
) -> MatchParameters:
    document, new_id = parameters.to_json(), ids.uuid7(tx.now)
    kept = MatchParameters(new_id, parameters.version, learned, customer_count, document, tx.now)
    await store.INSERT_PARAMETERS.run(tx, **values(kept))
    return kept
