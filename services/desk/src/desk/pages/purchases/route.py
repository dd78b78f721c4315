"""`/purchases`: by customer, store, receipt and product; `/purchases/{id}`: its lines, and what came back."""

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.errors import invalid
from desk.pages.base import Look
from desk.pages.customer.route import UUID
from desk.pages.purchases import view
from desk.pages.services import ask
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1.earning_rule_pb2 import Earning
from rapport.loyalty.v1.earning_service_pb2 import GetEarningRequest
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    GetPurchaseRequest,
    ListPurchasesRequest,
    ListPurchasesResponse,
)

router = APIRouter(prefix="/purchases")
PAGE, RETURNS_MAX, NEEDED_S = 50, 1000, 4.0
# By what purchases are found, and as what the service knows it.
_FIELDS = {"customer": "customer", "store": "store", "receipt": "reference", "product": "lines.product"}


@router.get("")
async def purchases(look: Look, after: str = "") -> Response:
    """The page, or what comes after a part of it."""
    chosen = _chosen(look.request.query_params)
    request = ListPurchasesRequest(filter=_filter(chosen), page_size=PAGE, page_token=after)
    answered = await look.services.purchases.ListPurchases(request)
    people = {each.customer for each in answered.purchases}
    parts = await ask(NEEDED_S, customers=look.services.known(people))
    lines = view.lines(answered.purchases, parts.of("customers", dict[str, Customer]), look.say)
    token = answered.next_page_token
    further = f"/purchases?{urlencode(chosen | {'after': token})}" if token else ""
    if look.is_fragment:
        return look.answer("pages/purchases/rows.html", lines=lines, further=further)
    return look.answer(
        "pages/purchases/page.html", lines=lines, further=further, chosen=dict.fromkeys(_FIELDS, "") | chosen
    )


@router.get("/{purchase_id}")
async def purchase(look: Look, purchase_id: str) -> Response:
    """One purchase: each line, what was given back of it, and by which purchases."""
    if not UUID.fullmatch(purchase_id):
        raise invalid("purchase", "INVALID_NAME", "must be the id of a purchase")
    services = look.services
    found: Purchase = await services.purchases.GetPurchase(
        GetPurchaseRequest(name=f"purchases/{purchase_id}")
    )
    back = ListPurchasesRequest(filter=f'returned_purchase = "{found.name}"', page_size=RETURNS_MAX)
    parts = await ask(
        NEEDED_S,
        returns=services.purchases.ListPurchases(back),
        customers=services.known([found.customer]),
        earned=services.earning.GetEarning(GetEarningRequest(name=f"earnings/{purchase_id}")),
    )
    earned = parts.of("earned", Earning) if parts.has("earned") else None
    listed = parts.of("returns", ListPurchasesResponse)
    return look.answer(
        "pages/purchases/one.html",
        purchase=view.shown(found, parts.of("customers", dict[str, Customer]), look.say),
        products=view.products(found, listed.purchases, look.say),
        returns=view.lines(listed.purchases, {}, look.say),
        earned=look.say.number(sum(each.points_left for each in earned.awards)) if earned else "",
        trouble="" if parts.has("returns") else look.say("What came back is not known at the moment."),
    )


def _chosen(params: Mapping[str, str]) -> dict[str, str]:
    """What purchases are looked for by. InvalidArgument for what is no customer."""
    asked = {name: params.get(name, "").strip() for name in _FIELDS}
    if asked["customer"] and not UUID.fullmatch(asked["customer"]):
        raise invalid("customer", "INVALID_NAME", "must be the id of a customer")
    return {name: value for name, value in asked.items() if value}


def _filter(chosen: Mapping[str, str]) -> str:
    """For `ListPurchases`."""
    whose = {"customer": f"customers/{chosen['customer']}"} if "customer" in chosen else {}
    values = {**chosen, **whose}
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in values.items()}
    return " AND ".join(f'{_FIELDS[name]} = "{value}"' for name, value in quoted.items())
