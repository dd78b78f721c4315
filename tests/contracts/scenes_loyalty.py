"""What there has to be before a request about points can be answered: see `scenes`."""

from collections.abc import Callable
from uuid import uuid4

from google.protobuf.message import Message

from rapport.loyalty.v1 import earning_rule_pb2, earning_service_pb2
from tests.contracts.scene import OWNER, Administer, Scene


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
}
