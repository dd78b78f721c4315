"""Programs, their members and accounts, and what moves between these."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict
from uuid import UUID

from chassis import ids
from chassis.api.entities import created, found, write
from chassis.db.aliases import lock_person
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, ResourceExists, invalid
from chassis.facts import changed, fact_of
from loyalty.domain.facts import GoodwillReversed, MembershipCreated, TransferPosted, TransferReversed
from loyalty.domain.ledger import OWN, Account, Leg, Membership, Program, Transfer, Unit, check_legs, post
from loyalty.names import MEMBERSHIP, PROGRAM, TRANSFER, UNIT
from loyalty.store import tables as store


class Changes(TypedDict, total=False):
    """What is new of a program or unit."""

    display_name: str


async def create_program(tx: Transaction, *, program_id: str, display_name: str) -> Program:
    """Make a program. AlreadyExists."""
    program = Program(program_id, display_name, 1, tx.now, tx.now)
    await created(tx, store.INSERT_PROGRAM, program)
    return program


async def create_unit(tx: Transaction, *, program_id: str, unit_id: str, display_name: str) -> Unit:
    """Make a unit, with the program's own accounts in it. NotFound without the program; AlreadyExists."""
    await found(tx, PROGRAM, store.GET_PROGRAM, program_id)
    unit = Unit(program_id, unit_id, display_name, 1, tx.now, tx.now)
    await created(tx, store.INSERT_UNIT, unit)
    await store.OPEN_ACCOUNTS.rows(tx, [Account.of_program(unit, kind, tx.now) for kind in OWN])
    return unit


async def update_program(tx: Transaction, *, program_id: str, etag: str, changes: Changes) -> Program:
    """Rename a program. NotFound; Aborted when the etag is stale."""
    program = await found(tx, PROGRAM, store.LOCK_PROGRAM, program_id, etag=etag)
    if changed(program, changes):
        await write(tx, store.UPDATE_PROGRAM, program)
    return program


async def update_unit(tx: Transaction, *, program_id: str, unit_id: str, etag: str, changes: Changes) -> Unit:
    """Rename a unit. NotFound; Aborted when the etag is stale."""
    unit = await found(tx, UNIT, store.LOCK_UNIT, program_id, unit_id, etag=etag)
    if changed(unit, changes):
        await write(tx, store.UPDATE_UNIT, unit)
    return unit


async def create_membership(tx: Transaction, *, program_id: str, customer_id: UUID) -> Membership:
    """Make a customer a member, with an account in each unit. NotFound without the program; AlreadyExists."""
    await lock_person(tx, customer_id)
    await found(tx, PROGRAM, store.GET_PROGRAM, program_id)
    if held := await store.MEMBERSHIP_OF.maybe(tx, program_id=program_id, customer_id=customer_id):
        raise ResourceExists(held.name)
    new = await _join(tx, program_id, customer_id)
    if new is None:
        raise ResourceExists(
            (await store.MEMBERSHIP_OF.one(tx, program_id=program_id, customer_id=customer_id)).name
        )
    units = await store.UNITS_OF.all(tx, program_id=program_id)
    await store.OPEN_ACCOUNTS.rows(tx, [Account.of_member(new, unit.id, tx.now) for unit in units])
    return new


async def create_account(
    tx: Transaction,
    *,
    program_id: str,
    unit_program_id: str,
    unit_id: str,
    membership_program_id: str,
    membership_id: UUID,
) -> Account:
    """Open a member's account. NotFound without the membership or unit; AlreadyExists."""
    for field, of in (("unit", unit_program_id), ("membership", membership_program_id)):
        if of != program_id:
            raise invalid(f"account.{field}", "INVALID_NAME", "must be of the same program as the account")
    member = await found(tx, MEMBERSHIP, store.GET_MEMBERSHIP, program_id, membership_id)
    await found(tx, UNIT, store.GET_UNIT, program_id, unit_id)
    new = Account.of_member(member, unit_id, tx.now)
    if not await store.OPEN_ACCOUNTS.rows(tx, [new]):
        raise ResourceExists(new.name)
    return new


async def _join(tx: Transaction, program_id: str, customer_id: UUID) -> Membership | None:
    """A new membership; None when there is one."""
    new = Membership(ids.uuid7(tx.now), program_id, customer_id, tx.now, tx.now)
    made = await store.INSERT_MEMBERSHIP.maybe(tx, **values(new))
    if made is not None:
        tx.record(fact_of(MembershipCreated, made), version=made.version)
    return made


async def account_of(tx: Transaction, program_id: str, customer_id: UUID, unit_id: str) -> Account:
    """A customer's account, of a membership; both are made when there are none."""
    member = await store.MEMBERSHIP_OF.maybe(tx, program_id=program_id, customer_id=customer_id)
    if member is None:
        made = await _join(tx, program_id, customer_id)
        # Without: somebody else made it meanwhile.
        member = made or await store.MEMBERSHIP_OF.one(tx, program_id=program_id, customer_id=customer_id)
    account = Account.of_member(member, unit_id, tx.now)
    await store.OPEN_ACCOUNTS.rows(tx, [account])
    return account


async def post_transfer(
    tx: Transaction,
    *,
    legs: Sequence[Leg],
    reason_code: str,
    transfer_id: UUID | None = None,
    caused_by: UUID | None = None,
) -> Transfer:
    """Move what the legs say, as the transfer `transfer_id`, or one chosen here.

    InvalidArgument for the legs (see `check_legs` and `post`); NotFound without an account;
    FailedPrecondition `INSUFFICIENT_BALANCE`.
    """
    check_legs(legs)
    accounts, amounts = map(list, zip(*legs, strict=True))
    transfer = Transfer(transfer_id or ids.uuid7(tx.now), accounts, amounts, reason_code, None, tx.id, tx.now)
    return await _post(tx, transfer, await _locked(tx, accounts), caused_by)


async def reverse_transfer(tx: Transaction, *, transfer_id: UUID, reason_code: str) -> Transfer:
    """Undo a transfer, once; the goodwill that it moved is then as if it had never been.

    NotFound; FailedPrecondition `ALREADY_REVERSED`, `IS_REVERSAL`, or `INSUFFICIENT_BALANCE` when what was
    got is spent.
    """
    original = await found(tx, TRANSFER, store.GET_TRANSFER, transfer_id)
    # Before looking, so that of two reversals the second sees the first.
    accounts = await _locked(tx, original.accounts)
    again = await store.GET_REVERSAL.maybe(tx, id=transfer_id) is not None
    reversal = original.reversal(ids.uuid7(tx.now), reason_code, tx.id, tx.now, again)
    caused_by = None
    for goodwill in await store.REVERSE_GOODWILL.all(tx, transfer=transfer_id, at=tx.now):
        fact = fact_of(GoodwillReversed, goodwill, points=goodwill.amount)
        caused_by = tx.record(fact, version=goodwill.version)
    return await _post(tx, reversal, accounts, caused_by)


async def _locked(tx: Transaction, names: Iterable[str]) -> dict[str, Account]:
    names = list(names)
    accounts = {account.name: account for account in await store.LOCK_ACCOUNTS.all(tx, names=names)}
    for name in names:
        if name not in accounts:
            raise NotFound(name)
    return accounts


async def _post(
    tx: Transaction, transfer: Transfer, accounts: dict[str, Account], caused_by: UUID | None = None
) -> Transfer:
    entries = post(transfer, accounts)
    await store.POST.run(
        tx,
        transfer_id=transfer.id,
        leg_count=len(entries),
        reason=transfer.reason_code,
        reversed_id=transfer.reverses_id,
        cause_id=transfer.cause_id,
        at=transfer.post_time,
        **{f"leg_{name}": [getattr(entry, name) for entry in entries] for name in store.LEG_COLUMNS},
    )
    told: dict[str, Any] = {"transfer": TRANSFER.format(transfer.id), "reason_code": transfer.reason_code}
    if transfer.reverses_id:
        told["reverses"] = TRANSFER.format(transfer.reverses_id)
    kind = TransferReversed if transfer.reverses_id else TransferPosted
    for name, entry in zip(transfer.accounts, entries, strict=True):
        if accounts[name].customer_id is not None:
            fact = fact_of(kind, accounts[name], amount=entry.amount, account_version=entry.version, **told)
            tx.record(fact, version=entry.version, caused_by=caused_by)
    return transfer
