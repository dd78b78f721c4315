"""Who is a member, and on which membership a customer earns."""

from collections.abc import Collection, Mapping
from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.db.aliases import groups_of, lock_person
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, ResourceExists
from chassis.facts import fact_of
from loyalty.domain.card_numbers import CardNumbers
from loyalty.domain.facts import MembershipCreated
from loyalty.domain.ledger import Account
from loyalty.domain.membership import CardState, Membership, MembershipState, card_blocked
from loyalty.names import CUSTOMER, MEMBERSHIP, PROGRAM
from loyalty.store import memberships as store
from loyalty.store.ledger import OPEN_ACCOUNTS
from loyalty.store.tables import GET_PROGRAM, UNITS_OF


async def earning_memberships(
    on: Executor, program_id: str, customer_ids: Collection[UUID]
) -> Mapping[UUID, Membership]:
    """The membership that each customer earns on, of those who are members by any of their names.

    It is active, or nothing can be earned: who closed theirs is not made a member again by what they do.
    """
    if not customer_ids:
        return {}
    earning = await store.EARNING.all(on, program_id=program_id, customer_ids=list(customer_ids))
    return {each.of: each for each in earning}


async def join_missing(
    tx: Transaction, program_id: str, customer_ids: Collection[UUID]
) -> Mapping[UUID, Membership]:
    """As `earning_memberships`, of everybody: who is no member becomes one, once by whichever names."""
    known = dict(await earning_memberships(tx, program_id, customer_ids))
    if missing := set(customer_ids) - known.keys():
        survivors = (await groups_of(tx, missing)).survivors
        people = {survivors[each]: each for each in sorted(missing, reverse=True)}
        known |= {member.customer_id: member for member in await _join(tx, program_id, people.values())}
        # By another of their names, or made by somebody else meanwhile.
        known |= await earning_memberships(tx, program_id, missing - known.keys())
    return known


async def _join(tx: Transaction, program_id: str, customer_ids: Collection[UUID]) -> list[Membership]:
    """New memberships of those who are in none."""
    made = await store.JOIN.all(
        tx,
        program_id=program_id,
        ids=[ids.uuid7(tx.now) for _ in customer_ids],
        member_ids=[ids.uuid7(tx.now) for _ in customer_ids],
        customer_ids=sorted(customer_ids),  # in one order: two who do so cannot wait for each other
        now=tx.now,
    )
    for member in made:
        tx.record(fact_of(MembershipCreated, member), version=member.version)
    return made


async def account_of(tx: Transaction, program_id: str, customer_id: UUID, unit_id: str) -> Account:
    """A customer's account, of a membership; both are made when there are none.

    FailedPrecondition `MEMBERSHIP_CLOSED`.
    """
    member = (await join_missing(tx, program_id, [customer_id]))[customer_id]
    member.require_active()
    account = Account.of_member(member, unit_id, tx.now)
    await OPEN_ACCOUNTS.rows(tx, [account])
    return account


async def create_membership(tx: Transaction, *, program_id: str, customer_id: UUID) -> Membership:
    """Make a customer a member, with an account in each unit. NotFound without the program; AlreadyExists."""
    await lock_person(tx, customer_id)
    await found(tx, PROGRAM, GET_PROGRAM, program_id)
    held = await earning_memberships(tx, program_id, [customer_id])
    made = [] if held else await _join(tx, program_id, [customer_id])
    if not made:
        held = held or await earning_memberships(tx, program_id, [customer_id])
        raise ResourceExists(held[customer_id].name)
    (new,) = made
    units = await UNITS_OF.all(tx, program_id=program_id)
    await OPEN_ACCOUNTS.rows(tx, [Account.of_member(new, unit.id, tx.now) for unit in units])
    return new


async def is_closed(tx: Transaction, program_id: str, customer_id: UUID) -> bool:
    """Whether a customer's only membership is closed; that stays so until the transaction ends."""
    earning = await earning_memberships(tx, program_id, [customer_id])
    if (member := earning.get(customer_id)) is None:
        return False
    held = await lock_membership(tx, program_id, member.id)
    return held.state is MembershipState.CLOSED


async def lock_membership(tx: Transaction, program_id: str, membership_id: UUID) -> Membership:
    """A membership that nobody else changes. NotFound."""
    return (await lock_memberships(tx, program_id, membership_id))[membership_id]


async def lock_memberships(tx: Transaction, program_id: str, *wanted: UUID) -> Mapping[UUID, Membership]:
    """Memberships that nobody else changes. NotFound for the first that there is not."""
    held = {
        each.id: each
        for each in await store.LOCK_MEMBERSHIPS.all(tx, program_id=program_id, ids=list(wanted))
    }
    for each in wanted:
        if each not in held:
            raise NotFound(MEMBERSHIP.format(program_id, each))
    return held


async def find_membership(
    on: Executor, numbers: CardNumbers, program_id: str, customer: str, sent_number: str
) -> Membership:
    """The membership of a card, as what it is part of; or that a customer earns on.

    NotFound; FailedPrecondition `CARD_BLOCKED`, `NO_CARD_PEPPER`.
    """
    if customer:
        (customer_id,) = CUSTOMER.parse(customer, "customer")
        earning = await earning_memberships(on, program_id, [customer_id])
        if customer_id not in earning:
            raise NotFound(customer, f"{customer} is in no membership of {PROGRAM.format(program_id)}.")
        return earning[customer_id]
    kept = numbers.kept(program_id, sent_number, "card_number")
    card = await store.CARD_BY_NUMBER.maybe(on, program_id=program_id, number_hash=kept.number_hash)
    if card is None:
        program = PROGRAM.format(program_id)
        raise NotFound(program, f"No card of {program} has that number.")
    if card.state is not CardState.ACTIVE:
        raise card_blocked(card.name)
    member = await found(on, MEMBERSHIP, store.GET_MEMBERSHIP, program_id, card.membership_id)
    while member.merged_into_id:
        member = await found(on, MEMBERSHIP, store.GET_MEMBERSHIP, program_id, member.merged_into_id)
    return member
