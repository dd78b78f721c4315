"""Issuing vouchers: for a redemption, as goodwill, or of a campaign. Codes are said here alone."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import ids
from chassis.api.entities import found, save
from chassis.db.transaction import Transaction
from chassis.errors import AlreadyExists, FailedPrecondition, PermissionDenied, invalid
from chassis.facts import fact_of
from loyalty.domain.facts import VoucherCodeReplaced, VoucherIssued
from loyalty.domain.goodwill import PROGRAM as MAIN
from loyalty.domain.goodwill import GiftKind, State
from loyalty.domain.redemption import RedemptionState
from loyalty.domain.reward import RewardVoucher
from loyalty.domain.voucher import GOODWILL_DAYS, Days, Voucher, VoucherState
from loyalty.domain.voucher_code import code_hash, new_code
from loyalty.names import GOODWILL, PROGRAM, REDEMPTION, VOUCHER
from loyalty.store import vouchers as store
from loyalty.store.goodwill import LOCK_GOODWILL
from loyalty.store.rewards import GET_REWARD_VERSION, LOCK_REDEMPTION
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases.redeeming import fulfill

WRITE = "loyalty.vouchers.write"


class Issued(NamedTuple):
    """A voucher, and its code, which is kept nowhere."""

    voucher: Voucher
    code: str


class Batch(NamedTuple):
    """Vouchers that were issued together."""

    issued: Sequence[Issued]


class _Source(NamedTuple):
    """Whose a voucher is, and what it is issued for."""

    customer_id: UUID | None
    membership_id: UUID | None = None
    redemption_id: UUID | None = None
    goodwill_id: UUID | None = None
    campaign: str = ""


async def issue_voucher(tx: Transaction, *, redemption_id: UUID | None, goodwill_id: UUID | None) -> Issued:
    """Issue what somebody has a right to, once. What is for points is handed out by that.

    NotFound; FailedPrecondition `NO_VOUCHER`, `REDEMPTION_ENDED`; AlreadyExists `VOUCHER_ISSUED`.
    """
    if redemption_id is not None:
        return await _for_points(tx, redemption_id)
    if goodwill_id is not None:
        return await _for_goodwill(tx, goodwill_id)
    raise invalid("redemption", "REQUIRED", "must be given, or goodwill")


async def _for_points(tx: Transaction, redemption_id: UUID) -> Issued:
    redemption = await found(tx, REDEMPTION, LOCK_REDEMPTION, redemption_id)
    by = await GET_REWARD_VERSION.one(tx, id=redemption.reward_id, version=redemption.reward_version)
    if by.voucher is None:
        raise _no_voucher(redemption.name, f"{by.name} is no voucher")
    _require_first(await store.LOCK_OF_REDEMPTION.maybe(tx, redemption_id=redemption_id))
    if redemption.state is not RedemptionState.FULFILLED:  # or somebody said before that it is handed out
        await fulfill(tx, redemption)
    days = await _days(tx, by.program_id, by.voucher.valid_days)
    source = _Source(redemption.customer_id, redemption.membership_id, redemption.id)
    (issued,) = await _issue(tx, 1, by.program_id, days, by.voucher, source)
    return issued


async def _for_goodwill(tx: Transaction, goodwill_id: UUID) -> Issued:
    grant = await found(tx, GOODWILL, LOCK_GOODWILL, goodwill_id)
    if grant.kind is not GiftKind.VOUCHER or grant.state is not State.GRANTED or grant.cost is None:
        raise _no_voucher(grant.name, f"{grant.name} is {grant.state} and of the kind {grant.kind}")
    _require_first(await store.LOCK_OF_GOODWILL.maybe(tx, goodwill_id=goodwill_id))
    money, item = (None, grant.gift_reference) if grant.gift_reference else (grant.cost.amount, "")
    worth = RewardVoucher(money, grant.cost.currency_code if money else "", 0, item, 1, False, GOODWILL_DAYS)
    days = await _days(tx, MAIN, GOODWILL_DAYS)
    source = _Source(grant.customer_id, goodwill_id=grant.id)
    (issued,) = await _issue(tx, 1, MAIN, days, worth, source)
    return issued


async def batch_issue_vouchers(
    tx: Transaction,
    *,
    program_id: str,
    customer_id: UUID | None,
    money: Decimal | None,
    money_currency: str,
    percent_off: int,
    item: str,
    max_uses: int,
    in_parts: bool,
    start_date: date | None,
    end_date: date | None,
    campaign: str,
    count: int,
) -> Batch:
    """Issue vouchers that are alike. NotFound without the program; InvalidArgument for days that are over."""
    program = await found(tx, PROGRAM, GET_PROGRAM, program_id)
    days = Days.of(tx.now, program.time_zone, start_date, end_date)
    worth = RewardVoucher(money, money_currency, percent_off, item, max_uses, in_parts, 0)
    source = _Source(customer_id, campaign=campaign)
    return Batch(await _issue(tx, count, program_id, days, worth, source))


async def replace_voucher_code(tx: Transaction, *, voucher_id: UUID) -> Issued:
    """Have a voucher be known by another code. NotFound; FailedPrecondition `VOUCHER_ENDED`.

    One that is nobody's would be whoever's who asks: PermissionDenied unless they may issue such.
    """
    voucher = await found(tx, VOUCHER, store.LOCK_VOUCHER, voucher_id)
    if voucher.customer_id is None and not tx.call.principal.may(WRITE):
        told = f"{voucher.name} is for whoever bears it: who issues such may say another code."
        raise PermissionDenied("PERMISSION_DENIED", told, {"permission": WRITE})
    code = new_code()
    voucher.rename(_hashed(code), tx.now)
    await save(tx, store.UPDATE_VOUCHER, voucher, fact_of(VoucherCodeReplaced, voucher, **voucher.told))
    return Issued(voucher, code)


async def _days(tx: Transaction, program_id: str, valid_days: int) -> Days:
    zone = (await GET_PROGRAM.one(tx, id=program_id)).time_zone
    today = tx.now.astimezone(ZoneInfo(zone)).date()
    return Days.of(tx.now, zone, None, today + timedelta(days=valid_days) if valid_days else None)


async def _issue(
    tx: Transaction, count: int, program_id: str, days: Days, worth: RewardVoucher, source: _Source
) -> list[Issued]:
    made = []
    for _ in range(count):
        code = new_code()
        voucher = Voucher(
            id=ids.uuid7(tx.now),
            program_id=program_id,
            **source._asdict(),
            code_hash=_hashed(code),
            money=worth.money,
            money_currency=worth.money_currency if worth.money is not None else "",
            percent_off=worth.percent_off,
            item=worth.item,
            max_uses=worth.max_uses or 1,
            in_parts=worth.in_parts,
            used_count=0,
            used_amount=Decimal(0),
            **days._asdict(),
            state=VoucherState.ACTIVE,
            reason_code="",
            department_id=tx.call.principal.department or None,
            create_time=tx.now,
            update_time=tx.now,
        )
        tx.record(fact_of(VoucherIssued, voucher, **voucher.told), version=voucher.version)
        made.append(Issued(voucher, code))
    await store.INSERT_VOUCHERS.rows(tx, [each.voucher for each in made])
    return made


def _hashed(code: str) -> bytes:
    hashed = code_hash(code)
    if hashed is None:
        raise ValueError("a code that was made here is none")
    return hashed


def _require_first(issued: Voucher | None) -> None:
    if issued is not None:
        told = f"{issued.name} was issued for it; its code can be replaced."
        raise AlreadyExists("VOUCHER_ISSUED", told, {"resource": issued.name})


def _no_voucher(name: str, why: str) -> FailedPrecondition:
    return FailedPrecondition("NO_VOUCHER", f"{why}: no voucher belongs to it.", {"resource": name})
