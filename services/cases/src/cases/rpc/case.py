"""The gRPC service of cases."""

from typing import Any

from cases.domain.case import Case
from cases.names import AGENT, CASE, CUSTOMER, DEPARTMENT
from cases.store import cases as store
from cases.usecases import case as usecases
from chassis.api.etags import etag
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from rapport.cases.v1 import case_pb2, case_service_pb2, case_service_pb2_grpc


class CaseRpc(case_service_pb2_grpc.CaseServiceServicer):
    """Cases from the first contact to the resolution."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def OpenCase(self, request: case_service_pb2.OpenCaseRequest, tx: Transaction) -> case_pb2.Case:
        """Open a case."""
        check = Check("case.")
        (customer_id,) = check.name(CUSTOMER, request.case.customer, "customer")
        (owner_id,) = check.name(AGENT, request.case.owner, "owner")
        topic = check.code(request.case.topic, "topic")
        display_name = check.text(request.case.display_name, "display_name", required=False)
        (department_id,) = check.name(DEPARTMENT, request.case.department, "department", required=False)
        check.raise_if_any()
        case = await usecases.open_case(
            tx,
            customer_id=customer_id,
            topic=topic,
            display_name=display_name,
            owner_id=owner_id,
            department_id=department_id,
        )
        return _case(case)

    async def GetCase(self, request: case_service_pb2.GetCaseRequest, context: Any) -> case_pb2.Case:
        """Get a case."""
        (case_id,) = CASE.parse(request.name)
        case = await store.CASE.maybe(self.db, id=case_id)
        if case is None:
            raise NotFound(request.name)
        return _case(case)

    async def ListCases(
        self, request: case_service_pb2.ListCasesRequest, context: Any
    ) -> case_service_pb2.ListCasesResponse:
        """List cases, newest first."""
        cases, token = await store.LIST_CASES.page(self.db, request, _case)
        return case_service_pb2.ListCasesResponse(cases=cases, next_page_token=token)

    @mutation
    async def UpdateCase(self, request: case_service_pb2.UpdateCaseRequest, tx: Transaction) -> case_pb2.Case:
        """Change topic and display name."""
        paths = masked(request.update_mask, request.case, ("topic", "display_name"))
        check = Check("case.")
        (case_id,) = check.name(CASE, request.case.name, "name")
        changes = {}
        if "topic" in paths:
            changes["topic"] = check.code(request.case.topic, "topic")
        if "display_name" in paths:
            changes["display_name"] = check.text(request.case.display_name, "display_name", required=False)
        check.raise_if_any()
        return _case(await usecases.update_case(tx, case_id, changes=changes, etag=request.case.etag))

    @mutation
    async def AssignCase(self, request: case_service_pb2.AssignCaseRequest, tx: Transaction) -> case_pb2.Case:
        """Give a case to another owner."""
        check = Check()
        (case_id,) = check.name(CASE, request.name, "name")
        (owner_id,) = check.name(AGENT, request.owner, "owner")
        check.raise_if_any()
        return _case(await usecases.assign_case(tx, case_id, owner_id=owner_id, etag=request.etag))

    @mutation
    async def ResolveCase(
        self, request: case_service_pb2.ResolveCaseRequest, tx: Transaction
    ) -> case_pb2.Case:
        """Settle a case."""
        check = Check()
        (case_id,) = check.name(CASE, request.name, "name")
        resolution = check.code(request.resolution, "resolution")
        check.raise_if_any()
        return _case(await usecases.resolve_case(tx, case_id, resolution=resolution, etag=request.etag))

    @mutation
    async def ReopenCase(self, request: case_service_pb2.ReopenCaseRequest, tx: Transaction) -> case_pb2.Case:
        """Open a resolved case again."""
        (case_id,) = CASE.parse(request.name)
        return _case(await usecases.reopen_case(tx, case_id, etag=request.etag))


def _case(case: Case) -> case_pb2.Case:
    return to_message(case_pb2.Case, case, etag=etag(case.version))
