"""What the customer service tells: whose names are one person's, and contacts with them."""

from collections.abc import Sequence
from typing import Any

from cases.domain.contact import Contact
from cases.domain.told import latest
from cases.names import AGENT, CASE, CUSTOMER, PROMISE, WORK_ITEM
from cases.store.languages import PUT_LANGUAGES, CustomerLanguage
from cases.store.managers import PUT_MANAGERS, RelationshipManager
from cases.usecases.case_link import unmerge_across
from cases.usecases.contact import case_contacted
from cases.usecases.question import question_asked
from cases.usecases.standing import prioritize_again
from chassis.api.actors import actor_name
from chassis.api.messages import moment
from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.inbox.aliases import learn
from rapport.common.v1.channel_pb2 import DIRECTION_INBOUND
from rapport.customer.v1.customer_events_pb2 import (
    CustomerMergeUndone,
    CustomersMerged,
    InteractionRecorded,
)


async def regrouped(tx: Transaction, event: Event[CustomersMerged | CustomerMergeUndone]) -> None:
    """Learn whose each name is, and look at their cases again; what was merged of two is taken apart."""
    customers = await learn(tx, event)
    await unmerge_across(tx, customers)
    for survivor_id in sorted((await groups_of(tx, customers)).members):  # all names of one at once
        await prioritize_again(tx, survivor_id)


async def on_interaction(tx: Transaction, event: Event[InteractionRecorded]) -> None:
    """The customer spoke with us about a case, or about a promise or a work item of one.

    What they write of themselves, or of a promise that is on no case, and no agent took in, opens one.
    """
    told, about = event.data, event.data.resource
    at = min(moment(told.occur_time), event.time)
    actor = actor_name(event.actor, event.source)
    agent = actor if AGENT.match(actor) else ""
    contact = Contact(at, told.direction == DIRECTION_INBOUND, agent, recorded=event.time)
    promise = PROMISE.match(about)
    if ids := promise or CASE.match(about) or WORK_ITEM.match(about):
        known = await case_contacted(tx, ids[0], contact)
        asks = promise is not None and not known
    else:
        asks = about == told.customer
    if asks and contact.inbound and not agent:
        await question_asked(tx, CUSTOMER.parse(told.customer)[0], contact)


async def on_managers(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Customers have somebody who answers for the relationship, whatever the order in which it arrives."""
    told = [
        RelationshipManager(CUSTOMER.parse(event.data.customer)[0], agent[0], event.resource_version, tx.now)
        for event in events
        if (agent := AGENT.match(event.data.relationship_manager))
    ]
    await PUT_MANAGERS.rows(tx, latest(told))


async def on_languages(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Customers speak a language, whatever the order in which it arrives."""
    told = [
        CustomerLanguage(
            CUSTOMER.parse(event.data.customer)[0],
            event.data.language_code,
            event.resource_version,
            tx.now,
        )
        for event in events
    ]
    await PUT_LANGUAGES.rows(tx, latest(told))
