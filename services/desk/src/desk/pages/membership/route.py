"""`/customers/{id}/membership`: the one that they earn on, of each program; shown anew after each act."""

import asyncio
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from chassis.errors import NotFound
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.loading import PAGE_S
from desk.pages.customer.route import UUID
from desk.pages.membership import statement, view
from desk.pages.membership.holding import MAIN, accounts_of, found_in, program_of, programs, summary
from desk.pages.membership.points import Found
from desk.pages.services import Parts, Services, any_of, ask
from desk.ui import words
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest, ListTimelineEntriesResponse
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.card_service_pb2 import ListCardsRequest, ListCardsResponse
from rapport.loyalty.v1.ledger_service_pb2 import ListEntriesRequest
from rapport.loyalty.v1.lot_service_pb2 import ListLotsRequest
from rapport.loyalty.v1.member_service_pb2 import ListMembersRequest, ListMembersResponse
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2 import ListMembershipsRequest
from rapport.loyalty.v1.program_pb2 import Program
from rapport.loyalty.v1.tier_pb2 import TierStanding
from rapport.loyalty.v1.tier_service_pb2 import GetTierStandingRequest, ListTiersRequest, ListTiersResponse

router = APIRouter()
router.include_router(statement.router)
LINES = 10  # of a statement
LOTS_MAX, HISTORY = 200, 10
_TIER_FACTS = [f"rapport.loyalty.v1.Tier{each}" for each in ("Upgraded", "Downgraded", "DowngradeExpected")]


@router.get("/customers/{uuid}/membership")
async def shown(look: Look, uuid: str, program: str = "") -> Response:
    """The page of a program: the one that is named, else the first that they are in."""
    customer, services = _customer(uuid), look.services
    found = (await ask(PAGE_S, found=_everywhere(services, customer)))["found"]
    if found.value is None:
        raise found.refusal or NotFound(customer)
    listed, held = found.value
    chosen = f"programs/{program}" if program else next(iter(held), MAIN)
    if program and chosen not in [each.name for each in listed]:
        raise NotFound(chosen)
    title, trouble, cards = await _cards(look, customer, chosen, held.get(chosen))
    choices = [
        (words.last(each.name), each.display_name, each.name == chosen)
        for each in listed
        if each.name in {*held, chosen, MAIN}
    ]
    return look.answer(
        "pages/membership/page.html",
        uuid=uuid,
        program=words.last(chosen),
        choices=choices,
        title=title,
        trouble=trouble,
        cards=cards,
    )


@router.get("/membership/{uuid}/{program}/cards")
async def fresh_cards(look: Look, uuid: str, program: str) -> JSONResponse:
    """Every card as it is now."""
    customer, of = _customer(uuid), Program(name=f"programs/{program}")
    found = (await ask(PAGE_S, found=found_in(look.services, [of], customer=customer)))["found"]
    if found.value is None:
        raise found.refusal or NotFound(customer)
    _, _, cards = await _cards(look, customer, of.name, next(iter(found.value), None))
    return JSONResponse(message(f"membership/{uuid}/{program}", cards, look.say.now))


def _customer(uuid: str) -> str:
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    return f"customers/{uuid}"


async def _everywhere(
    services: Services, customer: str
) -> tuple[Sequence[Program], Mapping[str, Membership]]:
    """All programs, and of those that a customer is in the membership that they earn on, by program."""
    listed = await programs(services)
    found = await found_in(services, listed, customer=customer)
    return listed, {program_of(each.name): each for each in found}


async def _cards(
    look: Looking, customer: str, program: str, membership: Membership | None
) -> tuple[str, str, dict[str, Card]]:
    """What the customer is called, what is not known now, and the cards."""
    asked, is_whole = await _asked(look, customer, program, membership)
    made = macros("pages/membership/cards.html", say=look.say, viewer=look.viewer)
    page = view.page(asked, look.viewer, look.say)
    cards = {name: card(getattr(made, name)(part)) for name, part in page.items()}
    found = (asked.known or {}).get(asked.customer, Customer())
    trouble = "" if is_whole else look.say("Loyalty does not answer; look again in a moment.")
    return found.display_name or look.say("A customer"), trouble, cards


async def _asked(
    look: Looking, customer: str, program: str, membership: Membership | None
) -> tuple[view.Asked, bool]:
    services = look.services
    if membership is None:
        return view.Asked(customer, program, None, known=await services.known([customer])), True
    parts = await _parts(services, customer, membership)
    members = parts.of("members", ListMembersResponse).members
    merged, others = parts.of("merged", list[Membership]), parts.of("others", list[Membership])
    people = {customer, *view.people(members, merged)}
    further = await ask(
        PAGE_S,
        known=services.known(people),
        others=asyncio.gather(*(summary(services, each.name, look.say) for each in others)),
    )
    asked = view.Asked(
        customer,
        program,
        membership,
        accounts=parts.of("accounts", list),
        units=parts.of("units", list),
        standing=parts.of("standing", TierStanding),
        tiers=parts.of("tiers", ListTiersResponse).tiers,
        history=parts.of("history", ListTimelineEntriesResponse).timeline_entries,
        members=members,
        cards=parts.of("cards", ListCardsResponse).cards,
        parts=merged,
        others=list(zip(others, further.of("others", list), strict=False)),
        known=further.of("known", dict),
    )
    return asked, not (parts.away() or further.away())


async def _parts(services: Services, customer: str, membership: Membership) -> Parts:
    """Everything at once. What has no account yet is asked nothing of."""
    name = membership.name
    accounts = (await ask(PAGE_S, accounts=accounts_of(services, name)))["accounts"]
    parts = await ask(
        PAGE_S,
        units=_units(services, accounts.value or ()),
        members=services.members.ListMembers(ListMembersRequest(parent=name, page_size=100)),
        cards=services.cards.ListCards(ListCardsRequest(parent=name, page_size=100)),
        tiers=services.tiers.ListTiers(ListTiersRequest(parent=program_of(name))),
        standing=services.tiers.GetTierStanding(GetTierStandingRequest(name=f"{name}/tierStanding")),
        history=services.timeline.ListTimelineEntries(
            ListTimelineEntriesRequest(
                parent=membership.customer,
                filter=f'resource = "{name}/tierStanding" AND {any_of("event_type", _TIER_FACTS)}',
                page_size=HISTORY,
            )
        ),
        merged=_memberships(services, f'merged_into = "{name}"', membership),
        others=_memberships(services, f'customer = "{customer}"', membership),
    )
    return Parts({"accounts": accounts} | parts)


async def _memberships(services: Services, filter: str, but: Membership) -> list[Membership]:
    """Those that a filter finds: what is part of the one that is shown; or active, and another than it."""
    request = ListMembershipsRequest(parent=program_of(but.name), filter=filter, page_size=50)
    listed = await services.memberships.ListMemberships(request)
    wanted = (Membership.STATE_MERGED if filter.startswith("merged") else Membership.STATE_ACTIVE,)
    return [each for each in listed.memberships if each.state in wanted and each.name != but.name]


async def _units(services: Services, accounts: Sequence[Account]) -> list[Found]:
    """Of each account that a member spends from what is in its lots, and what moved it last."""

    async def found(account: Account) -> Found:
        lots, entries = await asyncio.gather(
            services.lots.ListLots(ListLotsRequest(parent=account.name, page_size=LOTS_MAX)),
            services.ledger.ListEntries(ListEntriesRequest(parent=account.name, page_size=LINES)),
        )
        return Found(account, list(lots.lots), list(entries.entries))

    spent_from = (each for each in accounts if each.type == Account.TYPE_MEMBERSHIP)
    return list(await asyncio.gather(*map(found, spent_from)))
