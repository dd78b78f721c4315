"""The gRPC service of earning rules, and of what was earned by them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.wellknown import time_of
from chassis.errors import invalid
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get
from chassis.servicer import Rpc
from loyalty import names
from loyalty.domain import earning as kept
from loyalty.domain import earning_rule as domain
from loyalty.domain.earning_explanation import why_rule
from loyalty.domain.value import Purchase as Sold
from loyalty.domain.value import ValueFormula
from loyalty.rpc.purchases import PurchaseRpc
from loyalty.store import earning as store
from loyalty.store.purchases import SOME_PURCHASES
from loyalty.usecases import earning_rule
from loyalty.usecases.bought import Bought
from loyalty.usecases.earning_preview import evaluate, preview_rule
from loyalty.usecases.earning_rule import RuleDraft
from loyalty.usecases.evaluating import items_of
from rapport.loyalty.v1 import earning_service_pb2 as pb
from rapport.loyalty.v1.earning_rule_pb2 import Award, Earning, EarningRule
from rapport.loyalty.v1.earning_service_pb2_grpc import EarningServiceServicer
from rapport.loyalty.v1.purchase_pb2 import Purchase

_GIVEN: Any = Award.REASON_UNSPECIFIED
_REASONS: dict[str, Any] = {each.value: Award.Reason.Value(f"REASON_{each.name}") for each in kept.Reason}
_bought, _draft = into(Purchase, Bought), into(EarningRule, RuleDraft)


class EarningRpc(Rpc, EarningServiceServicer):
    """What members earn, and what they did."""

    rules: ClassVar[Rules] = {Purchase: PurchaseRpc.rules[Purchase]}

    formula: ValueFormula

    CreateEarningRule = change(pb.CreateEarningRuleRequest, earning_rule.create_earning_rule, EarningRule)
    UpdateEarningRule = change(pb.UpdateEarningRuleRequest, earning_rule.update_earning_rule, EarningRule)
    ActivateEarningRule = change(
        pb.ActivateEarningRuleRequest, earning_rule.activate_earning_rule, EarningRule
    )
    EndEarningRule = change(pb.EndEarningRuleRequest, earning_rule.end_earning_rule, EarningRule)
    ExplainEarningRule = explain(names.EARNING_RULE, store.EARNING_RULE, EarningRule, why_rule)
    _version = get(names.EARNING_RULE, store.EARNING_RULE, EarningRule, store.EARNING_RULE_VERSION)

    async def GetEarningRule(self, request: pb.GetEarningRuleRequest, context: Any) -> EarningRule:
        """A rule, or a version of it."""
        rule: EarningRule = await self._version(request, context)
        (active,) = await self._active([names.EARNING_RULE.match(rule.name.partition("/versions/")[0])])
        rule.active_version = active
        return rule

    async def ListEarningRules(
        self, request: pb.ListEarningRulesRequest, context: Any
    ) -> pb.ListEarningRulesResponse:
        """All rules."""
        page, token = await store.LIST_EARNING_RULES.page_together(self.db, request, self._shown)
        return pb.ListEarningRulesResponse(earning_rules=page, next_page_token=token)

    async def PreviewEarningRule(
        self, request: pb.PreviewEarningRuleRequest, context: Any
    ) -> pb.PreviewEarningRuleResponse:
        """What purchases of the past would have earned: nothing is written."""
        (rule_id,) = names.EARNING_RULE.parse(request.name)
        times = time_of(request, "start_time"), time_of(request, "end_time")
        preview = await preview_rule(self.db, self.formula, rule_id, _draft(request.earning_rule), *times)
        return to_message(pb.PreviewEarningRuleResponse, preview)

    async def EvaluatePurchase(
        self, request: pb.EvaluatePurchaseRequest, context: Any
    ) -> pb.EvaluatePurchaseResponse:
        """What a purchase would earn."""
        purchase = _bought(request.purchase).purchase(self.db.clock.now(), "")
        tried = await self._tried(request, context)
        recorded = names.PURCHASE.match(request.purchase.name)
        given = await evaluate(self.db, self.formula, purchase, tried, recorded[0] if recorded else None)
        return pb.EvaluatePurchaseResponse(awards=[award(each, purchase) for each in given])

    async def _tried(self, request: pb.EvaluatePurchaseRequest, context: Any) -> tuple[str, RuleDraft] | None:
        """The rule that is tried, as it was sent or as it is kept, and its id."""
        rule = request.earning_rule if request.HasField("earning_rule") else None
        if kept_rule := request.kept_earning_rule:
            if rule is not None:
                raise invalid("kept_earning_rule", "INVALID_NAME", "must be absent with earning_rule")
            rule = await self._version(pb.GetEarningRuleRequest(name=kept_rule), context)
        if rule is None:
            return None
        rule_id = names.EARNING_RULE.match(rule.name.partition("/versions/")[0])
        return rule_id[0] if rule_id else "tried", _draft(rule)

    async def GetEarning(self, request: pb.GetEarningRequest, context: Any) -> Earning:
        """What was earned."""
        row = await found(self.db, names.EARNING, store.GET_EARNING, *names.EARNING.parse(request.name))
        (shown,) = await self._earnings([row])
        return shown

    async def ListEarnings(self, request: pb.ListEarningsRequest, context: Any) -> pb.ListEarningsResponse:
        """What was earned, the latest first."""
        page, token = await store.LIST_EARNINGS.page_together(self.db, request, self._earnings)
        return pb.ListEarningsResponse(earnings=page, next_page_token=token)

    async def _earnings(self, rows: Sequence[kept.Earning]) -> list[Earning]:
        bought = {each.id: each for each in await SOME_PURCHASES.all(self.db, ids=[row.id for row in rows])}
        return [
            to_message(Earning, row, awards=[award(each, bought.get(row.id)) for each in row.given])
            for row in rows
        ]

    async def _shown(self, rules: Sequence[domain.EarningRule]) -> list[EarningRule]:
        active = await self._active([(rule.id,) for rule in rules])
        show = partial(to_message, EarningRule)
        return [show(rule, active_version=each) for rule, each in zip(rules, active, strict=True)]

    async def _active(self, ids: Sequence[Any]) -> list[int]:
        """The versions that are in force of rules; 0 of those without."""
        asked = [rule_id for (rule_id,) in ids]
        rows = await store.ACTIVE_VERSIONS.all(self.db, ids=asked, at=self.db.clock.now())
        of = {row["id"]: row["version"] for row in rows}
        return [of.get(each, 0) for each in asked]


def award(given: kept.Given, purchase: Sold | None) -> Award:
    """What a rule gave; of an event without a purchase."""
    numbers = [item.number for item in items_of(purchase)] if purchase else [0] * len(given.cells)
    lines = [
        Award.Line(
            line=number,
            points=points,
            points_left=left,
            reason=_REASONS[cell] if isinstance(cell, str) else _GIVEN,
        )
        for number, cell, points, left in zip(
            numbers, given.cells, given.points, given.standing, strict=False
        )
    ]
    reasons = {line.reason for line in lines}
    version = names.EARNING_RULE.version().format(given.rule, given.version)
    return Award(
        earning_rule=version,
        unit=names.UNIT.format(given.program, given.unit),
        points=sum(given.points),
        points_left=sum(given.standing),
        withheld_points=given.withheld,
        reason=reasons.pop() if len(reasons) == 1 else _GIVEN,
        lines=lines,
    )
