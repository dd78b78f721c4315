"""The gRPC services of clocks and of the policies that start them."""

from functools import partial
from typing import Any

from cases.domain.clock_explanation import why_clock
from cases.names import CLOCK, CLOCK_POLICY
from cases.store import clocks as store
from cases.usecases import clock, clock_policy, reconcile
from cases.usecases.calendar import calendars
from cases.usecases.clock_preview import PolicyDraft, preview_policy
from cases.usecases.conditions import parts_now
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import clock_policy_service_pb2 as policy_pb
from rapport.cases.v1 import clock_service_pb2 as clock_pb
from rapport.cases.v1.clock_pb2 import Clock
from rapport.cases.v1.clock_policy_pb2 import ClockPolicy
from rapport.cases.v1.clock_policy_service_pb2_grpc import ClockPolicyServiceServicer
from rapport.cases.v1.clock_service_pb2_grpc import ClockServiceServicer
from rapport.common.v1.explanation_pb2 import Explanation

_DRAFT = into(ClockPolicy, PolicyDraft)


class ClockPolicyRpc(Rpc, ClockPolicyServiceServicer):
    """Writing the rules that start clocks."""

    CreateClockPolicy = change(
        policy_pb.CreateClockPolicyRequest, clock_policy.create_clock_policy, ClockPolicy
    )
    GetClockPolicy = get(CLOCK_POLICY, store.CLOCK_POLICY, ClockPolicy, store.CLOCK_POLICY_VERSION)
    ListClockPolicies = listing(policy_pb.ListClockPoliciesResponse, store.LIST_CLOCK_POLICIES)
    UpdateClockPolicy = change(
        policy_pb.UpdateClockPolicyRequest, clock_policy.update_clock_policy, ClockPolicy
    )
    ExplainClockPolicy = explain(CLOCK_POLICY, store.CLOCK_POLICY, ClockPolicy)

    async def PreviewClockPolicy(
        self, request: policy_pb.PreviewClockPolicyRequest, context: Any
    ) -> policy_pb.PreviewClockPolicyResponse:
        """What would become of clocks: nothing is written."""
        (policy_id,) = CLOCK_POLICY.parse(request.name)
        preview = await preview_policy(self.db, policy_id, _DRAFT(request.clock_policy))
        return to_message(policy_pb.PreviewClockPolicyResponse, preview)


class ClockRpc(Rpc, ClockServiceServicer):
    """How long cases and work items have."""

    GetClock = get(CLOCK, store.CLOCK, Clock)
    ListClocks = listing(clock_pb.ListClocksResponse, store.LIST_CLOCKS)
    PauseClock = change(clock_pb.PauseClockRequest, clock.pause_clock, Clock)
    ResumeClock = change(clock_pb.ResumeClockRequest, clock.resume_clock, Clock)
    ReconcileClocks = change(
        clock_pb.ReconcileClocksRequest, reconcile.reconcile_clocks, clock_pb.ReconcileClocksResponse
    )

    async def ExplainClock(self, request: clock_pb.ExplainClockRequest, context: Any) -> Explanation:
        """Why a clock is as it is, what counted when, and how what it is about meets its policy now."""
        explained = await found(self.db, CLOCK, store.CLOCK, *CLOCK.parse(request.name))
        policy = await store.CLOCK_POLICY_VERSION.one(
            self.db, id=explained.clock_policy_id, version=explained.policy_version
        )
        calendar = await calendars(self.db).of(self.db, explained.calendar_id, explained.calendar_version)
        parts = await parts_now(self.db, explained, policy, self.db.clock.now())
        why = partial(why_clock, explained, policy, calendar, parts)
        return await self.explainer.explain(request, to_message(Clock, explained), why)
