"""What purchases earn, and what is taken back of it, through the real service."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal as Number

from chassis.api.messages import money, timestamp
from chassis.grpc.status import refusal
from loyalty.usecases.evaluating import given_for
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule
from rapport.loyalty.v1.earning_service_pb2 import (
    ActivateEarningRuleRequest,
    CreateEarningRuleRequest,
    EndEarningRuleRequest,
    EvaluatePurchaseRequest,
    GetEarningRuleRequest,
    PreviewEarningRuleRequest,
    UpdateEarningRuleRequest,
)
from rapport.loyalty.v1.ledger_service_pb2 import GetTransferRequest, ReverseTransferRequest
from rapport.loyalty.v1.membership_service_pb2 import MergeMembershipsRequest
from rapport.loyalty.v1.program_pb2 import Unit
from rapport.loyalty.v1.program_service_pb2 import UpdateUnitRequest
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    BatchRecordPurchasesRequest,
    ClaimPurchaseRequest,
    ExplainPurchaseRequest,
    RecordPurchaseRequest,
)
from rapport_testing.running import error_of, reason

from .earning import a_rule, by_line, doubled_by_tier, earning_of, held, in_force
from .test_purchase_lines import basket, give_back, line, record


async def test_each_line_earns_its_part_and_the_last_what_is_missing(desk: Any) -> None:
    rule = await in_force(desk)
    bought = await record(desk, basket(line("a", "1", "1.5"), line("b", "1", "2.5"), line("c", "1", "0.6")))
    earned = await earning_of(desk, bought)
    (award,) = earned.awards
    # 4.60 is 5 in all: 2, 2 and what is missing to that.
    assert (by_line(award), award.points, award.earning_rule) == ([2, 2, 1], 5, f"{rule.name}/versions/2")
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 5}
    (transfer,) = earned.transfers
    posted = await desk.ledger.GetTransfer(GetTransferRequest(name=transfer))
    assert (posted.purchase, posted.reason_code) == (bought.name, "earned")


async def test_returns_by_parts_take_back_exactly_what_lines_earned(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "3", "10.00"), line("b", "1", "4.70")))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 15}
    balances = []
    for back in ({"line1": "1"}, {"line1": "1"}, {"line2": "1"}, {"line1": "1"}):
        await give_back(desk, bought, **back)
        balances.append((await held(desk, bought.customer))["MEMBERSHIP"])
    assert balances == [12, 8, 3, 0]
    (award,) = (await earning_of(desk, bought)).awards
    assert (award.points, award.points_left) == (15, 0)


async def test_what_was_spent_is_owed_and_paid_by_what_is_earned_next(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "1", "100")))
    account = await desk.account_of(bought.customer)
    await desk.ledger.PostTransfer(desk.posting(account, "programs/main/accounts/points-redeemed", 70))
    await give_back(desk, bought)
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 0, "DEBT": -70}
    await record(desk, basket(line("a", "1", "50"), customer=bought.customer))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 0, "DEBT": -20}
    await record(desk, basket(line("a", "1", "50"), customer=bought.customer))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 30, "DEBT": 0}


async def test_rules_stack_exclude_and_say_why_not(desk: Any) -> None:
    await in_force(desk, "base", position=1)
    await in_force(
        desk, "dairy", position=2, multiplier=Number(value="2"), exclusive_group="extra",
        condition="line.product.startsWith('dairy')",
    )  # fmt: skip
    await in_force(desk, "extra", position=3, fixed_points=7, exclusive_group="extra")
    await in_force(
        desk, "large", position=4, fixed_points=100, basis=EarningRule.BASIS_PURCHASE,
        condition="purchase.amount.units >= 1000",
    )  # fmt: skip
    bought = await record(desk, basket(line("dairy-1", "1", "10"), line("bread", "1", "3")))
    awards = {each.earning_rule.split("/")[1]: each for each in (await earning_of(desk, bought)).awards}
    assert {name: by_line(each) for name, each in awards.items()} == {
        "base": [10, 3], "dairy": [10, 0], "extra": [0, 7], "large": [0, 0],
    }  # fmt: skip
    assert awards["dairy"].lines[1].reason == awards["large"].reason == 1  # the condition
    assert awards["extra"].lines[0].reason == 5  # excluded
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 30}


async def test_points_that_wait_are_taken_back_where_they_wait(desk: Any) -> None:
    policy = {"activation": "ACTIVATION_AFTER_DAYS", "activation_days": 14, "expiry": "EXPIRY_NEVER"}
    await desk.programs.UpdateUnit(
        UpdateUnitRequest(unit=Unit(name="programs/main/units/points", lot_policy=policy))
    )
    await in_force(desk)
    bought = await record(desk, basket(line("a", "2", "40")))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 0, "PENDING": 40}
    await give_back(desk, bought, line1="1")
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 0, "PENDING": 20}
    await give_back(desk, bought)
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 0, "PENDING": 0}


async def test_caps_of_a_member_and_of_everybody(desk: Any) -> None:
    day = EarningRule.Cap(points=50, holder="HOLDER_MEMBER", period="PERIOD_DAY")
    campaign = EarningRule.Cap(points=80, holder="HOLDER_EVERYBODY")
    await in_force(desk, caps=[day, campaign])
    somebody = f"customers/{uuid4()}"
    first = await record(desk, basket(line("a", "1", "30"), line("b", "1", "30"), customer=somebody))
    (award,) = (await earning_of(desk, first)).awards
    assert (by_line(award), award.withheld_points) == ([30, 20], 10)
    assert (await held(desk, somebody)) == {"MEMBERSHIP": 50}
    again = await record(desk, basket(line("a", "1", "5"), customer=somebody))
    (award,) = (await earning_of(desk, again)).awards
    assert (award.points, award.reason) == (0, 7)  # capped
    other = await record(desk, basket(line("a", "1", "40")))
    assert await held(desk, other.customer) == {"MEMBERSHIP": 30}
    await give_back(desk, first)  # what is taken back counts no more
    assert await held(desk, somebody) == {"MEMBERSHIP": 0}
    third = await record(desk, basket(line("a", "1", "45"), customer=somebody))
    assert await held(desk, third.customer) == {"MEMBERSHIP": 45}


async def test_what_is_paid_in_another_currency_earns_nothing_and_makes_no_member(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "1", "10", "EUR"), currency="EUR"))
    (award,) = (await earning_of(desk, bought)).awards
    assert award.reason == 4
    assert await held(desk, bought.customer) == {}


async def test_what_was_refunded_is_not_earned(desk: Any) -> None:
    await in_force(desk)
    sent = basket(line("a", "1", "10"), line("b", "1", "10"))
    sent.refunded_amount.CopyFrom(money(Decimal(5), "USD"))
    bought = await record(desk, sent)
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 16}  # 8 of 10 each: 7.5, half to even


async def test_what_its_source_corrects_is_reckoned_anew_by_the_rules_of_then(desk: Any, clock: Any) -> None:
    await in_force(desk)
    first, second = (f"customers/{uuid4()}" for _ in range(2))
    recorded = await imported(desk, basket(line("a", "1", "30"), customer=first))
    assert await held(desk, first) == {"MEMBERSHIP": 30}
    clock.advance(timedelta(minutes=1))
    await desk.earning.EndEarningRule(EndEarningRuleRequest(name="earningRules/base"))
    await imported(desk, basket(line("a", "1", "12"), customer=first))
    assert await held(desk, first) == {"MEMBERSHIP": 12}
    moved = await imported(desk, basket(line("a", "1", "12"), customer=second))
    assert (await held(desk, first), await held(desk, second)) == ({"MEMBERSHIP": 0}, {"MEMBERSHIP": 12})
    assert moved.name == recorded.name
    (award,) = (await earning_of(desk, moved)).awards
    assert (award.points, award.points_left) == (12, 12)


async def test_two_who_give_the_same_back_take_it_back_once(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "4", "10"), line("b", "1", "7")))
    parts = [give_back(desk, bought, line1="1") for _ in range(6)]
    done = await asyncio.gather(*parts, give_back(desk, bought, line2="1"), return_exceptions=True)
    assert sum(isinstance(each, Purchase) for each in done) == 5
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 0}


async def test_a_cap_of_a_member_counts_what_is_part_of_their_membership(desk: Any) -> None:
    await in_force(desk, caps=[EarningRule.Cap(points=50, holder="HOLDER_MEMBER")])
    bought = [await record(desk, basket(line("a", "1", "40"))) for _ in range(3)]
    members = [await desk.membership_of(each.customer) for each in bought]
    for merged, into in pairwise(members):  # the first is part of the second, and that of the third
        request = MergeMembershipsRequest(
            name=into.name, merged_membership=merged.name, reason_code="household", request_id=str(uuid4())
        )
        await desk.memberships.MergeMemberships(request)
    tried = EvaluatePurchaseRequest(purchase=basket(line("a", "1", "40"), customer=bought[0].customer))
    (award,) = (await desk.earning.EvaluatePurchase(tried)).awards
    assert award.points == 0
    again = await record(desk, tried.purchase)
    (award,) = (await earning_of(desk, again)).awards
    assert (award.points, award.withheld_points) == (0, 40)
    for each in bought:  # what is taken back counts no more, of whichever part it was
        await give_back(desk, each)
    await record(desk, tried.purchase)
    assert (await held(desk, bought[2].customer))["MEMBERSHIP"] == 40


async def test_many_at_once_do_not_pass_a_cap_of_everybody(desk: Any) -> None:
    await in_force(desk, caps=[EarningRule.Cap(points=100, holder="HOLDER_EVERYBODY")])
    bought = await asyncio.gather(*(record(desk, basket(line("a", "1", "9"))) for _ in range(20)))
    balances = [(await held(desk, each.customer)).get("MEMBERSHIP", 0) for each in bought]
    assert sum(balances) == 100


async def test_a_draft_gives_nothing_and_what_is_in_force_stays(desk: Any) -> None:
    rule = await in_force(desk)
    changed = EarningRule(name=rule.name, fixed_points=500)
    changed.ClearField("points_per_currency_unit")
    mask = FieldMask(paths=["points_per_currency_unit", "currency_code", "fixed_points"])
    request = UpdateEarningRuleRequest(earning_rule=changed, update_mask=mask)
    draft = await desk.earning.UpdateEarningRule(request)
    assert (rule.active_version, draft.active_version) == (2, 2)
    assert draft.state == EarningRule.STATE_DRAFT
    shown = await desk.earning.GetEarningRule(GetEarningRuleRequest(name=rule.name))
    assert (shown.version, shown.active_version) == (3, 2)
    assert await held(desk, (await record(desk, basket(line("a", "1", "3")))).customer) == {"MEMBERSHIP": 3}
    tried = EvaluatePurchaseRequest(purchase=basket(line("a", "1", "3")), earning_rule=shown)
    (award,) = (await desk.earning.EvaluatePurchase(tried)).awards
    assert award.points == 500
    for name, points in ((rule.name, 500), (f"{rule.name}/versions/1", 3), (f"{rule.name}/versions/3", 500)):
        kept = EvaluatePurchaseRequest(purchase=tried.purchase, kept_earning_rule=name)
        (award,) = (await desk.earning.EvaluatePurchase(kept)).awards
        assert award.points == points
    none = EvaluatePurchaseRequest(purchase=tried.purchase, kept_earning_rule=f"{rule.name}/versions/9")
    assert reason(await error_of(desk.earning.EvaluatePurchase(none))) == "RESOURCE_NOT_FOUND"
    both = EvaluatePurchaseRequest(purchase=tried.purchase, earning_rule=shown, kept_earning_rule=rule.name)
    refused = refusal(await error_of(desk.earning.EvaluatePurchase(both)))
    assert [each.field for each in refused.violations] == ["kept_earning_rule"]
    preview = await desk.earning.PreviewEarningRule(
        PreviewEarningRuleRequest(name=rule.name, earning_rule=shown)
    )
    assert (preview.checked_count, preview.points, preview.earned_points, preview.moved_count) == (
        1,
        500,
        3,
        1,
    )


async def test_a_rule_is_activated_at_a_time(desk: Any, clock: Any) -> None:
    request = CreateEarningRuleRequest(earning_rule_id="later", earning_rule=a_rule(fixed_points=5))
    made = await desk.earning.CreateEarningRule(request)
    at = timestamp(clock.now() + timedelta(hours=1))
    await desk.earning.ActivateEarningRule(ActivateEarningRuleRequest(name=made.name, effective_time=at))
    assert await held(desk, (await record(desk, basket(line("a", "1", "3")))).customer) == {}
    clock.advance(timedelta(hours=2))
    assert await held(desk, (await record(desk, basket(line("a", "1", "3")))).customer) == {"MEMBERSHIP": 5}


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"condition": "line.colour == 'red'"}, "condition", "INVALID_RULE"),
        ({"condition": "purchase.reference == 'x'"}, "condition", "INVALID_RULE"),
        ({"fixed_points": 0, "multiplier": Number(value="1")}, "multiplier", "INVALID_NUMBER"),
        ({"basis": "BASIS_EVENT", "fixed_points": 1, "event_type": "a.B"}, "event_type", "INVALID_NAME"),
        (
            {"basis": "BASIS_EVENT", "fixed_points": 1, "event_type": "rapport.cases.v1.CaseResolved",
             "customer_field": "nobody"}, "customer_field", "INVALID_NAME",
        ),
    ],
)  # fmt: skip
async def test_a_rule_that_cannot_be_is_refused(desk: Any, given: Any, field: str, why: str) -> None:
    request = CreateEarningRuleRequest(earning_rule_id="wrong", earning_rule=a_rule(**given))
    error = await error_of(desk.earning.CreateEarningRule(request))
    assert (f"earning_rule.{field}", why) in {
        (each.field, each.reason) for each in getattr(refusal(error), "violations", ())
    }


async def test_a_rule_ends_once(desk: Any) -> None:
    rule = await in_force(desk)
    await desk.earning.EndEarningRule(EndEarningRuleRequest(name=rule.name))
    error = await error_of(desk.earning.EndEarningRule(EndEarningRuleRequest(name=rule.name)))
    assert reason(error) == "RULE_ENDED"


async def test_what_a_purchase_earned_is_not_reversed_by_hand(desk: Any) -> None:
    await in_force(desk)
    (transfer,) = (await earning_of(desk, await record(desk, basket(line("a", "1", "3"))))).transfers
    request = ReverseTransferRequest(name=transfer, reason_code="mistake", request_id=str(uuid4()))
    assert reason(await error_of(desk.ledger.ReverseTransfer(request))) == "MANAGED_ACCOUNT"


async def imported(desk: Any, sent: Purchase) -> Purchase:
    """The row of an import, said again with other content each time."""
    one = RecordPurchaseRequest(purchase=sent, import_key="till:1")
    request = BatchRecordPurchasesRequest(requests=[one], request_id=str(uuid4()))
    (result,) = (await desk.purchases.BatchRecordPurchases(request)).results
    return result.purchase  # type: ignore[no-any-return]


async def test_others_are_answered_while_rules_are_asked_of_a_batch(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_force(desk, caps=[EarningRule.Cap(points=2, holder=EarningRule.Cap.HOLDER_EVERYBODY)])
    turns: list[str] = []

    def asked(*args: Any, **further: Any) -> Any:
        turns.append("asked")
        asyncio.get_running_loop().call_soon(turns.append, "others")
        return given_for(*args, **further)

    monkeypatch.setattr("loyalty.usecases.earning.given_for", asked)
    sent = [basket(line("a", "1", "1")) for _ in range(3)]
    rows = [RecordPurchaseRequest(purchase=each, import_key=f"till:{i}") for i, each in enumerate(sent)]
    await desk.purchases.BatchRecordPurchases(
        BatchRecordPurchasesRequest(requests=rows, request_id=str(uuid4()))
    )
    assert turns == ["asked", "others"] * 6  # each to see what it gives, and again as far as caps leave it


async def test_what_was_nobodys_earns_when_it_is_claimed_by_the_rules_of_then(desk: Any, clock: Any) -> None:
    await in_force(desk)
    sent = basket(line("a", "1", "30"), line("b", "1", "8"), customer="")
    request = RecordPurchaseRequest(
        purchase=sent, receipt_code="till-7-0001-x7k2p9q4wz3m", request_id=str(uuid4())
    )
    bought = await desk.purchases.RecordPurchase(request)
    await give_back(desk, bought, line2="1")
    clock.advance(timedelta(minutes=1))
    await desk.earning.EndEarningRule(EndEarningRuleRequest(name="earningRules/base"))
    customer = f"customers/{uuid4()}"
    claim = ClaimPurchaseRequest(
        customer=customer, receipt_code="till-7-0001-x7k2p9q4wz3m", request_id=str(uuid4())
    )
    await desk.purchases.ClaimPurchase(claim)
    assert await held(desk, customer) == {"MEMBERSHIP": 30}
    await give_back(desk, bought)
    assert await held(desk, customer) == {"MEMBERSHIP": 0}


async def test_a_purchase_explains_what_each_rule_gave_and_why_not(desk: Any) -> None:
    await in_force(desk)
    await in_force(desk, "wine", fixed_points=5, condition="line.product.startsWith('wine')")
    bought = await record(desk, basket(line("a", "1", "1.5"), line("b", "1", "2.5")))
    await give_back(desk, bought, line1="1")
    explained = await desk.purchases.ExplainPurchase(ExplainPurchaseRequest(name=bought.name))
    assert explained.summary.startswith(
        "It earned 4 by 2 rules. Of them 2 are left after what was given back."
    )
    assert {name: text for name, text in explained.inputs.items() if name.startswith("earningRules")} == {
        "earningRules/base/versions/2": "4 programs/main/units/points, by line: 2, 2",
        "earningRules/wine/versions/2": "0: its condition does not hold",
    }


async def test_a_condition_reads_the_tier_that_the_member_had_before(running: Any, desk: Any) -> None:
    await doubled_by_tier(running, desk, "silver")
    bought = await record(desk, basket(line("a", "1", "100")))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 100}
    await record(desk, basket(line("a", "1", "10"), customer=bought.customer))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 120}
