"""What tests of vouchers do: rewards that are vouchers, members with points, and goodwill of that kind."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from google.type.money_pb2 import Money

from chassis.api.messages import value_name
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.cases.v1.cases_events_pb2 import AuthorityPolicyCreated
from rapport.loyalty.v1 import reward_service_pb2 as reward_pb
from rapport.loyalty.v1 import voucher_service_pb2 as pb
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, InKind
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillRequest, GrantGoodwillRequest
from rapport.loyalty.v1.reward_pb2 import Reward, RewardVoucher
from rapport.loyalty.v1.voucher_pb2 import Voucher
from rapport_testing.running import Running
from rapport_testing.wait import eventually

START = datetime(2026, 3, 2, 14, tzinfo=UTC)
MAIN = "programs/main"
ISSUED = f"{MAIN}/accounts/points-issued"


def once() -> str:
    return str(uuid4())


def usd(units: int) -> Money:
    return Money(currency_code="USD", units=units)


def campaign(count: int = 1, **fields: Any) -> pb.BatchIssueVouchersRequest:
    said = {"program": MAIN, "campaign": "spring", **fields}
    if not said.keys() & {"money", "percent_off", "item"}:
        said["money"] = usd(10)
    return pb.BatchIssueVouchersRequest(voucher=Voucher(**said), count=count, request_id=once())


def use(code: str, **fields: Any) -> pb.UseVoucherRequest:
    return pb.UseVoucherRequest(code=code, **{"reference": "receipt-7", "request_id": once(), **fields})


def undo(name: str) -> pb.ReverseVoucherUseRequest:
    return pb.ReverseVoucherUseRequest(name=name, reason_code="purchase-returned", request_id=once())


def cancel(name: str) -> pb.CancelVoucherRequest:
    return pb.CancelVoucherRequest(name=name, reason_code="mistake", request_id=once())


def outcome(answer: Any) -> str:
    return pb.VoucherOutcome.Name(answer.outcome).removeprefix("VOUCHER_OUTCOME_")


def state(voucher: Any) -> str:
    return value_name(voucher, "state")


async def redeemed(desk: Any, shop: Any, customer: str = "", **worth: Any) -> Any:
    """A redemption of a reward that is a voucher, by a member who has its points."""
    joined = await desk.membership_of(customer) if customer else await desk.join()
    (account,) = await desk.accounts_of(joined.name)
    await desk.ledger.PostTransfer(desk.posting(ISSUED, account.name, 100))
    voucher = RewardVoucher(**(worth or {"money": usd(10), "valid_days": 30}))
    said: dict[str, Any] = {"display_name": "Ten off", "unit": f"{MAIN}/units/points", "points": 100}
    said |= {"return_policy": Reward.RETURN_POLICY_FULFILLED, "voucher": voucher}
    reward = reward_pb.CreateRewardRequest(reward_id=f"r{uuid4().hex[:8]}", reward=Reward(**said))
    name = (await shop.CreateReward(reward)).name
    return await shop.RedeemReward(
        reward_pb.RedeemRewardRequest(reward=name, customer=joined.customer, request_id=once())
    )


async def may_give_vouchers(running: Running, desk: Any) -> None:
    """Whoever works at the front desk may give things for 50, from now on."""
    name = "authorityPolicies/replacement"
    fact = AuthorityPolicyCreated(
        authority_policy=name,
        department="departments/front-desk",
        act="AUTHORITY_ACT_REPLACEMENT",
        limits=[AuthorityPolicy.Limit(money=usd(50))],
        version=1,
    )
    await running.deliver(fact, resource=name, source="cases")

    async def known() -> bool:
        request = CheckGoodwillRequest(customer=f"customers/{uuid4()}")
        return bool((await desk.goodwill.CheckGoodwill(request)).in_kind.authority_policy == name)

    await eventually(known)


async def granted(desk: Any, reference: str = "") -> Any:
    """Goodwill that is a voucher and costs 20."""
    kind: Any = "GOODWILL_KIND_VOUCHER"
    gift = InKind(kind=kind, cost=usd(20), reference=reference)
    said = {"explanation": "It came late.", "reason_code": "late-delivery", "in_kind": gift}
    goodwill = Goodwill(customer=f"customers/{uuid4()}", **said)
    return await desk.goodwill.GrantGoodwill(GrantGoodwillRequest(goodwill=goodwill, request_id=once()))


async def facts(running: Running, name: str) -> list[str]:
    told = [each for each in await running.published() if each.resource == name]
    return [each.type.rpartition(".")[2] for each in told]
