"""`/authorityPolicies`: what people may do alone; `/{id}` below it: one, tried with examples and changed.

`/new` is another one, `/{id}/versions/{n}` as it was.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import value_name
from chassis.auth import permissions
from chassis.errors import NotFound, Refusal
from desk.pages.authority import view
from desk.pages.authority.examples import Harm, examples_of
from desk.pages.authority.forms import LISTS, Row, policy_of, rows_of, rows_typed
from desk.pages.base import Look, Looking
from desk.pages.trying import Typed, tried, typed
from desk.pages.work.route import CODE
from rapport.cases.v1 import authority_service_pb2 as pb
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.authority_policy_pb2 import AuthorityAct, AuthorityPolicy
from rapport.cases.v1.directory_service_pb2 import ListAgentsRequest

router = APIRouter(prefix="/authorityPolicies")
WRITE = "cases.authority_policies.write"
LISTED = 1000
VERSIONS = 10  # are shown, the latest
_CHANGED = FieldMask(paths=["display_name", "limits", "disabled"])


@router.get("")
async def policies(look: Look) -> Response:
    """All of them."""
    found = view.lines(await _listed(look), look.say)
    return look.answer("pages/authority/all.html", policies=found, may=look.viewer.may(WRITE))


@router.get("/new")
async def new(look: Look, act: str = "") -> Response:
    look.require(WRITE)
    return await _page(look, _begun(look, act))


@router.post("/new")
async def create(look: Look, request: Request) -> Response:
    """Say who may do what by another one, or keep it."""
    look.require(WRITE)
    sent = await typed(request, *LISTS)

    async def save(proposed: AuthorityPolicy, request_id: str) -> AuthorityPolicy:
        asked = pb.CreateAuthorityPolicyRequest(
            authority_policy_id=sent.text("code"), authority_policy=proposed, request_id=request_id
        )
        return await look.services.authority.CreateAuthorityPolicy(asked)

    return await _sent(look, _begun(look, sent.text("policy_act")), sent, save)


@router.get("/{code}")
async def policy(look: Look, code: str) -> Response:
    return await _page(look, await _found(look, code))


@router.post("/{code}")
async def change(look: Look, request: Request, code: str) -> Response:
    """Say who may do what then, or keep it."""
    now, sent = await _found(look, code), await typed(request, *LISTS)

    async def save(proposed: AuthorityPolicy, request_id: str) -> AuthorityPolicy:
        proposed.etag = sent.text("etag")
        asked = pb.UpdateAuthorityPolicyRequest(
            authority_policy=proposed, update_mask=_CHANGED, request_id=request_id
        )
        return await look.services.authority.UpdateAuthorityPolicy(asked)

    return await _sent(look, now, sent, save)


@router.get("/{code}/versions/{version}")
async def version(look: Look, code: str, version: int) -> Response:
    """One as it was: by which something was allowed."""
    name = (await _found(look, code)).name
    asked = pb.GetAuthorityPolicyRequest(name=f"{name}/versions/{version}")
    was = await look.services.authority.GetAuthorityPolicy(asked)
    return look.answer(
        "pages/authority/version.html",
        policy=was,
        latest=name,
        title=view.title(was),
        since=view.versions([was], look.say)[0].since,
        act=view.ACTS[value_name(was, "act")],
        examples=examples_of([was], [was], was, look.say),
        harms=_harms(look),
    )


async def _sent(look: Looking, now: AuthorityPolicy, sent: Typed, save: Any) -> Response:
    known = await _known(look, now)

    async def preview(proposed: AuthorityPolicy) -> AuthorityPolicy | None:
        return proposed if sent.text("act") == "look" else None

    def again(**told: Any) -> Response:
        return _drawn(look, now, *known, sent=sent, **told)

    return await tried(sent, lambda: policy_of(now, sent), preview, save, again)


def _begun(look: Looking, act: str) -> AuthorityPolicy:
    """One of the viewer's department, of which nothing is said yet but the act."""
    chosen = act if act in view.ACTS else next(iter(view.ACTS))
    return AuthorityPolicy(
        department=look.viewer.department, act=AuthorityAct.Value(f"AUTHORITY_ACT_{chosen}")
    )


async def _page(look: Looking, now: AuthorityPolicy) -> Response:
    return _drawn(look, now, *await _known(look, now))


async def _known(
    look: Looking, now: AuthorityPolicy
) -> tuple[Sequence[AuthorityPolicy], Sequence[Agent], Sequence[AuthorityPolicy]]:
    """All policies, the people who may go by them, and the latest versions of this one."""
    before = range(max(1, now.version - VERSIONS + 1), now.version)
    asked = (pb.GetAuthorityPolicyRequest(name=f"{now.name}/versions/{each}") for each in before)
    policies, agents, earlier = await asyncio.gather(
        _listed(look),
        look.services.directory.ListAgents(ListAgentsRequest(page_size=LISTED)),
        asyncio.gather(*(look.services.authority.GetAuthorityPolicy(each) for each in asked)),
    )
    return policies, agents.agents, [*earlier, now] if now.version else []


def _drawn(
    look: Looking,
    now: AuthorityPolicy,
    policies: Sequence[AuthorityPolicy],
    agents: Sequence[Agent],
    versions: Sequence[AuthorityPolicy],
    *,
    proposed: AuthorityPolicy | None = None,
    sent: Typed | None = None,
    preview: AuthorityPolicy | None = None,
    refusal: Refusal | None = None,
    request_id: str = "",
) -> Response:
    fields, act = sent.fields if sent else {}, value_name(now, "act")
    rows = list(rows_typed(sent) if sent else rows_of(now))
    others = [each for each in policies if each.name != now.name]
    after = [*others, preview] if preview else policies
    return look.answer(
        "pages/authority/one.html",
        422 if refusal else 200,
        policy=now,
        is_new=not now.name,
        is_tried=preview is not None,
        title=view.title(now),
        code=fields.get("code", ""),
        display_name=fields.get("display_name", now.display_name),
        disabled=fields.get("disabled") == "on" if sent else now.disabled,
        act=act,
        acts=view.ACTS,
        unit=view.UNITS_SAID[act],
        rows=[*rows, Row()],
        roles=sorted(permissions.known()),
        choices=view.choices(look.say),
        examples=examples_of(policies, after, now, look.say),
        harms=_harms(look),
        concerned=view.concerned(preview or now, [*others, preview or now], agents, look.say),
        versions=view.versions(versions, look.say),
        may_write=look.viewer.may_change(WRITE, now.department),
        etag=fields.get("etag", now.etag),
        request_id=request_id or str(uuid4()),
        refusal=refusal,
    )


def _harms(look: Looking) -> Sequence[str]:
    return [look.say.titled(f"harm-{each.lower()}") for each in Harm]


async def _listed(look: Looking) -> Sequence[AuthorityPolicy]:
    request = pb.ListAuthorityPoliciesRequest(page_size=LISTED)
    listed = await look.services.authority.ListAuthorityPolicies(request)
    return list(listed.authority_policies)


async def _found(look: Looking, code: str) -> AuthorityPolicy:
    if not CODE.fullmatch(code):
        raise NotFound("authorityPolicies/…")
    request = pb.GetAuthorityPolicyRequest(name=f"authorityPolicies/{code}")
    return await look.services.authority.GetAuthorityPolicy(request)
