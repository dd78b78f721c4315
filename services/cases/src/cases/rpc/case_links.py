"""The gRPC service of what cases are to each other."""

from functools import partial
from typing import Any

from google.protobuf.empty_pb2 import Empty

from cases.names import CASE, CASE_LINK
from cases.store import case_links as store
from cases.store import tables
from cases.usecases import case_link
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get
from chassis.servicer import Rpc
from rapport.cases.v1 import case_link_service_pb2 as pb
from rapport.cases.v1.case_link_pb2 import CaseLink
from rapport.cases.v1.case_link_service_pb2_grpc import CaseLinkServiceServicer


class CaseLinkRpc(Rpc, CaseLinkServiceServicer):
    """What cases are to each other."""

    CreateCaseLink = change(pb.CreateCaseLinkRequest, case_link.create_case_link, CaseLink)
    DeleteCaseLink = change(pb.DeleteCaseLinkRequest, case_link.delete_case_link, Empty)
    GetCaseLink = get(CASE_LINK, store.CASE_LINK, CaseLink)
    ExplainCaseLink = explain(CASE_LINK, store.CASE_LINK, CaseLink)

    async def ListCaseLinks(self, request: pb.ListCaseLinksRequest, context: Any) -> pb.ListCaseLinksResponse:
        """List the links of a case, from whichever end."""
        (case_id,) = CASE.parse(request.case, "case")
        show = partial(to_message, CaseLink)
        page, token = await store.LIST_CASE_LINKS.page(self.db, request, show, case_id=case_id)
        if not page:
            await found(self.db, CASE, tables.CASE, case_id)
        return pb.ListCaseLinksResponse(case_links=page, next_page_token=token)
