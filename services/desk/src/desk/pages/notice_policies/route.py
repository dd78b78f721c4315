"""`/noticePolicies`: what leads to messages; each, `/noticePolicies/{id}`, tried on what happened."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import timestamp
from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.base import Look, Looking
from desk.pages.editing import Editor, Trial, marked
from desk.pages.notice_policies import forms, view
from desk.pages.trying import Typed
from desk.ui.speech import Speech
from rapport.notifications.v1 import notice_policy_service_pb2 as pb
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.template_pb2 import Template
from rapport.notifications.v1.template_service_pb2 import ListTemplatesRequest
from rapport.notifications.v1.trigger_event_pb2 import TriggerEvent

WRITE = "notifications.notice_policies.write"
LISTED, VERSIONS = 1000, 50
_CHANGED = FieldMask(
    paths=[
        *("template", "disabled", "condition", "variables", "customer_field", "subject_field"),
        *("expire_after", "cancel_event_types", "schedule", "customer_date", "delivery", "call_first"),
    ]
)


@dataclass(frozen=True)
class Known:
    """What a page shows beside a policy."""

    templates: list[tuple[str, str]]
    events: Mapping[str, TriggerEvent]  # by their full names
    template: Template
    beside: NoticePolicy | None  # the version that it is shown beside


class NoticePolicies(Editor[NoticePolicy]):
    """Which events lead to which messages. Which event and template a form is of, its URL says."""

    collection, template, permission = "noticePolicies", "pages/notice_policies/one.html", WRITE

    def begun(self, look: Looking, chosen: Mapping[str, str]) -> NoticePolicy:
        query = look.request.query_params
        policy = NoticePolicy(department=look.viewer.department, template=query.get("template", ""))
        forms.put_trigger(policy, query.get("event", ""))
        return policy

    async def get(self, look: Looking, name: str) -> NoticePolicy:
        found: NoticePolicy = await look.services.notice_policies.GetNoticePolicy(
            pb.GetNoticePolicyRequest(name=name)
        )
        found.template = look.request.query_params.get("template", "") or found.template
        return found

    def read(self, now: NoticePolicy, sent: Typed) -> NoticePolicy:
        asked = [name.removeprefix("v-") for name in sent.fields if name.startswith("v-")]
        return forms.policy_of(now, sent, asked)

    async def preview(self, look: Looking, now: NoticePolicy, proposed: NoticePolicy, sent: Typed) -> Any:
        """Whom it would have told since a day, or from where the look before ended, or would tell soon."""
        asked = pb.PreviewNoticePolicyRequest(notice_policy=proposed)
        if not proposed.HasField("customer_date"):
            asked.start_time.CopyFrom(timestamp(_since(look, sent)))
        answer = await look.services.notice_policies.PreviewNoticePolicy(asked)
        customers = await look.services.known(each.customer for each in answer.rows)
        return view.previewed(answer, customers, look.say)

    async def create(self, look: Looking, proposed: NoticePolicy, sent: Typed) -> NoticePolicy:
        asked = pb.CreateNoticePolicyRequest(
            notice_policy_id=sent.text("code"), notice_policy=proposed, request_id=sent.request_id
        )
        return await look.services.notice_policies.CreateNoticePolicy(asked)

    async def update(
        self, look: Looking, now: NoticePolicy, proposed: NoticePolicy, sent: Typed
    ) -> NoticePolicy:
        asked = pb.UpdateNoticePolicyRequest(
            notice_policy=proposed, update_mask=_CHANGED, request_id=sent.request_id
        )
        return await look.services.notice_policies.UpdateNoticePolicy(asked)

    async def known(self, look: Looking, now: NoticePolicy) -> Known:
        beside, events = await asyncio.gather(_beside(look, now), _events(look))
        listed = await look.services.templates.ListTemplates(ListTemplatesRequest(page_size=LISTED))
        offered = view.templates(listed.templates, now, events.get(now.event_type), look.say)
        template = next((each for each in listed.templates if each.name == now.template), None)
        return Known(offered, events, template or Template(), beside)

    def shown(
        self, look: Looking, now: NoticePolicy, known: Known, trial: Trial[NoticePolicy]
    ) -> Mapping[str, Any]:
        policy, say = trial.proposed or now, look.say
        event = known.events.get(policy.event_type, TriggerEvent())
        typed = defaultdict(str, trial.fields or forms.written(policy))
        asked = list(dict.fromkeys((*known.template.given_variables, *now.variables)))
        there = {*_FIELDS, *(f"v-{name}" for name in asked)}
        errors = marked(trial.refusal, say.language, there, forms.field_of)
        of_date = policy.HasField("customer_date")
        return {
            "policy": policy,
            "now": now,
            "event": event,
            "event_told": view.event(event, say) if event.event_type else view.trigger(policy, say),
            "of_date": of_date,
            "trigger": forms.trigger_of(policy),
            "is_of_promises": event.tells_promises,
            "is_chosen": bool((event.event_type or of_date) and known.template.name),
            "events": [
                *((name, say(told)) for name, told in forms.DATES.items()),
                *view.events((each for each in known.events.values() if each.customer_fields), say),
            ],
            "templates": known.templates,
            "its_template": known.template,
            "variables": [(name, typed[f"v-{name}"]) for name in asked],
            "customer_fields": view.choices(
                event.customer_fields,
                typed["customer_field"],
                say("customer, as most events have it") if "customer" in event.customer_fields else "",
            ),
            "subject_fields": view.choices(
                event.subject_fields, typed["subject_field"], say("the thing that it happened to")
            ),
            "date_fields": view.choices(
                event.date_fields, typed["date_field"], say("when it happened, or so long after")
            ),
            "cancels": _cancels(typed, known.events, say),
            "channels": view.channel_fields(typed, say),
            "calls": [(code, say(told)) for code, told in forms.CALLS.items()],
            "sides": [(side, say(told)) for side, told in forms.SIDES.items()],
            "units": [(unit, say(told)) for unit, told in forms.UNITS.items()],
            "typed": typed,
            "errors": errors,
            "told": trial.told(say, errors),
            "since": typed["since"] or (say.today - timedelta(days=1)).isoformat(),
            "tried": trial.preview,
            "versions": list(range(now.version - 1, max(0, now.version - 1 - VERSIONS), -1)),
            "beside": known.beside,
            "compared": view.compared(known.beside, now, say) if known.beside else [],
        }


_FIELDS = (
    *(
        "code",
        "template",
        "condition",
        "customer_field",
        "subject_field",
        "date_field",
        "day_count",
        "send_hour",
    ),
    *("after_count", "expire_count", *forms.DELIVERY, "call_first", "since"),
    *(f"cancel-{i}" for i in range(forms.CANCELS_MAX)),
)


async def _beside(look: Looking, now: NoticePolicy) -> NoticePolicy | None:
    """The version that the URL names; none for what names none."""
    version = look.request.query_params.get("beside", "")
    if not now.name or not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        return None
    asked = pb.GetNoticePolicyRequest(name=f"{now.name}/versions/{version}")
    found: NoticePolicy = await look.services.notice_policies.GetNoticePolicy(asked)
    return found


async def _events(look: Looking) -> Mapping[str, TriggerEvent]:
    """What a policy may name."""
    request = pb.ListTriggerEventsRequest(page_size=LISTED)
    listed = await look.services.notice_policies.ListTriggerEvents(request)
    return {each.event_type: each for each in listed.trigger_events}


def _cancels(
    typed: Mapping[str, str], events: Mapping[str, TriggerEvent], say: Speech
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """A field for each event that cancels it, and for two more."""
    offered = [("", say("none")), *view.events(events.values(), say)]
    chosen = [*forms.cancels(typed), "", ""][: forms.CANCELS_MAX]
    return [(f"cancel-{i}", each, offered) for i, each in enumerate(chosen)]


def _since(look: Looking, sent: Typed) -> datetime:
    """From when on events are looked at. InvalidArgument for what is no day."""
    try:
        if further := sent.text("from"):
            return datetime.fromisoformat(further)
        return datetime.combine(date.fromisoformat(sent.text("since")), time(), look.say.zone)
    except ValueError:
        raise invalid("since", "INVALID_TIME", N_("must be a day such as 2026-12-24")) from None


router = APIRouter()


@router.get("/noticePolicies")
async def policies(look: Look) -> Response:
    """All of them."""
    request = pb.ListNoticePoliciesRequest(page_size=LISTED)
    listed = await look.services.notice_policies.ListNoticePolicies(request)
    return look.answer(
        "pages/notice_policies/all.html",
        lines=view.lines(listed.notice_policies, look.say),
        more=bool(listed.next_page_token),
        may=look.viewer.may(WRITE),
    )


router.include_router(NoticePolicies().router())
