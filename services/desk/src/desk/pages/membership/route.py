"""`/customers/{id}/membership`: the membership of the main program that a customer earns on."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.errors import NotFound
from desk.pages.base import Look
from desk.pages.customer.loading import PAGE_S
from desk.pages.customer.route import UUID
from desk.pages.membership import view
from desk.pages.services import Services, ask
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.card_service_pb2 import FindMembershipRequest, ListCardsRequest, ListCardsResponse
from rapport.loyalty.v1.ledger_service_pb2 import (
    ListAccountsRequest,
    ListEntriesRequest,
    ListEntriesResponse,
)
from rapport.loyalty.v1.lot_service_pb2 import ListLotsRequest, ListLotsResponse
from rapport.loyalty.v1.member_service_pb2 import ListMembersRequest, ListMembersResponse
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.tier_pb2 import TierStanding
from rapport.loyalty.v1.tier_service_pb2 import GetTierStandingRequest, ListTiersRequest, ListTiersResponse

router = APIRouter()
PROGRAM = "programs/main"
LINES = 25  # of a statement
LOTS_MAX = 200


@router.get("/customers/{uuid}/membership")
async def shown(look: Look, uuid: str) -> Response:
    """The page."""
    if not UUID.fullmatch(uuid):
        raise NotFound(f"customers/{uuid}")
    customer, services = f"customers/{uuid}", look.services
    request = FindMembershipRequest(parent=PROGRAM, customer=customer)
    found = (await ask(PAGE_S, found=services.cards.FindMembership(request)))["found"]
    if found.refusal and found.refusal.code == "NOT_FOUND":
        known = await services.known([customer])
        nobody = view.Make(look.say, known).nobody(customer)
        return look.answer("pages/membership/page.html", page=nobody, trouble="")
    if found.value is None:
        raise found.refusal or NotFound(customer)
    membership: Membership = found.value
    asked = ListAccountsRequest(parent=PROGRAM, filter=f'membership = "{membership.name}"')
    accounts = list((await services.ledger.ListAccounts(asked)).accounts)
    parts = await ask(
        PAGE_S,
        members=services.members.ListMembers(ListMembersRequest(parent=membership.name, page_size=100)),
        cards=services.cards.ListCards(ListCardsRequest(parent=membership.name, page_size=100)),
        tiers=services.tiers.ListTiers(ListTiersRequest(parent=PROGRAM)),
        standing=services.tiers.GetTierStanding(
            GetTierStandingRequest(name=f"{membership.name}/tierStanding")
        ),
        units=_units(services, accounts),
    )
    members = parts.of("members", ListMembersResponse).members
    names = await ask(PAGE_S, known=services.known([customer, *(each.customer for each in members)]))
    page = view.Make(look.say, names.of("known", dict)).page(
        customer,
        membership,
        accounts,
        parts.of("units", list),
        parts.of("standing", TierStanding),
        parts.of("tiers", ListTiersResponse).tiers,
        members,
        parts.of("cards", ListCardsResponse).cards,
    )
    away = look.say("Loyalty does not answer; look again in a moment.")
    return look.answer("pages/membership/page.html", page=page, trouble=away if parts.away() else "")


async def _units(services: Services, accounts: Sequence[Account]) -> list[view.Found]:
    """Of each account that a member spends from what is in its lots, and what moved it last."""
    found = []
    for account in (each for each in accounts if each.type == Account.TYPE_MEMBERSHIP):
        lots: ListLotsResponse = await services.lots.ListLots(
            ListLotsRequest(parent=account.name, page_size=LOTS_MAX)
        )
        entries: ListEntriesResponse = await services.ledger.ListEntries(
            ListEntriesRequest(parent=account.name, page_size=LINES)
        )
        found.append(view.Found(account, list(lots.lots), list(entries.entries)))
    return found
