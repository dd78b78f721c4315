"""Parameters of matching: what is believed to begin with, and what is learned from the customers."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from chassis import ids
from chassis.api.entities import found, write
from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from customer.domain.facts import MatchParametersActivated, MatchParametersCreated
from customer.domain.match_features import FIELDS
from customer.domain.match_jobs import MatchParameters, NotLearned
from customer.names import MATCH_PARAMETERS
from customer.store import matches as store
from customer.usecases.match_sample import pick, records_of
from rapport_identity import training
from rapport_identity.parameters import Parameters

LEARN_FROM_MIN = 200
_LOCK = "match-parameters"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Learned:
    """Parameters, and from how many customers they were learned."""

    parameters: Parameters
    customer_count: int


async def seed_parameters(db: Database) -> None:
    """Make sure that there are parameters: those that are believed of any data, until others are learned."""
    with acting(Call("seed", service_itself(db.service))):
        async with db.transaction() as tx:
            await LOCK_NAME.run(tx, name=_LOCK)
            if await store.IN_FORCE.maybe(tx) is None:  # nobody is told: nobody did anything
                await _keep(tx, training.believed(FIELDS), learned=False)


async def learn(db: Database) -> Learned | NotLearned:
    """Learn parameters from the customers, or from some of very many.

    Or why not: there is too little, or what was learned is not of single persons. What is in force stays so.

    Reads by short statements, in no transaction, and learns in another thread, so that calls are answered
    meanwhile: some seconds at most.
    """
    sample = await pick(db)
    records = await records_of(db, sample)
    if len(records) < LEARN_FROM_MIN:
        return NotLearned.TOO_FEW
    parameters = await asyncio.to_thread(sample.learned, records)
    if not training.is_of_people(parameters):
        _log.warning("what was learned is of people who live or work together, and is left")
        return NotLearned.TOGETHER
    return Learned(parameters, len(records))


async def put_in_force(tx: Transaction, learned: Learned, match_job: str) -> MatchParameters:
    """Have what was learned be what matches are weighed by from now on."""
    await LOCK_NAME.run(tx, name=_LOCK)
    kept = await _keep(tx, learned.parameters, learned=True, customer_count=learned.customer_count)
    tx.record(fact_of(MatchParametersCreated, kept, match_job=match_job), version=1)
    return kept


async def activate_match_parameters(tx: Transaction, *, match_parameters_id: UUID) -> MatchParameters:
    """Have these parameters be what matches are weighed by from now on, unless they are. NotFound."""
    await LOCK_NAME.run(tx, name=_LOCK)
    parameters = await found(tx, MATCH_PARAMETERS, store.LOCKED_PARAMETERS, match_parameters_id)
    in_force = (await store.IN_FORCE.one(tx))["id"]
    if parameters.id == in_force:
        return parameters
    parameters.activate_time, parameters.version = await _now(tx), parameters.version + 1
    previous = MATCH_PARAMETERS.format(in_force)
    fact = fact_of(MatchParametersActivated, parameters, previous_match_parameters=previous)
    tx.record(fact, version=parameters.version)
    await write(tx, store.SAVE_PARAMETERS, parameters)
    return parameters


async def _now(tx: Transaction) -> datetime:
    """The time, but after those in force came in force: clocks differ."""
    in_force = await store.IN_FORCE.maybe(tx)
    return max(tx.now, in_force["activate_time"] + timedelta(microseconds=1)) if in_force else tx.now


async def _keep(
    tx: Transaction, parameters: Parameters, *, learned: bool, customer_count: int = 0
) -> MatchParameters:
    document, new_id, now = parameters.to_json(), ids.uuid7(tx.now), await _now(tx)
    kept = MatchParameters(
        new_id,
        parameters.version,
        learned,
        customer_count,
        document,
        create_time=now,
        activate_time=now,
    )
    await store.INSERT_PARAMETERS.run(tx, **values(kept))
    return kept
