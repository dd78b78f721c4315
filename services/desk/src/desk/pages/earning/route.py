"""`/earningRules`: by what members earn, each rule with its versions; `/earnings/{id}`: why these points."""

from typing import Any
from uuid import UUID, uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import InvalidArgument, NotFound, Refusal
from desk.pages.base import Look, Looking
from desk.pages.earning import form as forms
from desk.pages.earning import view
from desk.pages.editing import marked
from desk.pages.services import ask, refusal_of
from desk.pages.work.route import CODE
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule
from rapport.loyalty.v1.earning_service_pb2 import (
    ActivateEarningRuleRequest,
    CreateEarningRuleRequest,
    EndEarningRuleRequest,
    EvaluatePurchaseRequest,
    GetEarningRequest,
    GetEarningRuleRequest,
    ListEarningRulesRequest,
    UpdateEarningRuleRequest,
)
from rapport.loyalty.v1.program_service_pb2 import ListProgramsRequest, ListUnitsRequest
from rapport.loyalty.v1.purchase_service_pb2 import (
    GetPurchaseRequest,
    ListPurchasesRequest,
    ListPurchasesResponse,
)

router = APIRouter()
ALL = 1000
VERSIONS = 50  # of one rule, the latest
LATEST = 20  # purchases to try one on
NEEDED_S = 4.0


@router.get("/earningRules")
async def rules(look: Look, purchase: UUID | None = None) -> Response:
    """All of them, in the order in which they are asked; to try one on a purchase, if one is said."""
    listed = await look.services.earning.ListEarningRules(ListEarningRulesRequest(page_size=ALL))
    return look.answer(
        "pages/earning/all.html",
        lines=view.lines(listed.earning_rules, look.say),
        more=bool(listed.next_page_token),
        trying=f"?purchase={purchase}" if purchase else "",
        may=look.viewer.may(view.WRITE),
    )


@router.get("/earningRules/new")
async def new(look: Look, purchase: UUID | None = None) -> Response:
    """A form for one more."""
    look.require(view.WRITE)
    blank = EarningRule(basis=EarningRule.BASIS_LINE)
    chosen = f"purchases/{purchase}" if purchase else ""
    return await _form(look, blank, tried=chosen, is_new=True, is_blank=True)


@router.post("/earningRules")
async def create(look: Look) -> Response:
    """Try it on a purchase, or keep it, as a draft."""
    look.require(view.WRITE)
    sent, typed = await _sent(look), EarningRule()
    shown: dict[str, Any] = {"tried": sent["purchase"], "is_new": True, "code": sent["earning_rule_id"]}
    shown |= {"sent": sent}
    try:
        typed = forms.typed(EarningRule(), sent, is_new=True)
        if sent["act"] == "try":
            return await _form(look, typed, **shown)
        request = CreateEarningRuleRequest(
            earning_rule_id=sent["earning_rule_id"], earning_rule=typed, request_id=sent["request_id"]
        )
        made = await look.services.earning.CreateEarningRule(request)
    except (grpc.aio.AioRpcError, InvalidArgument) as error:
        return await _form(look, typed, refusal=_refused(error), **shown)
    return RedirectResponse(f"/{made.name}", 303)


@router.get("/earningRules/{code}")
async def rule(look: Look, code: str, purchase: UUID | None = None) -> Response:
    """One, in its latest version, as a form for who may change it; tried on a purchase, if one is said."""
    found = await _found(look, code)
    return await _form(look, found, tried=f"purchases/{purchase}" if purchase else "")


@router.get("/earningRules/{code}/versions/{version}")
async def version(look: Look, code: str, version: int) -> Response:
    """One as it was, by which something was earned."""
    return await _form(look, await _found(look, code, f"/versions/{version}"), is_version=True)


@router.post("/earningRules/{code}")
async def update(look: Look, code: str) -> Response:
    """Try it on a purchase, keep it as a draft, put it in force, or end it."""
    found, sent = await _found(look, code), await _sent(look)
    typed = found
    try:
        typed = forms.typed(found, sent)
        if sent["act"] == "try":
            return await _form(look, typed, kept=found, sent=sent, tried=sent["purchase"])
        if sent["act"] == "activate" and not forms.is_kept(found, typed):
            return await _form(look, typed, kept=found, sent=sent, is_unkept=True)
        await _change(look, typed, sent)
    except (grpc.aio.AioRpcError, InvalidArgument) as error:
        refused = _refused(error)
        return await _form(look, typed, kept=found, sent=sent, refusal=refused, tried=sent["purchase"])
    return RedirectResponse(f"/{found.name}", 303)


async def _change(look: Looking, typed: EarningRule, sent: dict[str, str]) -> None:
    earning, etag, request_id = look.services.earning, sent["etag"], sent["request_id"]
    match sent["act"]:
        case "activate":
            look.require(view.ACTIVATE)
            request = ActivateEarningRuleRequest(name=typed.name, etag=etag, request_id=request_id)
            await earning.ActivateEarningRule(request)
        case "end":
            look.require(view.ACTIVATE)
            ended = EndEarningRuleRequest(name=typed.name, etag=etag, request_id=request_id)
            await earning.EndEarningRule(ended)
        case _:
            look.require(view.WRITE)
            typed.etag = etag
            mask = FieldMask(paths=forms.MASK)
            change = UpdateEarningRuleRequest(earning_rule=typed, update_mask=mask, request_id=request_id)
            await earning.UpdateEarningRule(change)


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


async def _sent(look: Looking) -> dict[str, str]:
    async with look.request.form(max_fields=60, max_files=0) as form:
        return {name: str(form.get(name, "")).strip() for name in forms.FIELDS}


def _refused(error: grpc.aio.AioRpcError | InvalidArgument) -> Refusal:
    return error if isinstance(error, Refusal) else refusal_of(error)


async def _form(
    look: Looking,
    rule: EarningRule,
    *,
    kept: EarningRule | None = None,
    sent: dict[str, str] | None = None,
    is_unkept: bool = False,
    refusal: Refusal | None = None,
    tried: str = "",
    is_version: bool = False,
    is_new: bool = False,
    is_blank: bool = False,
    code: str = "",
) -> Response:
    say, viewer, rows = look.say, look.viewer, None
    if tried and refusal is None and not is_blank:
        try:
            bought = await look.services.purchases.GetPurchase(GetPurchaseRequest(name=tried))
            request = EvaluatePurchaseRequest(purchase=bought, earning_rule=rule)
            answer = await look.services.earning.EvaluatePurchase(request)
            rows = view.rows(answer.awards, say, rule.name or "earningRules/tried")
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
    kept = kept or rule
    there = {*forms.FIELDS} - {*forms.HIDDEN, *(() if is_new else ("earning_rule_id", "basis", *forms.BORN))}
    errors = marked(refusal, say.language, there, forms.field_of)
    latest = rule.version
    told = say("Not done yet: look at what is marked.") if errors else say.refusal(refusal) if refusal else ""
    unkept = say("What was typed is not kept yet, so it is not put in force: keep it as a draft first.")
    return look.answer(
        "pages/earning/new.html" if is_new else "pages/earning/one.html",
        422 if refusal or is_unkept else 200,
        rule=rule,
        kept=kept,
        line=view.line(kept, say),
        caps=view.caps(kept, say),
        numbers=forms.numbers(rule, sent),
        cap_rows=view.cap_rows(rule),
        holders=[(f"HOLDER_{name}", say(told)) for name, told in view.HOLDERS.items()],
        periods=[("PERIOD_UNSPECIFIED", say("ever"))]
        + [(f"PERIOD_{name}", say(told)) for name, told in view.PERIODS.items()],
        bases=[(f"BASIS_{name}", say(told)) for name, told in view.BASES.items()],
        reads=view.READ_MOST,
        basis=EarningRule.Basis.Name(rule.basis),
        dates=view.dates(rule),
        request_id=str(uuid4()),
        refusal=unkept if is_unkept else told,
        errors=errors,
        may=is_new or (not is_version and viewer.may_change(view.WRITE, rule.department)),
        may_activate=not is_version and viewer.may_change(view.ACTIVATE, rule.department),
        tried=tried,
        purchases=[] if is_version else await _purchases(look, tried),
        units=await _units(look) if is_new else [],
        code=code,
        rows=rows,
        versions=[] if is_version else list(range(latest, max(0, latest - VERSIONS), -1)),
    )


async def _purchases(look: Looking, tried: str) -> list[tuple[str, str]]:
    """The latest ones, to try it on; and the one that it was tried on."""
    request = ListPurchasesRequest(page_size=LATEST)
    parts = await ask(NEEDED_S, listed=look.services.purchases.ListPurchases(request))
    listed = parts.of("listed", ListPurchasesResponse)
    found = view.purchases(listed.purchases, look.say)
    return (
        found if not tried or tried in dict(found) else [(tried, look.say("The one it was tried on")), *found]
    )


async def _units(look: Looking) -> list[tuple[str, str]]:
    """What a rule can give: the units of all programs."""
    programs = (await look.services.programs.ListPrograms(ListProgramsRequest(page_size=ALL))).programs
    found = []
    for each in programs:
        listed = await look.services.programs.ListUnits(ListUnitsRequest(parent=each.name, page_size=ALL))
        found += [(unit.name, f"{each.display_name}: {unit.display_name}") for unit in listed.units]
    return found
