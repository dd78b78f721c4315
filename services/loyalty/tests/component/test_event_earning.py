"""What members earn for what other services tell, each event once."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis import ids
from rapport.cases.v1.cases_events_pb2 import CaseOpened, CaseUpdated
from rapport.common.v1.states_pb2 import CASE_STATE_OPEN, CASE_STATE_RESOLVED
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule
from rapport.loyalty.v1.earning_service_pb2 import GetEarningRequest, ListEarningsRequest
from rapport.loyalty.v1.ledger_service_pb2 import ListEntriesRequest, ReverseTransferRequest
from rapport_testing.running import error_of, reason
from rapport_testing.wait import eventually

from .earning import held, in_force

RESOLVED = "rapport.cases.v1.CaseUpdated"


async def resolved(desk: Any, rule_id: str = "resolved", **given: Any) -> EarningRule:
    """A rule that gives 25 for a case that is resolved."""
    default = {
        "basis": EarningRule.BASIS_EVENT,
        "event_type": RESOLVED,
        "fixed_points": 25,
        "condition": "event.state == CaseState.CASE_STATE_RESOLVED",
    }
    return await in_force(desk, rule_id, **default | given)


async def tell(running: Any, kind: Any, customer: str, event_id: UUID | None = None, **fields: Any) -> UUID:
    case = f"cases/{uuid4()}"
    message = kind(case=case, customer=customer, **fields)
    told: UUID = await running.deliver(message, resource=case, source="cases", event_id=event_id)
    return told


async def earned(desk: Any, customer: str, count: int) -> list[Any]:
    """What a customer earned, once it is so much."""
    asked = ListEarningsRequest(filter=f'customer = "{customer}"')

    async def found() -> Any:
        earnings = list((await desk.earning.ListEarnings(asked)).earnings)
        return earnings if len(earnings) >= count else None

    return list(await eventually(found))


async def test_an_event_earns_once_however_often_it_is_told(running: Any, desk: Any) -> None:
    rule = await resolved(desk)
    customer, event_id = f"customers/{uuid4()}", ids.uuid7(running.db.clock.now())
    for _ in range(2):
        await tell(running, CaseUpdated, customer, event_id, state=CASE_STATE_RESOLVED)
    await tell(running, CaseUpdated, customer, state=CASE_STATE_OPEN)
    await tell(running, CaseOpened, customer)
    last = await tell(running, CaseUpdated, customer, state=CASE_STATE_RESOLVED)
    earnings = await earned(desk, customer, 3)
    points = {each.name: sum(award.points for award in each.awards) for each in earnings}
    assert sorted(points.values()) == [0, 25, 25]
    assert points[f"earnings/{event_id}"] == points[f"earnings/{last}"] == 25
    shown = await desk.earning.GetEarning(GetEarningRequest(name=f"earnings/{event_id}"))
    assert (shown.event_type, shown.purchase) == (RESOLVED, "")
    assert shown.awards[0].earning_rule == f"{rule.name}/versions/2"
    assert await held(desk, customer) == {"MEMBERSHIP": 50}
    # It stays in what the event earned: nobody takes it back beside that.
    page = await desk.ledger.ListEntries(ListEntriesRequest(parent=await desk.account_of(customer)))
    undo = ReverseTransferRequest(name=page.entries[0].transfer, reason_code="x", request_id=str(uuid4()))
    assert reason(await error_of(desk.ledger.ReverseTransfer(undo))) == "MANAGED_ACCOUNT"


async def test_what_happened_before_a_rule_was_in_force_earns_nothing_by_it(
    running: Any, desk: Any, clock: Any
) -> None:
    customer = f"customers/{uuid4()}"
    clock.advance(-timedelta(hours=1))
    await tell(running, CaseUpdated, customer, state=CASE_STATE_RESOLVED)
    clock.advance(timedelta(hours=1))
    await resolved(desk)
    await tell(running, CaseUpdated, customer, state=CASE_STATE_RESOLVED)
    (one,) = await earned(desk, customer, 1)
    assert one.awards[0].points == 25
    assert await held(desk, customer) == {"MEMBERSHIP": 25}


async def test_a_cap_holds_for_events_as_well(running: Any, desk: Any) -> None:
    await resolved(desk, caps=[EarningRule.Cap(points=40, holder="HOLDER_MEMBER", period="PERIOD_MONTH")])
    customer = f"customers/{uuid4()}"
    for _ in range(3):
        await tell(running, CaseUpdated, customer, state=CASE_STATE_RESOLVED)
    await earned(desk, customer, 3)
    assert await held(desk, customer) == {"MEMBERSHIP": 40}
