"""The gRPC service of what people may do alone."""

from datetime import datetime
from typing import Any, ClassVar

from cases.names import AUTHORITY_POLICY, CASE, CUSTOMER
from cases.store import authority_policies as store
from cases.usecases import authority_policy as usecases
from cases.usecases.authority import check_authority
from chassis.api.checks import Rules
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.auth import permissions
from chassis.context import current_call
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import authority_service_pb2 as pb
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.cases.v1.authority_service_pb2_grpc import AuthorityServiceServicer

_Authority = pb.CheckAuthorityResponse.Authority


def check_limit(check: Check, sent: AuthorityPolicy.Limit, now: datetime) -> None:
    """A role is a permission that there is: a slip would silently give nobody anything."""
    if sent.permission and sent.permission not in permissions.known():
        check.refuse("permission", "INVALID_PERMISSION", "must be one that an RPC asks for")


def check_about(check: Check, sent: pb.CheckAuthorityRequest, now: datetime) -> None:
    """A customer or a case."""
    if bool(sent.customer) == bool(sent.case):
        check.refuse("customer", "REQUIRED", "must be given, or case, not both")


class AuthorityRpc(Rpc, AuthorityServiceServicer):
    """The authority of those who talk with customers."""

    rules: ClassVar[Rules] = {AuthorityPolicy.Limit: check_limit, pb.CheckAuthorityRequest: check_about}

    CreateAuthorityPolicy = change(
        pb.CreateAuthorityPolicyRequest, usecases.create_authority_policy, AuthorityPolicy
    )
    GetAuthorityPolicy = get(
        AUTHORITY_POLICY, store.AUTHORITY_POLICY, AuthorityPolicy, store.AUTHORITY_POLICY_VERSION
    )
    ListAuthorityPolicies = listing(pb.ListAuthorityPoliciesResponse, store.LIST_AUTHORITY_POLICIES)
    UpdateAuthorityPolicy = change(
        pb.UpdateAuthorityPolicyRequest, usecases.update_authority_policy, AuthorityPolicy
    )
    ExplainAuthorityPolicy = explain(AUTHORITY_POLICY, store.AUTHORITY_POLICY, AuthorityPolicy)

    async def CheckAuthority(
        self, request: pb.CheckAuthorityRequest, context: Any
    ) -> pb.CheckAuthorityResponse:
        """What whoever asks may do alone."""
        customer_id = CUSTOMER.parse(request.customer)[0] if request.customer else None
        case_id = CASE.parse(request.case)[0] if request.case else None
        answers = await check_authority(self.db, current_call.get().principal, customer_id, case_id)
        shown = [to_message(_Authority, each) for each in answers]
        return pb.CheckAuthorityResponse(authorities=[each for each in shown if request.act in (0, each.act)])
