"""Customers: staged in an ImportJob of the customer service, then committed."""

import asyncio
from collections.abc import Mapping

import grpc

from chassis.cli.imports.engine import Result
from chassis.cli.imports.fields import Cells
from chassis.cli.imports.tabular import Problem, Row, Source
from rapport.customer.v1 import customer_pb2, import_pb2, import_service_pb2
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceStub

_IDENTIFIERS = {
    "email": customer_pb2.Identifier.TYPE_EMAIL,
    "phone": customer_pb2.Identifier.TYPE_PHONE,
    "fax": customer_pb2.Identifier.TYPE_FAX,
    "account_number": customer_pb2.Identifier.TYPE_ACCOUNT_NUMBER,
}
_NAMES = ("display_name", "given_name", "family_name", "organization_name")


def external_id(system: str, value: str) -> customer_pb2.Identifier:
    """The handle of a customer in another system."""
    return customer_pb2.Identifier(type=customer_pb2.Identifier.TYPE_EXTERNAL_ID, value=f"{system}:{value}")


class CustomerImporter:
    """Rows become customers, matched by external id, account number, e-mail or phone."""

    fields = ("external_id", *_NAMES, *_IDENTIFIERS, "country", "language", "time_zone")
    required = ()

    def __init__(self, channel: grpc.aio.Channel, source: Source, system: str) -> None:
        self._service = ImportServiceStub(channel)
        self._source = source
        self._system = system
        self._job: import_pb2.ImportJob | None = None
        self._opening = asyncio.Lock()

    def parse(self, cells: Cells, row: Row) -> import_pb2.ImportRow:
        """A customer with every handle the row holds."""
        identifiers = [external_id(self._system, value)] if (value := cells.text("external_id")) else []
        identifiers += [
            customer_pb2.Identifier(type=kind, value=text)
            for name, kind in _IDENTIFIERS.items()
            if (text := cells.text(name))
        ]
        if not identifiers:
            row.problems.append(
                Problem(
                    "",
                    "REQUIRED",
                    "must have an id, account number, e-mail or phone to recognise the customer by",
                )
            )
        customer = customer_pb2.Customer(
            identifiers=identifiers,
            region_code=cells.region("country"),
            language_code=cells.text("language"),
            time_zone=cells.text("time_zone"),
        )
        for name in _NAMES:
            setattr(customer, name, cells.text(name))
        return import_pb2.ImportRow(line=row.line, customer=customer)

    async def send(self, items: list[tuple[Row, import_pb2.ImportRow]]) -> int:
        """Stage the rows. What is new is known only after the commit."""
        job = await self._opened()
        request = import_service_pb2.AppendImportRowsRequest(name=job.name, rows=[row for _, row in items])
        if job.state == import_pb2.ImportJob.STATE_OPEN:
            await self._service.AppendImportRows(request)
        return 0

    async def finish(self, result: Result) -> Mapping[int, Problem]:
        """Commit, wait until every row is applied, and collect what was refused."""
        job = await self._opened()
        before = job.state
        if before == import_pb2.ImportJob.STATE_OPEN:
            job = await self._service.CommitImportJob(
                import_service_pb2.CommitImportJobRequest(name=job.name)
            )
        while job.state == import_pb2.ImportJob.STATE_COMMITTING:
            await asyncio.sleep(0.2)
            job = await self._service.GetImportJob(import_service_pb2.GetImportJobRequest(name=job.name))
        repeated = before == import_pb2.ImportJob.STATE_DONE
        result.created = 0 if repeated else job.created_count
        result.known = job.matched_count + (job.created_count if repeated else 0)
        return await self._refused(job.name)

    async def _opened(self) -> import_pb2.ImportJob:
        async with self._opening:
            if self._job is None:
                request = import_service_pb2.CreateImportJobRequest(
                    import_job=import_pb2.ImportJob(source=self._source.digest)
                )
                self._job = await self._service.CreateImportJob(request)
            return self._job

    async def _refused(self, job: str) -> dict[int, Problem]:
        request = import_service_pb2.ListImportErrorsRequest(parent=job, page_size=1000)
        refused: dict[int, Problem] = {}
        while True:
            page = await self._service.ListImportErrors(request)
            for error in page.import_errors:
                if error.applied:
                    continue
                refused.setdefault(error.line, Problem(error.field, error.reason, error.description))
            if not page.next_page_token:
                return refused
            request.page_token = page.next_page_token
