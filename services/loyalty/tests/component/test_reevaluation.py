"""Purchases are reckoned anew by other rules than those of then: previewed, and each once."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as Number

from chassis.context import Call, acting, service_itself
from loyalty.domain.value import ValueFormula
from loyalty.usecases import reevaluation, reevaluation_preview
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule
from rapport.loyalty.v1.earning_service_pb2 import (
    ActivateEarningRuleRequest,
    EndEarningRuleRequest,
    UpdateEarningRuleRequest,
)
from rapport.loyalty.v1.ledger_service_pb2 import GetTransferRequest
from rapport.loyalty.v1.membership_service_pb2 import CloseMembershipRequest
from rapport.loyalty.v1.program_pb2 import Program, Unit
from rapport.loyalty.v1.program_service_pb2 import CreateProgramRequest, CreateUnitRequest
from rapport.loyalty.v1.purchase_service_pb2 import (
    ExplainPurchaseRequest,
)
from rapport.loyalty.v1.reevaluation_job_pb2 import ReevaluationJob
from rapport.loyalty.v1.reevaluation_job_service_pb2 import (
    CancelReevaluationJobRequest,
    CreateReevaluationJobRequest,
    ExplainReevaluationJobRequest,
    GetReevaluationJobRequest,
    ListReevaluationJobsRequest,
    ListReevaluationResultsRequest,
    PreviewReevaluationJobRequest,
)
from rapport.loyalty.v1.reevaluation_job_service_pb2_grpc import ReevaluationJobServiceStub
from rapport_testing.running import error_of, reason
from rapport_testing.wait import eventually

from .earning import earning_of, held, in_force
from .test_earning import imported
from .test_purchase_lines import AT, basket, give_back, line, record

DAY = 86_400
REDEEMED = "programs/main/accounts/points-redeemed"


def asked(**given: Any) -> ReevaluationJob:
    """A job over what was bought around `AT`, by all rules of the program unless it is given otherwise."""
    span = {
        "start_time": Timestamp(seconds=AT.seconds - DAY),
        "end_time": Timestamp(seconds=AT.seconds + DAY),
    }
    by = {} if "earning_rule" in given else {"program": "programs/main"}
    return ReevaluationJob(**span | by | {"department": "departments/platform"} | given)


async def previewed(desk: Any, **given: Any) -> Any:
    return await desk.jobs.PreviewReevaluationJob(
        PreviewReevaluationJobRequest(reevaluation_job=asked(**given))
    )


async def begun(desk: Any, **given: Any) -> ReevaluationJob:
    digest = (await previewed(desk, **given)).rules_digest
    request = CreateReevaluationJobRequest(
        reevaluation_job=asked(**given), rules_digest=digest, request_id=str(uuid4())
    )
    made: ReevaluationJob = await desk.jobs.CreateReevaluationJob(request)
    return made


async def done(desk: Any, job: ReevaluationJob) -> ReevaluationJob:
    async def ended() -> Any:
        found = await desk.jobs.GetReevaluationJob(GetReevaluationJobRequest(name=job.name))
        return found if found.state != ReevaluationJob.STATE_RUNNING else None

    found: ReevaluationJob = await eventually(ended)
    return found


async def results(desk: Any, job: ReevaluationJob) -> dict[str, tuple[int, int]]:
    listed = await desk.jobs.ListReevaluationResults(ListReevaluationResultsRequest(parent=job.name))
    return {each.purchase: (each.earned_points, each.points) for each in listed.reevaluation_results}


async def becomes(desk: Any, rule: str = "base", **changes: Any) -> None:
    """A rule is otherwise from now on."""
    changed = EarningRule(name=f"earningRules/{rule}", **changes)
    await desk.earning.UpdateEarningRule(UpdateEarningRuleRequest(earning_rule=changed))
    await desk.earning.ActivateEarningRule(ActivateEarningRuleRequest(name=changed.name))


async def ends(desk: Any, rule: str = "base") -> None:
    await desk.earning.EndEarningRule(EndEarningRuleRequest(name=f"earningRules/{rule}"))


TWICE = {"points_per_currency_unit": Number(value="2")}


async def test_what_is_posted_is_what_the_preview_said_and_a_return_takes_back_all_of_it(desk: Any) -> None:
    await in_force(desk)
    first = await record(desk, basket(line("a", "2", "10"), line("b", "1", "5")))
    second = await record(desk, basket(line("a", "1", "40"), customer=first.customer))
    await give_back(desk, second)
    await becomes(desk, **TWICE)
    said = await previewed(desk, earning_rule="earningRules/base")
    assert (said.purchase_count, said.changed_count, said.debtor_count) == (2, 1, 0)
    assert [(each.added_points, each.taken_points) for each in said.changes] == [(15, 0)]
    (cost,), (of_department,) = said.rule_costs, said.department_costs
    assert (cost.earning_rule, cost.earned_points, cost.points) == ("earningRules/base", 15, 30)
    assert (of_department.department, of_department.points) == ("departments/platform", 30)
    assert [(each.purchase, each.earned_points, each.points) for each in said.largest] == [
        (first.name, 15, 30)
    ]
    assert await held(desk, first.customer) == {"MEMBERSHIP": 15}  # a preview posts nothing
    job = await done(desk, await begun(desk, earning_rule="earningRules/base"))
    assert (job.state, job.done_count, job.changed_count) == (ReevaluationJob.STATE_DONE, 2, 1)
    assert (job.earning_rule, list(job.changes)) == ("earningRules/base/versions/4", list(said.changes))
    assert await results(desk, job) == {first.name: (15, 30)}
    earned = await earning_of(desk, first)
    assert (earned.reevaluation_job, earned.awards[0].earning_rule) == (job.name, job.earning_rule)
    posted = await desk.ledger.GetTransfer(GetTransferRequest(name=earned.transfers[-1]))
    assert (posted.reason_code, posted.purchase) == ("reevaluated", first.name)
    await give_back(desk, first, line1="1")
    assert await held(desk, first.customer) == {"MEMBERSHIP": 20}
    await give_back(desk, first)
    assert await held(desk, first.customer) == {"MEMBERSHIP": 0}


async def test_why_leads_from_the_purchase_to_who_began_the_job(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "1", "10")))
    await becomes(desk, **TWICE)
    job = await done(desk, await begun(desk))
    told = await desk.purchases.ExplainPurchase(ExplainPurchaseRequest(name=bought.name))
    assert f"Reckoned anew by {job.name}" in told.summary
    explained = await desk.jobs.ExplainReevaluationJob(ExplainReevaluationJobRequest(name=job.name))
    assert [each.actor for each in explained.causes][-1] == "agents/alice"
    listed = await desk.jobs.ListReevaluationJobs(ListReevaluationJobsRequest(filter="state = DONE"))
    assert list(listed.reevaluation_jobs) == [job]


async def test_what_a_rule_gave_in_error_is_taken_back_and_what_is_spent_of_it_is_owed(desk: Any) -> None:
    await in_force(desk)
    await in_force(desk, "error", position=2, fixed_points=100)
    spent, left = [await record(desk, basket(line("a", "1", "10"))) for _ in range(2)]
    await desk.ledger.PostTransfer(desk.posting(await desk.account_of(spent.customer), REDEEMED, 80))
    await ends(desk, "error")
    said = await previewed(desk, earning_rule="earningRules/error")
    assert [(each.customer, each.owed_points) for each in said.debts] == [(spent.customer, 70)]
    assert said.changes[0].taken_points == 200
    await done(desk, await begun(desk, earning_rule="earningRules/error"))
    assert await held(desk, spent.customer) == {"MEMBERSHIP": 0, "DEBT": -70}
    assert await held(desk, left.customer) == {"MEMBERSHIP": 10}


async def test_what_was_bought_before_there_was_a_rule_earns_by_those_of_a_program(desk: Any) -> None:
    bought = await record(desk, basket(line("a", "1", "10"), store="store-8"))
    other = await record(desk, basket(line("a", "1", "10")))
    await in_force(desk)
    by_rule = await done(desk, await begun(desk, earning_rule="earningRules/base", customer=other.customer))
    assert (by_rule.purchase_count, await held(desk, other.customer)) == (1, {"MEMBERSHIP": 10})
    job = await done(desk, await begun(desk, store="store-8"))
    assert (job.purchase_count, await held(desk, bought.customer)) == (1, {"MEMBERSHIP": 10})
    again = await done(desk, await begun(desk))
    assert (again.purchase_count, again.changed_count) == (2, 0)


async def test_caps_hold_and_a_preview_knows_them(desk: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(reevaluation, "AT_ONCE", 2)
    monkeypatch.setattr(reevaluation_preview, "AT_ONCE", 2)
    cap = {"points": 100, "holder": "HOLDER_MEMBER", "period": "PERIOD_MONTH"}
    await in_force(desk, caps=[cap])
    customer = f"customers/{uuid4()}"
    for paid in ("30", "40", "20", "50"):
        await record(desk, basket(line("a", "1", paid), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 100}
    await becomes(desk, caps=[{**cap, "points": 150}], **TWICE)
    said = await previewed(desk)
    job = await done(desk, await begun(desk))
    assert list(job.changes) == list(said.changes)
    assert await held(desk, customer) == {"MEMBERSHIP": 150}
    await record(desk, basket(line("a", "1", "50"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 150}


async def test_a_correction_after_a_job_is_reckoned_by_its_rules(desk: Any) -> None:
    await in_force(desk)
    bought = await imported(desk, basket(line("a", "1", "10")))
    await becomes(desk, **TWICE)
    await done(desk, await begun(desk))
    await imported(desk, basket(line("a", "1", "30"), customer=bought.customer))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 60}


async def test_other_programs_and_closed_memberships_keep_what_they_have(desk: Any) -> None:
    await desk.programs.CreateProgram(
        CreateProgramRequest(program_id="air", program=Program(display_name="Air"))
    )
    await desk.programs.CreateUnit(
        CreateUnitRequest(parent="programs/air", unit_id="miles", unit=Unit(display_name="Miles"))
    )
    cap = {"points": 1000, "holder": "HOLDER_MEMBER"}
    await in_force(desk)
    await in_force(desk, "miles", unit="programs/air/units/miles", caps=[cap])
    bought = await record(desk, basket(line("a", "1", "10")))
    closed = await record(desk, basket(line("a", "1", "10")))
    member = await desk.membership_of(closed.customer)
    await desk.memberships.CloseMembership(
        CloseMembershipRequest(name=member.name, reason_code="gone", request_id=str(uuid4()))
    )
    await becomes(desk, **TWICE)
    await becomes(desk, "miles", caps=[cap], **TWICE)
    job = await done(desk, await begun(desk))
    assert await results(desk, job) == {bought.name: (10, 20)}
    points = {each.unit.split("/")[-1]: each.points for each in (await earning_of(desk, bought)).awards}
    assert points == {"points": 20, "miles": 10}
    (award,) = [each for each in (await earning_of(desk, closed)).awards if "points" in each.unit]
    assert award.points == 10


async def test_each_purchase_is_reckoned_once_however_often_a_job_goes_on(
    running: Any, desk: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(reevaluation, "AT_ONCE", 2)
    await in_force(desk)
    bought = [await record(desk, basket(line("a", "1", "10"))) for _ in range(5)]
    await becomes(desk, **TWICE)
    job = await begun(desk)
    formula = ValueFormula("1", "USD", Decimal(1), Decimal(2), Decimal(3))

    async def go_on() -> None:
        with acting(Call("again", service_itself("loyalty"))):
            async with running.db.transaction() as tx:
                await reevaluation.go_on(tx, formula, job.name.rpartition("/")[2])

    await asyncio.gather(*(go_on() for _ in range(4)))
    ended = await done(desk, job)
    await go_on()
    assert (ended.done_count, ended.changed_count) == (5, 5)
    assert [await held(desk, each.customer) for each in bought] == [{"MEMBERSHIP": 20}] * 5


async def test_a_job_is_given_up_by_its_department_alone_and_what_was_posted_stays(
    running: Any, desk: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(reevaluation, "AT_ONCE", 1)
    await in_force(desk)
    bought = [await record(desk, basket(line("a", "1", "10"))) for _ in range(3)]
    await becomes(desk, **TWICE)
    job = await begun(desk)
    rights = ["loyalty.reevaluation_jobs.write"]
    billing: Any = running.stub(ReevaluationJobServiceStub, permissions=rights, department="billing")
    cancel = CancelReevaluationJobRequest(name=job.name)
    assert reason(await error_of(billing.CancelReevaluationJob(cancel))) == "NOT_OWNER"
    ended = await desk.jobs.CancelReevaluationJob(cancel)
    assert [await held(desk, each.customer) for each in bought].count({"MEMBERSHIP": 20}) == ended.done_count
    assert await desk.jobs.CancelReevaluationJob(cancel) == ended
    theirs = CreateReevaluationJobRequest(
        reevaluation_job=asked(department="departments/billing"),
        rules_digest=(await previewed(desk)).rules_digest,
        request_id=str(uuid4()),
    )
    assert reason(await error_of(billing.CreateReevaluationJob(theirs))) == "NOT_OWNER"


async def test_what_cannot_be_reckoned_says_why(desk: Any, monkeypatch: Any) -> None:
    rule = await in_force(desk)
    await in_force(
        desk, "solved", basis=EarningRule.BASIS_EVENT, fixed_points=5,
        event_type="rapport.cases.v1.CaseResolved",
    )  # fmt: skip
    await record(desk, basket(line("a", "1", "10")))

    async def refused(**given: Any) -> str:
        return reason(await error_of(previewed(desk, **given)))

    assert await refused(earning_rule="earningRules/base/versions/1") == "RULE_NOT_IN_FORCE"
    assert await refused(earning_rule="earningRules/solved") == "EVENT_RULE"
    assert await refused(earning_rule="earningRules/base/versions/9") == "RESOURCE_NOT_FOUND"
    assert await refused(earning_rule="earningRules/none") == "RESOURCE_NOT_FOUND"
    assert await refused(earning_rule=rule.name, program="programs/main") == "REQUIRED"
    assert await refused(end_time=Timestamp(seconds=AT.seconds - 2 * DAY)) == "INVALID_TIME"
    digest = (await previewed(desk)).rules_digest
    await becomes(desk, **TWICE)
    stale = CreateReevaluationJobRequest(
        reevaluation_job=asked(), rules_digest=digest, request_id=str(uuid4())
    )
    assert reason(await error_of(desk.jobs.CreateReevaluationJob(stale))) == "RULES_CHANGED"
    monkeypatch.setattr("loyalty.domain.reevaluation.PURCHASES_MAX", 0)
    assert await refused() == "TOO_MANY_PURCHASES"
