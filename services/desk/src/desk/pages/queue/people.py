"""Forms of who leads a department: what its people can do, and its teams."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import grpc
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import InvalidArgument, Refusal, invalid
from desk.language.catalogues import N_, violation
from desk.pages.base import Look, Looking
from desk.pages.services import refusal_of
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest, UpdateAgentRequest
from rapport.cases.v1.team_pb2 import Team
from rapport.cases.v1.team_service_pb2 import CreateTeamRequest, GetTeamRequest, UpdateTeamRequest

router = APIRouter()
_CODES = N_("codes with commas between, such as refunds, claims")
_FORMS: dict[str, str] = {"language_codes": "languages", "team_id": "code", "display_name": "called"}


@dataclass(frozen=True)
class Field:
    """A field of a form, with what it holds."""

    name: str
    label: str
    value: str
    hint: str = ""
    type: str = "text"
    most: int = 500
    required: bool = False


@router.get("/queue/agents/{code}/abilities")
async def abilities(look: Look, code: str) -> Response:
    """What an agent can do, to be changed."""
    agent = await look.services.directory.GetAgent(GetAgentRequest(name=f"agents/{code}"))
    return _form(look, f"/queue/agents/{code}/abilities", _of_agent(agent), agent.etag, agent.display_name)


@router.post("/queue/agents/{code}/abilities")
async def change_abilities(look: Look, request: Request, code: str) -> Response:
    typed = await _typed(request)

    async def change() -> str:
        agent = Agent(
            name=f"agents/{code}",
            skills=_listed(typed["skills"]),
            teams=[f"teams/{each.removeprefix('teams/')}" for each in _listed(typed["teams"])],
            language_codes=_listed(typed["languages"]),
            capacity=_number(typed["capacity"]),
            etag=typed["etag"],
        )
        mask = FieldMask(paths=["skills", "teams", "language_codes", "capacity"])
        sent = UpdateAgentRequest(agent=agent, update_mask=mask, request_id=typed["request_id"])
        changed = await look.services.directory.UpdateAgent(sent)
        return look.say("Saved: what {who} can do.", who=changed.display_name)

    fields = [_with(each, typed) for each in _of_agent(Agent())]
    return await _done(look, request, change, fields, typed)


@router.get("/queue/{code}/new-team")
async def new_team(look: Look, code: str) -> Response:
    """A team that is to be."""
    return _form(look, f"/queue/{code}/new-team", _of_team(Team(), new=True))


@router.post("/queue/{code}/new-team")
async def create_team(look: Look, request: Request, code: str) -> Response:
    typed = await _typed(request)

    async def create() -> str:
        team = Team(
            display_name=typed["called"], department=f"departments/{code}", skills=_listed(typed["skills"])
        )
        sent = CreateTeamRequest(team_id=typed["code"], team=team, request_id=typed["request_id"])
        made = await look.services.teams.CreateTeam(sent)
        return look.say("There is a team now: {team}.", team=made.display_name)

    fields = [_with(each, typed) for each in _of_team(Team(), new=True)]
    return await _done(look, request, create, fields, typed)


@router.get("/queue/teams/{code}/abilities")
async def team(look: Look, code: str) -> Response:
    """A team, to be changed."""
    found = await look.services.teams.GetTeam(GetTeamRequest(name=f"teams/{code}"))
    action = f"/queue/teams/{code}/abilities"
    return _form(look, action, _of_team(found), found.etag, found.display_name)


@router.post("/queue/teams/{code}/abilities")
async def change_team(look: Look, request: Request, code: str) -> Response:
    typed = await _typed(request)

    async def change() -> str:
        wanted = Team(
            name=f"teams/{code}",
            display_name=typed["called"],
            skills=_listed(typed["skills"]),
            etag=typed["etag"],
        )
        mask = FieldMask(paths=["display_name", "skills"])
        sent = UpdateTeamRequest(team=wanted, update_mask=mask, request_id=typed["request_id"])
        changed = await look.services.teams.UpdateTeam(sent)
        return look.say("Saved: {team}.", team=changed.display_name)

    return await _done(look, request, change, [_with(each, typed) for each in _of_team(Team())], typed)


def _of_agent(agent: Agent) -> Sequence[Field]:
    return [
        Field("skills", N_("Skills"), ", ".join(agent.skills), _CODES),
        Field("teams", N_("Teams"), ", ".join(each.removeprefix("teams/") for each in agent.teams), _CODES),
        Field(
            "languages",
            N_("Languages"),
            ", ".join(agent.language_codes),
            N_("such as de, en; empty: any"),
        ),
        Field(
            "capacity",
            N_("Work at once"),
            str(agent.capacity),
            N_("at most; 0: as much as they take"),
            type="number",
            required=True,
        ),
    ]


def _of_team(found: Team, *, new: bool = False) -> Sequence[Field]:
    code = [
        Field("code", N_("Code"), "", N_("lower-case letters, digits and dashes"), most=63, required=True)
    ]
    return [
        *(code if new else []),
        Field("called", N_("What people call it"), found.display_name, most=200, required=True),
        Field("skills", N_("What everybody in it can do"), ", ".join(found.skills), _CODES),
    ]


def _with(field: Field, typed: dict[str, str]) -> Field:
    """The field with what was typed."""
    return replace(field, value=typed[field.name])


async def _typed(request: Request) -> dict[str, str]:
    async with request.form() as form:
        typed = {name: str(value).strip() for name, value in form.items()}
    known = ("skills", "teams", "languages", "capacity", "called", "code", "etag", "request_id")
    return dict.fromkeys(known, "") | typed


def _listed(typed: str) -> list[str]:
    return [each.strip() for each in typed.split(",") if each.strip()]


def _number(typed: str) -> int:
    """INVALID_NUMBER for what is none."""
    if not typed.isdecimal() or len(typed) > 6:
        raise invalid("capacity", "INVALID_NUMBER", N_("must be a whole number, 0 or more"))
    return int(typed)


async def _done(
    look: Looking,
    request: Request,
    act: Callable[[], Awaitable[str]],
    fields: Sequence[Field],
    typed: dict[str, str],
) -> Response:
    """What was done, in words; or the form once more, with what was refused."""
    try:
        told = await act()
    except (grpc.aio.AioRpcError, Refusal) as error:
        refusal = refusal_of(error)
        return _form(look, request.url.path, fields, typed["etag"], refusal=refusal)
    return HTMLResponse(look.html("pages/queue/took.html", work=None, why=told), headers={"X-Done": "1"})


def _form(
    look: Looking,
    action: str,
    fields: Sequence[Field],
    etag: str = "",
    about: str = "",
    refusal: Refusal | None = None,
) -> Response:
    errors: dict[str, Any] = dict.fromkeys((each.name for each in fields), "")
    if isinstance(refusal, InvalidArgument):
        for each in refusal.violations:
            name = each.field.rpartition(".")[2].partition("[")[0]
            errors[_FORMS.get(name, name)] = violation(each, look.say.language)
    html = look.html(
        "pages/queue/form.html",
        action=action,
        title=look.say("What they can do") if "abilities" in action else look.say("New team"),
        about=about,
        fields=fields,
        etag=etag,
        errors=errors,
        refusal=refusal,
        request_id=str(uuid4()),
    )
    return HTMLResponse(html, headers={"X-Form": "1"})
