"""What memberships hold, asked of loyalty: for the page, and for who is about to change that."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from desk.pages.services import Services
from desk.ui import words
from desk.ui.speech import Speech
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.ledger_service_pb2 import ListAccountsRequest
from rapport.loyalty.v1.member_service_pb2 import ListMembersRequest
from rapport.loyalty.v1.tier_service_pb2 import GetTierStandingRequest

PROGRAM = "programs/main"
_ACCOUNTS_MAX, _MEMBERS_MAX = 1000, 1000


@dataclass(frozen=True)
class Held:
    """What a membership holds in a unit, in whole units."""

    unit: str
    usable: int = 0
    pending: int = 0
    reserved: int = 0
    owed: int = 0


async def accounts_of(services: Services, membership: str) -> Sequence[Account]:
    """The accounts of a membership, for every unit and purpose. grpc.aio.AioRpcError."""
    asked = ListAccountsRequest(
        parent=PROGRAM, filter=f'membership = "{membership}"', page_size=_ACCOUNTS_MAX
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
    tier = say.titled(words.last(standing.tier)) if standing.tier else ""
    told = in_words(held(accounts), say), tier, say.count(present, "{n} member", "{n} members")
    return "; ".join(filter(None, told))
