"""`/matchCandidates`: who may be one customer; one question with both records, and its answers."""

from collections.abc import Awaitable
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import grpc
from fastapi import APIRouter, Form
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from chassis.api.messages import value_name
from chassis.errors import Refusal
from desk.pages.base import Look, Looking
from desk.pages.customer.loading import Names
from desk.pages.matches.view import bars, called, decision, lines, merged, odds, rows
from desk.pages.merging.comparing import sides
from desk.pages.services import ask, refusal_of
from rapport.customer.v1.match_pb2 import MatchCandidate
from rapport.customer.v1.match_service_pb2 import (
    AcceptMatchCandidateRequest,
    GetMatchCandidateRequest,
    ListMatchCandidatesRequest,
    ListMatchCandidatesResponse,
    RejectMatchCandidateRequest,
    ReopenMatchCandidateRequest,
)

PERMISSION = "customer.match_candidates.write"
PAGE, COUNTED, COUNT_S = 25, 99, 2.0
REASONS = ("namesake", "one-household", "parent-and-child", "twins", "other")
COMMENT_MAX = 500
router = APIRouter()
Typed = Annotated[str, Form()]
Following = Annotated[UUID | None, Form()]


@router.get("/matchCandidates")
async def listed(look: Look, after: str = "", decided: UUID | None = None) -> Response:
    """Those that wait, most certain first; or what comes after a page of them."""
    waiting = await look.services.matches.ListMatchCandidates(_waiting(PAGE, after))
    found = waiting.match_candidates
    known = await look.services.known(name for each in found for name in (each.customer, each.other_customer))
    further = f"/matchCandidates?{urlencode({'after': token})}" if (token := waiting.next_page_token) else ""
    template = "pages/matches/rows.html" if look.is_fragment else "pages/matches/page.html"
    told = await _told(look, decided)
    return look.answer(
        template,
        lines=lines(found, known, look.say),
        further=further,
        told=told,
        first_page=not after,
        among=after,
    )


@router.get("/matchCandidates/count")
async def count(look: Look) -> Response:
    """How many wait, for the bar; nothing when none does, or nobody can tell."""
    parts = await ask(COUNT_S, waiting=look.services.matches.ListMatchCandidates(_waiting(COUNTED)))
    waiting = parts.of("waiting", ListMatchCandidatesResponse)
    number, more = len(waiting.match_candidates), "+" if waiting.next_page_token else ""
    return PlainTextResponse(f"{look.say.number(number)}{more}" if number else "")


@router.get("/matchCandidates/{key}")
async def opened(look: Look, key: UUID, decided: UUID | None = None, among: str = "") -> Response:
    """A question; `among` is the page of the list that it is on, so that one can go on through all."""
    return await _opened(look, key, decided, among=among)


@router.post("/matchCandidates/{key}/accept")
async def accepted(
    look: Look, key: UUID, request_id: Typed, etag: Typed = "", following: Following = None, among: Typed = ""
) -> Response:
    request = AcceptMatchCandidateRequest(name=_name(key), etag=etag, request_id=request_id)
    return await _decided(look, key, look.services.matches.AcceptMatchCandidate(request), following, among)


@router.post("/matchCandidates/{key}/reject")
async def rejected(
    look: Look,
    key: UUID,
    request_id: Typed,
    reason: Typed,
    etag: Typed = "",
    comment: Typed = "",
    following: Following = None,
    among: Typed = "",
) -> Response:
    request = RejectMatchCandidateRequest(
        name=_name(key), etag=etag, reason_code=reason, comment=comment.strip(), request_id=request_id
    )
    return await _decided(
        look, key, look.services.matches.RejectMatchCandidate(request), following, among, comment
    )


@router.post("/matchCandidates/{key}/reopen")
async def reopened(look: Look, key: UUID, request_id: Typed) -> Response:
    """That they are two is taken back: they are asked about again."""
    request = ReopenMatchCandidateRequest(name=_name(key), request_id=request_id)
    await look.services.matches.ReopenMatchCandidate(request)
    return RedirectResponse(f"/{_name(key)}", 303)


def _name(key: UUID) -> str:
    return f"matchCandidates/{key}"


def _waiting(most: int, after: str = "") -> ListMatchCandidatesRequest:
    return ListMatchCandidatesRequest(filter="state = PENDING", page_size=most, page_token=after)


async def _decided(
    look: Looking, key: UUID, deciding: Awaitable[Any], following: UUID | None, among: str, comment: str = ""
) -> Response:
    """The next, which says what became of this one; or this one, with why it is not decided so."""
    try:
        await deciding
    except (grpc.aio.AioRpcError, Refusal) as error:
        return await _opened(look, key, refusal=refusal_of(error), comment=comment, among=among)
    told = urlencode({"decided": key} | ({"among": among} if following and among else {}))
    return RedirectResponse(f"/{_name(following) if following else 'matchCandidates'}?{told}", 303)


async def _opened(
    look: Looking,
    key: UUID,
    decided: UUID | None = None,
    *,
    refusal: Refusal | None = None,
    comment: str = "",
    among: str = "",
) -> Response:
    say, services = look.say, look.services
    candidate = await services.matches.GetMatchCandidate(GetMatchCandidateRequest(name=_name(key)))
    following, among = await _after(look, candidate.name, among)
    known, names = await _known(look, candidate)
    pair = [known[each] for each in (candidate.customer, candidate.other_customer) if each in known]
    return look.answer(
        "pages/matches/one.html",
        candidate=candidate,
        who=called(candidate, known, say),
        odds=odds(candidate, say),
        # Of one customer there is nothing to compare.
        sides=sides(pair, say) if len({each.name for each in pair}) > 1 else (),
        bars=bars(candidate, say),
        rows=rows(candidate, pair, say),
        merged=merged(candidate, known, say),
        decision=decision(candidate, names, say),
        following=following,
        among=among,
        may=look.viewer.may(PERMISSION),
        may_reopen=_may_reopen(candidate, look),
        reasons=say.choices(REASONS),
        comment=comment,
        comment_max=COMMENT_MAX,
        request_id=str(uuid4()),
        refusal=refusal,
        told=await _told(look, decided),
    )


async def _told(look: Looking, decided: UUID | None) -> dict[str, str] | None:
    """What became of the one before, and what takes that back."""
    if decided is None:
        return None
    request = GetMatchCandidateRequest(name=_name(decided))
    candidate = await look.services.matches.GetMatchCandidate(request)
    known, names = await _known(look, candidate)
    who = " / ".join(dict.fromkeys(called(candidate, known, look.say)))
    return {
        "words": f"{who}: {decision(candidate, names, look.say)}",
        "href": f"/{candidate.name}",
        "reopen": f"/{candidate.name}/reopen" if _may_reopen(candidate, look) else "",
        "request_id": str(uuid4()),
    }


def _may_reopen(candidate: MatchCandidate, look: Looking) -> bool:
    """Whether they may ask again: of what was rejected, or they accepted themselves."""
    is_own = candidate.reason_code == "accepted" and candidate.decider == look.viewer.agent
    state = value_name(candidate, "state")
    return look.viewer.may(PERMISSION) and (state == "REJECTED" or (state == "LINKED" and is_own))


async def _known(look: Looking, candidate: MatchCandidate) -> tuple[dict[str, Any], Names]:
    """Both customers by the names that the question has, and what is called who decided."""
    names = Names(look.viewer, look.memory)
    await names.learn(look.services, [candidate.decider], COUNT_S)
    return await look.services.known([candidate.customer, candidate.other_customer]), names


async def _after(look: Looking, name: str, among: str) -> tuple[str, str]:
    """The id of the question that comes after one, and the page of the list that this is on.

    After one that waits no more it is the first of the page.
    """
    page = await look.services.matches.ListMatchCandidates(_waiting(PAGE, among))
    waiting = [each.name for each in page.match_candidates]
    at = waiting.index(name) + 1 if name in waiting else 0
    if at == len(waiting) and (further := page.next_page_token):
        page = await look.services.matches.ListMatchCandidates(_waiting(1, further))
        waiting, at, among = [each.name for each in page.match_candidates], 0, further
    return (waiting[at].rpartition("/")[2] if at < len(waiting) else ""), among
