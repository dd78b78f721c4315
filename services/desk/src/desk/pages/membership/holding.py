"""What memberships hold, asked of loyalty: for the page, and for who is about to change that."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.services import Services, refusal_of
from desk.ui import words
from desk.ui.speech import Speech
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.card_service_pb2 import FindMembershipRequest
from rapport.loyalty.v1.ledger_service_pb2 import ListAccountsRequest
from rapport.loyalty.v1.member_service_pb2 import ListMembersRequest
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.program_pb2 import Program
from rapport.loyalty.v1.program_service_pb2 import ListProgramsRequest
from rapport.loyalty.v1.tier_service_pb2 import GetTierStandingRequest

MAIN = "programs/main"
_ACCOUNTS_MAX, _MEMBERS_MAX, _PROGRAMS_MAX = 1000, 1000, 1000


@dataclass(frozen=True)
class Held:
    """What a membership holds in a unit, in whole units."""

    unit: str
    usable: int = 0
    pending: int = 0
    reserved: int = 0
    owed: int = 0


def program_of(name: str) -> str:
    """`programs/bakery` of what is below it, such as a membership or an account."""
    return "/".join(name.split("/")[:2])


async def programs(services: Services) -> Sequence[Program]:
    """All that there are, the main one first. grpc.aio.AioRpcError."""
    listed = await services.programs.ListPrograms(ListProgramsRequest(page_size=_PROGRAMS_MAX))
    return sorted(listed.programs, key=lambda each: (each.name != MAIN, each.name))


async def found_in(services: Services, listed: Sequence[Program], **asked: str) -> Sequence[Membership]:
    """The membership that a `customer` earns on, or that has a `card_number`, in each program that has one.

    AioRpcError of anything else in the way than that one has none, such as a blocked card.
    """
    find = services.cards.FindMembership
    requests = (FindMembershipRequest(parent=each.name, **asked) for each in listed)
    answers = await asyncio.gather(*map(find, requests), return_exceptions=True)
    found = [each for each in answers if isinstance(each, Membership)]
    refused = [each for each in answers if isinstance(each, BaseException) and not _is_none(each)]
    if refused and not (found and all(map(_is_blocked, refused))):
        raise refused[0]
    return found


def _is_none(error: BaseException) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.NOT_FOUND


def _is_blocked(error: BaseException) -> bool:
    """Whether a card finds nothing any more: another program may have one of the same number."""
    return isinstance(error, grpc.aio.AioRpcError) and refusal_of(error).reason == "CARD_BLOCKED"


async def holder(services: Services, card_number: str) -> str:
    """Whose card it is, of any program. INVALID_CODE when nobody has it, or two; grpc.aio.AioRpcError."""
    found = await found_in(services, await programs(services), card_number=card_number)
    customers = {each.customer for each in found}
    if len(customers) > 1:
        raise invalid("card", "INVALID_CODE", N_("two members have a card of that number: find them by name"))
    if not customers:
        raise invalid("card", "INVALID_CODE", N_("no card has that number"))
    return customers.pop()


async def accounts_of(services: Services, membership: str) -> Sequence[Account]:
    """The accounts of a membership, for every unit and purpose. grpc.aio.AioRpcError."""
    asked = ListAccountsRequest(
        parent=program_of(membership), filter=f'membership = "{membership}"', page_size=_ACCOUNTS_MAX
    )
    return list((await services.ledger.ListAccounts(asked)).accounts)


def held(accounts: Sequence[Account]) -> Sequence[Held]:
    """What accounts of one membership hold, for each unit."""
    by_unit: Mapping[str, dict[int, int]] = defaultdict(dict)
    for each in accounts:
        by_unit[each.unit][each.type] = each.balance
    return [
        Held(
            unit,
            of.get(Account.TYPE_MEMBERSHIP, 0),
            of.get(Account.TYPE_PENDING, 0),
            of.get(Account.TYPE_RESERVED, 0),
            -of.get(Account.TYPE_DEBT, 0),
        )
        for unit, of in sorted(by_unit.items())
    ]


def in_words(held: Sequence[Held], say: Speech) -> str:
    """`1,420 points, 80 points not yet`; that it is nothing."""
    told = []
    for each in held:
        unit = say.code(words.last(each.unit))
        if each.usable:
            told.append(f"{say.number(each.usable)} {unit}")
        if each.pending:
            told.append(say("{n} {unit} not yet usable", n=each.pending, unit=unit))
        if each.reserved:
            told.append(say("{n} {unit} set aside", n=each.reserved, unit=unit))
        if each.owed:
            told.append(say("{n} {unit} owed", n=each.owed, unit=unit))
    return ", ".join(told) or say("nothing")


async def summary(services: Services, membership: str, say: Speech) -> str:
    """What a membership is and holds, in a line: `1,420 points; Silver; 2 members`. grpc.aio.AioRpcError."""
    accounts, standing, members = await asyncio.gather(
        accounts_of(services, membership),
        services.tiers.GetTierStanding(GetTierStandingRequest(name=f"{membership}/tierStanding")),
        services.members.ListMembers(ListMembersRequest(parent=membership, page_size=_MEMBERS_MAX)),
    )
    present = sum(not each.HasField("leave_time") for each in members.members)
    tier = say.named(standing.tier) if standing.tier else ""
    told = in_words(held(accounts), say), tier, say.count(present, "{n} member", "{n} members")
    return "; ".join(filter(None, told))
