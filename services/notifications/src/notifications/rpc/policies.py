"""The gRPC service of notice policies."""

from typing import ClassVar

from google.protobuf.empty_pb2 import Empty

from chassis.api.checks import Rules
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from notifications.names import POLICY
from notifications.rpc.rules import check_policy
from notifications.store import policies as store
from notifications.usecases import policy as usecases
from rapport.notifications.v1 import notice_policy_service_pb2 as pb
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_policy_service_pb2_grpc import NoticePolicyServiceServicer


class PolicyRpc(Rpc, NoticePolicyServiceServicer):
    """Which facts lead to which notices."""

    rules: ClassVar[Rules] = {NoticePolicy: check_policy}

    CreateNoticePolicy = change(pb.CreateNoticePolicyRequest, usecases.create_policy, NoticePolicy)
    GetNoticePolicy = get(POLICY, store.GET_POLICY, NoticePolicy)
    ListNoticePolicies = listing(pb.ListNoticePoliciesResponse, store.LIST_POLICIES)
    UpdateNoticePolicy = change(pb.UpdateNoticePolicyRequest, usecases.update_policy, NoticePolicy)
    DeleteNoticePolicy = change(pb.DeleteNoticePolicyRequest, usecases.delete_policy, Empty)
