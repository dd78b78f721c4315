"""`/clockPolicies/{id}`: for what and how long, tried and changed; `/clockPolicies/new`: others."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import value_name
from desk.pages.base import Looking
from desk.pages.editing import Editor, Trial
from desk.pages.times import view
from desk.pages.times.forms import policy_of
from desk.pages.trying import Typed
from rapport.cases.v1 import clock_policy_service_pb2 as pb
from rapport.cases.v1.calendar_service_pb2 import ListCalendarsRequest
from rapport.cases.v1.clock_policy_pb2 import ClockPolicy

WRITE = "cases.clock_policies.write"
LISTED = 1000
_CHANGED = FieldMask(paths=["display_name", "condition", "position", "targets", "pauses", "disabled"])


class ClockPolicies(Editor[ClockPolicy]):
    """How long things may take."""

    collection, template, permission, lists = "clockPolicies", "pages/times/policy.html", WRITE, ("pauses",)

    def begun(self, look: Looking, chosen: Mapping[str, str]) -> ClockPolicy:
        """Of cases, unless something else is chosen first."""
        subject = chosen.get("subject", "")
        about = subject if subject in view.SUBJECTS else next(iter(view.SUBJECTS))
        return ClockPolicy(
            department=look.viewer.department,
            subject=ClockPolicy.Subject.Value(f"SUBJECT_{about}"),
            condition="true",
        )

    async def get(self, look: Looking, name: str) -> ClockPolicy:
        return await look.services.clock_policies.GetClockPolicy(pb.GetClockPolicyRequest(name=name))

    def read(self, now: ClockPolicy, sent: Typed) -> ClockPolicy:
        return policy_of(now, sent)

    async def preview(self, look: Looking, now: ClockPolicy, proposed: ClockPolicy, sent: Typed) -> Any:
        """Who is concerned."""
        asked = pb.PreviewClockPolicyRequest(name=now.name, clock_policy=proposed)
        return await look.services.clock_policies.PreviewClockPolicy(asked)

    async def create(self, look: Looking, proposed: ClockPolicy, sent: Typed) -> ClockPolicy:
        asked = pb.CreateClockPolicyRequest(
            clock_policy_id=sent.text("code"), clock_policy=proposed, request_id=sent.request_id
        )
        return await look.services.clock_policies.CreateClockPolicy(asked)

    async def update(
        self, look: Looking, now: ClockPolicy, proposed: ClockPolicy, sent: Typed
    ) -> ClockPolicy:
        """For what comes, or for what runs, too."""
        asked = pb.UpdateClockPolicyRequest(
            clock_policy=proposed,
            update_mask=_CHANGED,
            request_id=sent.request_id,
            apply_to_running=sent.text("apply") == "on",
        )
        return await look.services.clock_policies.UpdateClockPolicy(asked)

    async def known(self, look: Looking, now: ClockPolicy) -> Sequence[tuple[str, str]]:
        """The calendars that it may go by."""
        listed = await look.services.calendars.ListCalendars(ListCalendarsRequest(page_size=LISTED))
        return [(each.name, each.display_name or each.name) for each in listed.calendars]

    def shown(
        self, look: Looking, now: ClockPolicy, known: Sequence[tuple[str, str]], trial: Trial[ClockPolicy]
    ) -> Mapping[str, Any]:
        policy, subject = trial.proposed or now, value_name(now, "subject")
        return {
            "policy": policy,
            "about": subject,
            "subject": view.SUBJECTS[subject],
            "subjects": view.SUBJECTS,
            "targets": view.targets(policy, look.say),
            "pauses": view.pauses(now, look.say),
            "paused": [ClockPolicy.Pause.Name(each).removeprefix("PAUSE_") for each in policy.pauses],
            "applied": trial.fields.get("apply") == "on",
            "calendars": known,
            **view.previewed(trial.preview, look.say),
        }


router = ClockPolicies().router()
