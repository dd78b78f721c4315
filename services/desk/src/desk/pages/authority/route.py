"""`/authorityPolicies`: what people may do alone; `/{id}` below it: one, tried with examples and changed.

`/new` is another one, `/{id}/versions/{n}` as it was.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastapi.responses import Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import value_name
from chassis.auth import permissions
from desk.pages.authority import view
from desk.pages.authority.examples import Harm, examples_of
from desk.pages.authority.forms import LISTS, Row, policy_of, rows_of, rows_typed
from desk.pages.base import Look, Looking
from desk.pages.editing import Editor, Trial
from desk.pages.trying import Typed
from rapport.cases.v1 import authority_service_pb2 as pb
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.authority_policy_pb2 import AuthorityAct, AuthorityPolicy
from rapport.cases.v1.directory_service_pb2 import ListAgentsRequest

WRITE = "cases.authority_policies.write"
LISTED = 1000
VERSIONS = 10  # are shown, the latest
_CHANGED = FieldMask(paths=["display_name", "limits", "disabled"])


class Known(NamedTuple):
    """All policies, the people who may go by them, and the latest versions of one."""

    policies: Sequence[AuthorityPolicy]
    agents: Sequence[Agent]
    versions: Sequence[AuthorityPolicy]


class AuthorityPolicies(Editor[AuthorityPolicy]):
    """What people may do alone."""

    collection, template, permission = "authorityPolicies", "pages/authority/one.html", WRITE
    lists = LISTS

    def begun(self, look: Looking, chosen: Mapping[str, str]) -> AuthorityPolicy:
        """Of the first act, unless another is chosen first."""
        asked = chosen.get("policy_act", "")
        act = asked if asked in view.ACTS else next(iter(view.ACTS))
        return AuthorityPolicy(
            department=look.viewer.department, act=AuthorityAct.Value(f"AUTHORITY_ACT_{act}")
        )

    async def get(self, look: Looking, name: str) -> AuthorityPolicy:
        return await look.services.authority.GetAuthorityPolicy(pb.GetAuthorityPolicyRequest(name=name))

    def read(self, now: AuthorityPolicy, sent: Typed) -> AuthorityPolicy:
        return policy_of(now, sent)

    async def preview(
        self, look: Looking, now: AuthorityPolicy, proposed: AuthorityPolicy, sent: Typed
    ) -> AuthorityPolicy | None:
        """Itself: examples say who may do what by it; not of a form that only gets one more row."""
        return proposed if sent.text("act") == "look" else None

    async def create(self, look: Looking, proposed: AuthorityPolicy, sent: Typed) -> AuthorityPolicy:
        asked = pb.CreateAuthorityPolicyRequest(
            authority_policy_id=sent.text("code"), authority_policy=proposed, request_id=sent.request_id
        )
        return await look.services.authority.CreateAuthorityPolicy(asked)

    async def update(
        self, look: Looking, now: AuthorityPolicy, proposed: AuthorityPolicy, sent: Typed
    ) -> AuthorityPolicy:
        asked = pb.UpdateAuthorityPolicyRequest(
            authority_policy=proposed, update_mask=_CHANGED, request_id=sent.request_id
        )
        return await look.services.authority.UpdateAuthorityPolicy(asked)

    async def known(self, look: Looking, now: AuthorityPolicy) -> Known:
        before = range(max(1, now.version - VERSIONS + 1), now.version)
        policies, agents, earlier = await asyncio.gather(
            _listed(look),
            look.services.directory.ListAgents(ListAgentsRequest(page_size=LISTED)),
            asyncio.gather(*(self.get(look, f"{now.name}/versions/{each}") for each in before)),
        )
        return Known(policies, agents.agents, [*earlier, now] if now.version else [])

    def shown(
        self, look: Looking, now: AuthorityPolicy, known: Known, trial: Trial[AuthorityPolicy]
    ) -> Mapping[str, Any]:
        fields, sent, preview, act = trial.fields, trial.sent, trial.preview, value_name(now, "act")
        rows = list(rows_typed(sent) if sent else rows_of(now))
        others = [each for each in known.policies if each.name != now.name]
        after = [*others, preview] if preview else known.policies
        return {
            "policy": now,
            "is_tried": preview is not None,
            "title": view.title(now),
            "display_name": fields.get("display_name", now.display_name),
            "disabled": fields.get("disabled") == "on" if sent else now.disabled,
            "act": act,
            "acts": view.ACTS,
            "unit": view.UNITS_SAID[act],
            "rows": [*rows, Row()],
            "roles": sorted(permissions.known()),
            "choices": view.choices(look.say),
            "examples": examples_of(known.policies, after, now, look.say),
            "harms": _harms(look),
            "concerned": view.concerned(preview or now, [*others, preview or now], known.agents, look.say),
            "versions": view.versions(known.versions, look.say),
        }


_EDITOR = AuthorityPolicies()
router = _EDITOR.router()


@router.get("")
async def policies(look: Look) -> Response:
    """All of them."""
    found = view.lines(await _listed(look), look.say)
    return look.answer("pages/authority/all.html", policies=found, may=look.viewer.may(WRITE))


@router.get("/{code}/versions/{version}")
async def version(look: Look, code: str, version: int) -> Response:
    """One as it was: by which something was allowed."""
    name = (await _EDITOR.found(look, code)).name
    was = await _EDITOR.get(look, f"{name}/versions/{version}")
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


def _harms(look: Looking) -> Sequence[str]:
    return [look.say.titled(f"harm-{each.lower()}") for each in Harm]


async def _listed(look: Looking) -> Sequence[AuthorityPolicy]:
    request = pb.ListAuthorityPoliciesRequest(page_size=LISTED)
    listed = await look.services.authority.ListAuthorityPolicies(request)
    return list(listed.authority_policies)
