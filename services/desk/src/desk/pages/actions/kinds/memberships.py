"""What becomes of memberships and their points. What an act moves or loses is shown before it is done."""

import asyncio
import hashlib
import re
from functools import partial

import grpc

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values, sends
from desk.pages.actions.choosing import WHO, meant, nobody_yet
from desk.pages.membership.holding import accounts_of, held, in_words, program_of, summary
from desk.pages.trying import whole
from desk.ui import words
from rapport.loyalty.v1 import membership_service_pb2 as pb
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.card_service_pb2 import FindMembershipRequest
from rapport.loyalty.v1.ledger_service_pb2 import GetAccountRequest, PostTransferRequest
from rapport.loyalty.v1.transfer_pb2 import Transfer

_SHOWING = "pages/actions/kinds/of_another.html"


async def _earned_on(doing: Doing, customer: str) -> str:
    """The membership that a customer earns on in the program of this form. INVALID_CODE without one."""
    try:
        request = FindMembershipRequest(parent=program_of(doing.on), customer=customer)
        found = await doing.look.services.cards.FindMembership(request)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise invalid("who", "INVALID_CODE", N_("they are in no membership")) from None
        raise
    return str(found.name)


def _seen(*parts: str) -> str:
    """What somebody saw when they said yes: what is another by then is shown again."""
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


async def _beside(doing: Doing, this: str, other: str) -> Values:
    """What two memberships hold, as a form shows it. INVALID_CODE of one alone."""
    if other == this:
        raise invalid("who", "INVALID_CODE", N_("they are in this membership already"))
    say, services = doing.look.say, doing.look.services
    holdings = await asyncio.gather(*(summary(services, each, say) for each in (this, other)))
    rows = list(zip((say("This membership"), say("The other one")), holdings, strict=True))
    return {"rows": rows, "seen": _seen(this, other, doing.text("amount"), *holdings)}


async def _merge(doing: Doing) -> Done | Values:
    """Whom the words mean, then what both hold, then it is done."""
    typed = {name: doing.text(name) for name in ("who", "reason")}
    if not (related := await meant(doing)):
        return await MERGE.opened(doing) | typed
    other = await _earned_on(doing, related)
    shown = await _beside(doing, doing.on, other)
    if doing.text("seen") != shown["seen"]:
        return await MERGE.opened(doing) | typed | shown | {"related": related}
    return await _merged(doing, doing.on, other)


async def _own(doing: Doing) -> Values:
    """The membership that they earn on, and the one that they have beside it."""
    return {"found": (), "related": ""} | await _beside(
        doing, await _earned_on(doing, doing.customer), doing.on
    )


async def _merge_own(doing: Doing) -> Done | Values:
    shown = await _own(doing)
    if doing.text("seen") != shown["seen"]:
        return await MERGE_OWN.opened(doing) | {"reason": doing.text("reason")}
    return await _merged(doing, await _earned_on(doing, doing.customer), doing.on)


async def _merged(doing: Doing, stays: str, part: str) -> Done:
    reason = doing.text("reason")
    request = doing.request(
        pb.MergeMembershipsRequest, name=stays, merged_membership=part, reason_code=reason
    )
    await doing.look.services.memberships.MergeMemberships(request)
    return Done(doing.look.say("They are one membership now."), doing.on)


async def _account(doing: Doing) -> Account:
    account: Account = await doing.look.services.ledger.GetAccount(GetAccountRequest(name=doing.on))
    return account


async def _has(doing: Doing) -> Values:
    account, say = await _account(doing), doing.look.say
    unit = say.code(words.last(account.unit))
    return {"sentence": say("There are {n} {unit} on it.", n=account.balance, unit=unit)}


async def _to_nobody(doing: Doing) -> Values:
    return await nobody_yet(doing) | await _has(doing)


async def _give(doing: Doing) -> Done | Values:
    """Whom the words mean, then what both hold, then the points move."""
    amount, account = whole("amount", doing.text("amount")), await _account(doing)
    typed = {name: doing.text(name) for name in ("who", "amount", "reason")}
    if not (related := await meant(doing)):
        return await GIVE_POINTS.opened(doing) | typed
    other = await _earned_on(doing, related)
    shown = await _beside(doing, account.membership, other)
    if doing.text("seen") != shown["seen"]:
        return await GIVE_POINTS.opened(doing) | typed | shown | {"related": related}
    request = doing.request(
        pb.TransferPointsRequest,
        name=account.membership,
        receiving_membership=other,
        unit=account.unit,
        amount=amount,
        reason_code=typed["reason"],
    )
    await doing.look.services.memberships.TransferPoints(request)
    unit = doing.look.say.code(words.last(account.unit))
    return Done(doing.look.say("Given: {n} {unit}.", n=amount, unit=unit), doing.on)


async def _adjust(doing: Doing) -> Done:
    """Points come from what the program gives out, and go back there."""
    typed, account = doing.text("amount"), await _account(doing)
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", typed) or not int(typed):
        raise invalid("amount", "INVALID_NUMBER", N_("must be a whole number, below 0 to take some away"))
    amount, unit = int(typed), words.last(account.unit)
    transfer = Transfer(reason_code=doing.text("reason"))
    transfer.legs.add(account=f"{program_of(account.name)}/accounts/{unit}-issued", amount=-amount)
    transfer.legs.add(account=account.name, amount=amount)
    await doing.look.services.ledger.PostTransfer(doing.request(PostTransferRequest, transfer=transfer))
    told = N_("Booked: {n} {unit}.")
    return Done(doing.look.say(told, n=amount, unit=doing.look.say.code(unit)), doing.on)


async def _lost(doing: Doing) -> Values:
    """What is lost when it is closed, said before."""
    what = in_words(held(await accounts_of(doing.look.services, doing.on)), doing.look.say)
    told = doing.look.say("Lost for good: {what}.", what=what)
    return {"sentence": told, "found": (), "related": "", "rows": (), "seen": _seen(doing.on, what)}


async def _close(doing: Doing) -> Done | Values:
    shown = await _lost(doing)
    if doing.text("seen") != shown["seen"]:
        return await CLOSE.opened(doing) | {"reason": doing.text("reason")}
    request = doing.request(pb.CloseMembershipRequest, reason_code=doing.text("reason"))
    await doing.look.services.memberships.CloseMembership(request)
    return Done(doing.look.say("This membership is closed."), doing.on)


_merging = partial(Action, permission="loyalty.memberships.merge")
_ending = partial(Action, permission="loyalty.memberships.close")
_TOGETHER = Field("reason", N_("Reason"), codes=("one-household", "same-person", "mistake"))
_STAYS_APART = N_(
    "Each keeps its ends. It can be undone: what is left of it goes back, what came since stays."
)
MERGE = _merging(
    id="merge-memberships",
    label=N_("Make another membership part of this"),
    fields=[WHO, _TOGETHER],
    button=N_("Make them one"),
    consequence=_STAYS_APART,
    open=nobody_yet,
    do=_merge,
    template=_SHOWING,
)
MERGE_OWN = _merging(
    id="merge-own",
    label=N_("Make both one"),
    fields=[_TOGETHER],
    button=N_("Make them one"),
    consequence=_STAYS_APART,
    open=_own,
    do=_merge_own,
    template=_SHOWING,
)
UNMERGE = _merging(
    id="unmerge-membership",
    label=N_("Take them apart"),
    fields=[Field("reason", N_("Reason"), codes=("two-persons", "moved-out", "mistake"))],
    button=N_("Take them apart"),
    consequence=N_("It has back who came with it, and what is left of what it brought. The rest stays here."),
    do=sends(
        lambda to: to.memberships.UnmergeMembership,
        pb.UnmergeMembershipRequest,
        N_("They are two memberships again."),
        reason_code="reason",
    ),
)
GIVE_POINTS = Action(
    id="give-points",
    label=N_("Give points to somebody"),
    permission="loyalty.memberships.transfer",
    fields=[
        WHO,
        Field("amount", N_("Points"), type="number", hint=N_("a whole number")),
        Field("reason", N_("Reason"), codes=("customer-asked", "gift", "mistake")),
    ],
    button=N_("Give"),
    consequence=N_("What ends first is given first, and keeps its end. It is on the statements of both."),
    open=_to_nobody,
    do=_give,
    template=_SHOWING,
)
ADJUST = Action(
    id="adjust-points",
    label=N_("Correct the points"),
    permission="loyalty.transfers.write",
    fields=[
        Field("amount", N_("Points"), hint=N_("such as 50, or -50 to take some away")),
        Field("reason", N_("Reason"), codes=("our-mistake", "correction", "gift")),
    ],
    button=N_("Book it"),
    consequence=N_("It is on their statement with the reason; why says who it was."),
    open=_has,
    do=_adjust,
)
CLOSE = _ending(
    id="close-membership",
    label=N_("Close this membership"),
    fields=[Field("reason", N_("Reason"), codes=("customer-asked", "misuse", "mistake"))],
    button=N_("Close it"),
    consequence=N_("Nobody earns or spends on it any more. Opened again, it has nothing."),
    final=True,
    open=_lost,
    do=_close,
    template=_SHOWING,
)
REOPEN = _ending(
    id="reopen-membership",
    label=N_("Open it again"),
    fields=[Field("reason", N_("Reason"), codes=("customer-asked", "mistake"))],
    button=N_("Open it again"),
    consequence=N_("What was lost when it was closed stays lost."),
    do=sends(
        lambda to: to.memberships.ReopenMembership,
        pb.ReopenMembershipRequest,
        N_("This membership is open again."),
        reason_code="reason",
    ),
)
