"""`/redeem`: the till, where a card or a code is typed; `/customers/{id}/redeem`: what they can have."""

from typing import Any
from uuid import uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from chassis.errors import NotFound, Refusal
from desk.pages.base import Look, Looking
from desk.pages.customer.loading import PAGE_S, Names
from desk.pages.customer.route import UUID
from desk.pages.membership.holding import holder
from desk.pages.services import ask, refusal_of
from desk.pages.vouchers import view
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1 import reward_service_pb2 as rewards
from rapport.loyalty.v1 import voucher_service_pb2 as pb
from rapport.loyalty.v1.goodwill_service_pb2 import ListGoodwillRequest, ListGoodwillResponse
from rapport.loyalty.v1.reward_service_pb2 import CheckRewardsRequest, CheckRewardsResponse

router = APIRouter()
LISTED = 100


@router.get("/redeem")
async def till(look: Look) -> Response:
    """Where a card or a code is typed."""
    return _till(look)


@router.post("/redeem")
async def found(look: Look) -> Response:
    """Go to whose card it is; or say what a code is worth, or use it. Neither is ever in an address."""
    sent = await _sent(look, "act", "card", "code", "reference", "request_id")
    services = look.services
    try:
        customer = ""
        if sent["card"]:
            customer = await holder(services, sent["card"])
        if sent["act"] == "find":
            return RedirectResponse(f"/{customer}/redeem" if customer else "/redeem", 303)
        if sent["act"] == "use":
            said = {name: sent[name] for name in ("code", "reference", "request_id")}
            used = await services.vouchers.UseVoucher(pb.UseVoucherRequest(customer=customer, **said))
            told = look.say("It is used.") if used.HasField("use") else view.outcome(used.outcome, look.say)
            return _till(look, answer=used, told=told)
        request_id = sent["request_id"]
        asked = pb.ValidateVoucherRequest(code=sent["code"], customer=customer, request_id=request_id)
        answer = await services.vouchers.ValidateVoucher(asked)
        return _till(look, sent=sent, answer=answer, told=view.outcome(answer.outcome, look.say))
    except (grpc.aio.AioRpcError, Refusal) as error:
        return _till(look, sent=sent, refusal=refusal_of(error))


def _till(
    look: Looking,
    *,
    sent: dict[str, str] | None = None,
    answer: Any = None,
    told: str = "",
    refusal: Refusal | None = None,
) -> Response:
    has = answer is not None and answer.HasField("voucher")
    return look.answer(
        "pages/vouchers/till.html",
        422 if refusal else 200,
        sent=sent or {},
        told=told,
        ticket=view.ticket(answer.voucher, look.say) if has else None,
        refusal=look.say.refusal(refusal) if refusal else "",
        request_id=str(uuid4()),
    )


@router.get("/customers/{uuid}/redeem")
async def shown(look: Look, uuid: str) -> Response:
    """What a customer can have now, what is set aside for them, and what they were given."""
    return await _shown(look, uuid)


@router.post("/customers/{uuid}/redeem")
async def acted(look: Look, uuid: str) -> Response:
    """Redeem, hand over, give up; issue, replace or cancel a voucher. A code is said in this answer alone."""
    sent = await _sent(look, "act", "name", "request_id")
    try:
        code = await _act(look, uuid, sent)
    except grpc.aio.AioRpcError as error:
        return await _shown(look, uuid, refusal=refusal_of(error))
    if code is not None:
        return await _shown(look, uuid, code=code or look.say("It was said before: have it replaced."))
    return RedirectResponse(f"/customers/{uuid}/redeem", 303)


async def _act(look: Looking, uuid: str, sent: dict[str, str]) -> str | None:
    """Do it; the code of what is handed over, None of what has none."""
    name, once, services = sent["name"], sent["request_id"], look.services
    match sent["act"]:
        case "redeem":
            asked = rewards.RedeemRewardRequest(reward=name, customer=f"customers/{uuid}", request_id=once)
            await services.rewards.RedeemReward(asked)
        case "give-up":
            await services.rewards.CancelRedemption(
                rewards.CancelRedemptionRequest(name=name, request_id=once)
            )
        case "hand-over":
            held = await services.rewards.GetRedemption(rewards.GetRedemptionRequest(name=name))
            version = f"{held.reward}/versions/{held.reward_version}"
            reward = await services.rewards.GetReward(rewards.GetRewardRequest(name=version))
            if reward.HasField("voucher"):
                issued = pb.IssueVoucherRequest(redemption=name, request_id=once)
                return str((await services.vouchers.IssueVoucher(issued)).code)
            await services.rewards.FulfillRedemption(
                rewards.FulfillRedemptionRequest(name=name, request_id=once)
            )
        case "issue":
            granted = pb.IssueVoucherRequest(goodwill=name, request_id=once)
            return str((await services.vouchers.IssueVoucher(granted)).code)
        case "replace":
            other = pb.ReplaceVoucherCodeRequest(name=name, request_id=once)
            return str((await services.vouchers.ReplaceVoucherCode(other)).code)
        case "cancel":
            await services.vouchers.CancelVoucher(
                pb.CancelVoucherRequest(name=name, reason_code="cancelled-at-desk", request_id=once)
            )
    return None


async def _shown(look: Looking, uuid: str, *, code: str = "", refusal: Refusal | None = None) -> Response:
    if not UUID.fullmatch(uuid):
        raise NotFound(f"customers/{uuid}")
    customer, services, say = f"customers/{uuid}", look.services, look.say
    of = f'customer = "{customer}"'
    waiting = rewards.ListRedemptionsRequest(filter=f"{of} AND state = RESERVED", page_size=LISTED)
    parts = await ask(
        PAGE_S,
        known=services.known([customer]),
        checks=services.rewards.CheckRewards(CheckRewardsRequest(customer=customer)),
        kept=services.rewards.ListRedemptions(waiting),
        vouchers=services.vouchers.ListVouchers(pb.ListVouchersRequest(filter=of, page_size=LISTED)),
        goodwill=services.goodwill.ListGoodwill(ListGoodwillRequest(filter=of, page_size=LISTED)),
    )
    given = parts.of("goodwill", ListGoodwillResponse).goodwill
    names = Names(look.viewer, look.memory)
    await names.learn(services, {each.grantor or each.requester for each in given} - {""})
    tickets = parts.of("vouchers", pb.ListVouchersResponse).vouchers
    people: dict[str, Customer] = parts.of("known", dict)
    known = people.get(customer)
    return look.answer(
        "pages/vouchers/customer.html",
        422 if refusal else 200,
        {"cache-control": "no-store"},
        customer=customer,
        title=(known.display_name if known else "") or say("A customer"),
        offers=view.offers(parts.of("checks", CheckRewardsResponse).checks, say),
        kept=[view.kept(each, say) for each in parts.of("kept", rewards.ListRedemptionsResponse).redemptions],
        tickets=[view.ticket(each, say) for each in tickets],
        grants=[view.grant(each, names, say) for each in given],
        issued={each.goodwill for each in tickets},
        code=code,
        refusal=say.refusal(refusal) if refusal else "",
        trouble=say("Loyalty does not answer; look again in a moment.") if parts.away() else "",
        request_id=str(uuid4()),
    )


async def _sent(look: Looking, *names: str) -> dict[str, str]:
    async with look.request.form(max_fields=20, max_files=0) as form:
        return {name: str(form.get(name, "")).strip() for name in names}
