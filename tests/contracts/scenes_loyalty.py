"""What there has to be before a request about points can be answered: see `scenes`."""

from collections.abc import Callable
from uuid import uuid4

from google.protobuf.message import Message

from rapport.loyalty.v1 import (
    earning_rule_pb2,
    earning_service_pb2,
    reevaluation_job_pb2,
    reevaluation_job_service_pb2,
)
from tests.contracts.scene import BEFORE, LATER, OWNER, Administer, Scene


async def create_earning_rule(_: Administer) -> Message:
    rule = earning_rule_pb2.EarningRule(
        department=OWNER, unit="programs/main/units/points", basis="BASIS_LINE", fixed_points=1
    )
    return earning_service_pb2.CreateEarningRuleRequest(earning_rule_id=f"r{uuid4().hex}", earning_rule=rule)


def with_earning_rule(request: Callable[[str], Message]) -> Scene:
    """What changes a rule of billing's."""

    async def scene(do: Administer) -> Message:
        made = await do("EarningService.CreateEarningRule", await create_earning_rule(do))
        return request(made.name)

    return scene


async def create_reevaluation_job(do: Administer) -> Message:
    rule = await do("EarningService.CreateEarningRule", await create_earning_rule(do))
    activate = earning_service_pb2.ActivateEarningRuleRequest(name=rule.name)
    await do("EarningService.ActivateEarningRule", activate)
    job = reevaluation_job_pb2.ReevaluationJob(
        department=OWNER, earning_rule=rule.name, start_time=BEFORE, end_time=LATER
    )
    preview = reevaluation_job_service_pb2.PreviewReevaluationJobRequest(reevaluation_job=job)
    said = await do("ReevaluationJobService.PreviewReevaluationJob", preview)
    return reevaluation_job_service_pb2.CreateReevaluationJobRequest(
        reevaluation_job=job, rules_digest=said.rules_digest, request_id=str(uuid4())
    )


async def cancel_reevaluation_job(do: Administer) -> Message:
    request = await create_reevaluation_job(do)
    made = await do("ReevaluationJobService.CreateReevaluationJob", request)
    return reevaluation_job_service_pb2.CancelReevaluationJobRequest(name=made.name)


SCENES: dict[str, Scene] = {
    "loyalty.EarningService.CreateEarningRule": create_earning_rule,
    "loyalty.EarningService.UpdateEarningRule": with_earning_rule(
        lambda name: earning_service_pb2.UpdateEarningRuleRequest(
            earning_rule=earning_rule_pb2.EarningRule(name=name, position=7)
        )
    ),
    "loyalty.EarningService.ActivateEarningRule": with_earning_rule(
        lambda name: earning_service_pb2.ActivateEarningRuleRequest(name=name)
    ),
    "loyalty.EarningService.EndEarningRule": with_earning_rule(
        lambda name: earning_service_pb2.EndEarningRuleRequest(name=name)
    ),
    "loyalty.ReevaluationJobService.CreateReevaluationJob": create_reevaluation_job,
    "loyalty.ReevaluationJobService.CancelReevaluationJob": cancel_reevaluation_job,
}
