"""`/earningRules`: by what members earn, each rule with its versions; `/earnings/{id}`: why these points."""

from typing import Any
from uuid import UUID, uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal

from chassis.errors import NotFound, Refusal
from desk.pages.base import Look, Looking
from desk.pages.earning import view
from desk.pages.services import refusal_of
from desk.pages.work.route import CODE
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule
from rapport.loyalty.v1.earning_service_pb2 import (
    ActivateEarningRuleRequest,
    EndEarningRuleRequest,
    EvaluatePurchaseRequest,
    GetEarningRequest,
    GetEarningRuleRequest,
    ListEarningRulesRequest,
    UpdateEarningRuleRequest,
)
from rapport.loyalty.v1.purchase_service_pb2 import GetPurchaseRequest

router = APIRouter()
ALL = 1000
VERSIONS = 50  # of one rule, the latest
_TYPED = (
    "display_name",
    "condition",
    "points_per_currency_unit",
    "currency_code",
    "fixed_points",
    "multiplier",
    "position",
    "exclusive_group",
)
_DIGITS = 9


@router.get("/earningRules")
async def rules(look: Look) -> Response:
    """All of them, in the order in which they are asked."""
    listed = await look.services.earning.ListEarningRules(ListEarningRulesRequest(page_size=ALL))
    return look.answer(
        "pages/earning/all.html",
        lines=view.lines(listed.earning_rules, look.say),
        more=bool(listed.next_page_token),
    )


@router.get("/earningRules/{code}")
async def rule(look: Look, code: str) -> Response:
    """One, in its latest version, as a form for who may change it."""
    return await _form(look, await _found(look, code))


@router.get("/earningRules/{code}/versions/{version}")
async def version(look: Look, code: str, version: int) -> Response:
    """One as it was, by which something was earned."""
    return await _form(look, await _found(look, code, f"/versions/{version}"), is_version=True)


@router.post("/earningRules/{code}")
async def update(look: Look, code: str) -> Response:
    """Try it on a purchase, keep it as a draft, put it in force, or end it."""
    found = await _found(look, code)
    async with look.request.form(max_fields=50, max_files=0) as form:
        sent = {name: str(form.get(name, "")).strip() for name in (*_TYPED, "act", "etag", "purchase")}
        request_id = str(form.get("request_id", ""))
    name, etag = found.name, sent["etag"]
    typed = _typed(found, sent)
    try:
        match sent["act"]:
            case "try":
                return await _form(look, typed, tried=sent["purchase"])
            case "activate":
                look.require(view.ACTIVATE)
                request = ActivateEarningRuleRequest(name=name, etag=etag, request_id=request_id)
                await look.services.earning.ActivateEarningRule(request)
            case "end":
                look.require(view.ACTIVATE)
                ended = EndEarningRuleRequest(name=name, etag=etag, request_id=request_id)
                await look.services.earning.EndEarningRule(ended)
            case _:
                look.require(view.WRITE)
                typed.etag = etag
                change = UpdateEarningRuleRequest(
                    earning_rule=typed, update_mask=FieldMask(paths=_TYPED), request_id=request_id
                )
                await look.services.earning.UpdateEarningRule(change)
    except grpc.aio.AioRpcError as error:
        return await _form(look, typed, refusal=refusal_of(error), tried=sent["purchase"])
    return RedirectResponse(f"/{name}", 303)


@router.get("/earnings/{earning}")
async def earning(look: Look, earning: UUID) -> Response:
    """What a purchase earned, rule by rule and line by line, and why not."""
    earned = await look.services.earning.GetEarning(GetEarningRequest(name=f"earnings/{earning}"))
    return look.answer("pages/earning/earned.html", earned=earned, rows=view.rows(earned.awards, look.say))


async def _found(look: Looking, code: str, version: str = "") -> EarningRule:
    if not CODE.fullmatch(code):
        raise NotFound("earningRules/…")
    request = GetEarningRuleRequest(name=f"earningRules/{code}{version}")
    found: EarningRule = await look.services.earning.GetEarningRule(request)
    return found


def _typed(before: EarningRule, sent: dict[str, str]) -> EarningRule:
    """What was typed; what the form does not have stays."""
    typed = EarningRule()
    typed.CopyFrom(before)
    for name in ("display_name", "condition", "currency_code", "exclusive_group"):
        setattr(typed, name, sent[name])
    for name in ("fixed_points", "position"):
        setattr(typed, name, _number(sent[name]))
    for name in ("points_per_currency_unit", "multiplier"):
        typed.ClearField(name)  # type: ignore[arg-type]  # one of the two
        if sent[name]:
            getattr(typed, name).CopyFrom(Decimal(value=sent[name]))
    return typed


def _number(typed: str) -> int:
    """A number, or 0; what is none is refused as a negative one is."""
    if not typed:
        return 0
    return int(typed) if typed.isdecimal() and len(typed) <= _DIGITS else -1


async def _form(
    look: Looking,
    rule: EarningRule,
    *,
    refusal: Refusal | None = None,
    tried: str = "",
    is_version: bool = False,
) -> Response:
    rows: Any = None
    if tried and refusal is None:
        try:
            bought = await look.services.purchases.GetPurchase(GetPurchaseRequest(name=tried))
            request = EvaluatePurchaseRequest(purchase=bought, earning_rule=rule)
            answer = await look.services.earning.EvaluatePurchase(request)
            rows = view.rows(answer.awards, look.say)
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
    latest = rule.version
    return look.answer(
        "pages/earning/one.html",
        422 if refusal else 200,
        rule=rule,
        line=view.line(rule, look.say),
        caps=view.caps(rule, look.say),
        request_id=str(uuid4()),
        refusal=look.say.refusal(refusal) if refusal else "",
        may=not is_version and look.viewer.may_change(view.WRITE, rule.department),
        may_activate=not is_version and look.viewer.may_change(view.ACTIVATE, rule.department),
        tried=tried,
        rows=rows,
        versions=[] if is_version else list(range(latest, max(0, latest - VERSIONS), -1)),
    )
