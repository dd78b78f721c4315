"""The gRPC service of notice policies."""

from typing import Any

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.grpc.mutation import mutation
from notifications.domain.policy import EVENT_TYPES, NoticePolicy
from notifications.names import TEMPLATE
from notifications.store.policies import LIST_POLICIES
from notifications.usecases.create_policy import CreatePolicy, create_policy
from rapport.notifications.v1 import policy_service_pb2 as pb
from rapport.notifications.v1.policy_service_pb2_grpc import PolicyServiceServicer


class PolicyRpc(PolicyServiceServicer):
    """Which facts lead to which notices."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def CreateNoticePolicy(
        self, request: pb.CreateNoticePolicyRequest, tx: Transaction
    ) -> pb.NoticePolicy:
        """Create a policy, or a new version of it."""
        check = Check()
        policy_id = check.code(request.notice_policy_id, "notice_policy_id")
        within = check.at("notice_policy")
        event_type = within.one_of(request.notice_policy.event_type, "event_type", EVENT_TYPES)
        (template,) = within.name(TEMPLATE, request.notice_policy.template, "template")
        department = within.department(request.notice_policy.department)
        check.raise_if_any()
        command = CreatePolicy(policy_id, event_type, template, request.notice_policy.enabled, department)
        return _message(await create_policy(tx, command))

    async def ListNoticePolicies(
        self, request: pb.ListNoticePoliciesRequest, context: Any
    ) -> pb.ListNoticePoliciesResponse:
        """The latest version of every policy, by name."""
        policies, token = await LIST_POLICIES.page(self.db, request, _message)
        return pb.ListNoticePoliciesResponse(notice_policies=policies, next_page_token=token)


def _message(policy: NoticePolicy) -> pb.NoticePolicy:
    return to_message(pb.NoticePolicy, policy, template=TEMPLATE.format(policy.template))
