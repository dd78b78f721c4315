"""`/topics`: what cases are about, for whoever declares it; `/topics/{code}`: one, to be changed."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import NotFound, Refusal
from desk.pages.actions.kinds.cases import HARMS
from desk.pages.actions.offering import colleagues
from desk.pages.base import Look, Looking
from desk.pages.services import ask, refusal_of
from desk.pages.topics import view
from desk.pages.work.route import CODE
from desk.ui import words
from rapport.cases.v1.directory_service_pb2 import (
    ListAgentsRequest,
    ListDepartmentsRequest,
    ListDepartmentsResponse,
)
from rapport.cases.v1.topic_pb2 import Topic
from rapport.cases.v1.topic_service_pb2 import (
    CreateTopicRequest,
    GetTopicRequest,
    ListTopicsRequest,
    UpdateTopicRequest,
)

router = APIRouter(prefix="/topics")
ALL = 1000
NEEDED_S = 0.8
_DIGITS = 5
_CHANGED = ("display_name", "parent_topic", "default_owner", "default_harm", "required_skills", "reply_days")


@router.get("")
async def topics(look: Look) -> Response:
    """All of them, with those whose owner has left first."""
    services = look.services
    listed = await services.topics.ListTopics(ListTopicsRequest(page_size=ALL))
    agents = (await services.directory.ListAgents(ListAgentsRequest(page_size=ALL))).agents
    request = ListDepartmentsRequest(page_size=ALL)
    parts = await ask(NEEDED_S, departments=services.directory.ListDepartments(request))
    known = {each.name: each for each in agents}
    lines = view.lines(listed.topics, known, look.viewer, look.say)
    return look.answer(
        "pages/topics/page.html",
        lines=lines,
        left=[line for line in lines if line.has_left],
        more=bool(listed.next_page_token),
        needed=view.needed(parts.of("departments", ListDepartmentsResponse).departments, look.say),
        may=look.viewer.may(view.WRITE),
    )


@router.get("/new")
async def new(look: Look) -> Response:
    look.require(view.WRITE)
    return await _form(look, Topic(department=look.viewer.department), {"request_id": str(uuid4())})


@router.post("/new")
async def create(look: Look) -> Response:
    """Declare one, once for each form."""
    sent = await _sent(look)
    topic = _topic(sent, Topic(department=look.viewer.department))
    request = CreateTopicRequest(topic_id=sent["code"], topic=topic, request_id=sent["request_id"])
    try:
        await look.services.topics.CreateTopic(request)
    except grpc.aio.AioRpcError as error:
        return await _form(look, topic, sent, refusal_of(error))
    return RedirectResponse("/topics", 303)


@router.get("/{code}")
async def topic(look: Look, code: str) -> Response:
    """One, as a form for who may change it."""
    return await _form(look, await _found(look, code), {"request_id": str(uuid4())})


@router.post("/{code}")
async def update(look: Look, code: str) -> Response:
    """Change it, as it was when the form opened."""
    sent, found = await _sent(look), await _found(look, code)
    changed = _topic(sent, found)
    changed.etag = sent["etag"]
    request = UpdateTopicRequest(
        topic=changed, update_mask=FieldMask(paths=_CHANGED), request_id=sent["request_id"]
    )
    try:
        await look.services.topics.UpdateTopic(request)
    except grpc.aio.AioRpcError as error:
        return await _form(look, changed, sent, refusal_of(error))
    return RedirectResponse("/topics", 303)


async def _found(look: Looking, code: str) -> Topic:
    if not CODE.fullmatch(code):
        raise NotFound("topics/…")
    found: Topic = await look.services.topics.GetTopic(GetTopicRequest(name=f"topics/{code}"))
    return found


async def _sent(look: Looking) -> Mapping[str, str]:
    look.require(view.WRITE)
    names = ("code", "display_name", "parent", "owner", "harm", "skills", "reply_days", "etag", "request_id")
    async with look.request.form(max_fields=50, max_files=0) as form:
        return {name: str(form.get(name, "")).strip() for name in names}


def _topic(sent: Mapping[str, str], before: Topic) -> Topic:
    """What was typed; whose it is stays."""
    return Topic(
        name=before.name,
        department=before.department,
        display_name=sent["display_name"],
        parent_topic=sent["parent"],
        default_owner=sent["owner"],
        default_harm=HARMS.get(sent["harm"], HARMS[""]),
        required_skills=[each.strip() for each in sent["skills"].split(",") if each.strip()],
        reply_days=_days(sent["reply_days"]),
    )


def _days(typed: str) -> int:
    """A number of days, or none; what is no number is refused as a negative one is."""
    if not typed:
        return 0
    return int(typed) if typed.isdecimal() and len(typed) <= _DIGITS else -1


async def _form(
    look: Looking, topic: Topic, sent: Mapping[str, Any], refusal: Refusal | None = None
) -> Response:
    say, listed = look.say, await look.services.topics.ListTopics(ListTopicsRequest(page_size=ALL))
    others = [(each.name, each.display_name) for each in listed.topics if each.name != topic.name]
    agents = await colleagues(look)
    missing = topic.default_owner and topic.default_owner not in dict(agents)
    if missing:  # who has left stays until somebody else is chosen
        agents = [
            (topic.default_owner, say("{who}, who has left", who=words.last(topic.default_owner))),
            *agents,
        ]
    harms = {number: code for code, number in HARMS.items()}
    return look.answer(
        "pages/topics/one.html",
        422 if refusal else 200,
        topic=topic,
        is_new=not topic.name,
        code=sent.get("code", ""),
        request_id=sent["request_id"],
        refusal=say.refusal(refusal) if refusal else "",
        may=look.viewer.may_change(view.WRITE, topic.department),
        parents=[("", say("none: it is at the top")), *others],
        agents=[("", say("who the one above it says")), *agents],
        harms=[("", say("as the one above it says")), *say.choices(filter(None, HARMS))],
        harm=harms.get(topic.default_harm, ""),
    )
