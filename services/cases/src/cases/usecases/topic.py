"""Declaring what cases are about."""

from cases.domain.facts import TopicCreated
from cases.domain.priority import Harm
from cases.domain.topic import Defaults, Topic
from cases.names import AGENT, TOPIC
from cases.store import topics as store
from cases.store.tables import AGENT as AGENT_BY_ID
from cases.usecases.agent import FRONT_DESK
from chassis.api.entities import created, found, own_department, owned, save
from chassis.db.statement import LOCK_NAMES, Executor
from chassis.db.transaction import Transaction
from chassis.facts import Changes, fact_of

_TREE = "topics"  # whose places change one at a time


async def create_topic(
    tx: Transaction,
    *,
    topic_id: str,
    display_name: str,
    department_id: str | None,
    parent_topic_id: str | None,
    default_owner_id: str | None,
    default_harm: Harm | None,
    required_skills: list[str],
    reply_days: int,
) -> Topic:
    """Declare a topic. AlreadyExists RESOURCE_EXISTS, NotFound, FailedPrecondition TOPIC_TOO_DEEP."""
    department = own_department(tx, department_id, "topic.department")
    topic = Topic(
        topic_id,
        display_name,
        department,
        parent_topic_id,
        default_owner_id,
        default_harm,
        tx.now,
        tx.now,
        required_skills,
        reply_days,
    )
    tx.require_owner(topic)
    await _placed(tx, topic)
    await created(tx, store.INSERT_TOPIC, topic)
    tx.record(fact_of(TopicCreated, topic), version=topic.version)
    return topic


async def update_topic(tx: Transaction, *, topic_id: str, changes: Changes[Topic], etag: str) -> Topic:
    """Change a topic. NotFound, FailedPrecondition TOPIC_CYCLE, TOPIC_TOO_DEEP."""
    await LOCK_NAMES.run(tx, names=[_TREE])
    topic = await owned(tx, TOPIC, store.LOCK_TOPIC, topic_id, etag=etag)
    if updated := topic.update(changes):
        await _placed(tx, topic)
        await save(tx, store.UPDATE_TOPIC, topic, updated)
    return topic


async def defaults_of(on: Executor, topic_id: str) -> Defaults:
    """What a topic says of a case, itself or by the nearest above it that does.

    Of owners the nearest who serves customers still: when all have left, the front desk has what was theirs.
    """
    above = await store.ABOVE.all(on, id=topic_id)
    named = [each for each in above if each["default_owner_id"]]
    there = [each["default_owner_id"] for each in named if each["owner_is_active"]]
    owner = next(iter(there), FRONT_DESK if named else None)
    harm = next((each["default_harm"] for each in above if each["default_harm"]), Harm.INCONVENIENCE)
    days = next((each["reply_days"] for each in above if each["reply_days"]), 0)
    return Defaults(owner, Harm(harm), days)


async def skills_of(on: Executor, topic_id: str, department_id: str) -> list[str]:
    """The skills that work of a department needs in cases about a topic, where the topic is its own."""
    above = await store.ABOVE.all(on, id=topic_id)
    if not above or above[0]["department_id"] != department_id:
        return []
    return next((each["required_skills"] for each in above if each["required_skills"]), [])


async def _placed(tx: Transaction, topic: Topic) -> None:
    """See that what a topic refers to is there, and that its place is one."""
    if topic.default_owner_id:
        (await found(tx, AGENT, AGENT_BY_ID, topic.default_owner_id)).require_active()
    if topic.parent_topic_id:
        await LOCK_NAMES.run(tx, names=[_TREE])
        await found(tx, TOPIC, store.TOPIC, topic.parent_topic_id)
        above = [each["id"] for each in await store.ABOVE.all(tx, id=topic.parent_topic_id)]
        topic.require_place(above, (await store.LEVELS_BELOW.one(tx, id=topic.id))["levels"])
