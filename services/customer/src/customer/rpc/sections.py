"""SectionService."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from google.protobuf.empty_pb2 import Empty

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.validation import Check
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer import names
from customer.domain.sections import PutResult, ViewSection
from customer.store import sections as store
from customer.store.customers import CUSTOMER
from customer.usecases import sections as usecases
from customer.usecases.hot_views import HotViews
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.customer.v1 import section_pb2, view_pb2
from rapport.customer.v1 import section_service_pb2 as pb
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceServicer


def _stale_later(check: Check, request: pb.PutViewSectionRequest, now: datetime) -> None:
    as_of, stale = request.as_of_time, request.stale_time
    if request.HasField("stale_time") and (stale.seconds, stale.nanos) <= (as_of.seconds, as_of.nanos):
        check.refuse("stale_time", "INVALID_TIME", "must be later than as_of_time")


def _different(check: Check, request: pb.BatchPutViewSectionsRequest, now: datetime) -> None:
    seen: set[str] = set()
    for i, each in enumerate(request.requests):
        if each.name in seen:
            check.refuse(f"requests[{i}].name", "INVALID_NAME", "must be another than those before it")
        seen.add(each.name)


def _section(section: ViewSection) -> section_pb2.ViewSection:
    """With its content; what is drawn has the rest."""
    (shown,) = view_pb2.CustomerView.FromString(section.drawn).sections
    shown.content = section.content or b""
    return shown


def _results(results: Sequence[PutResult]) -> pb.BatchPutViewSectionsResponse:
    answer = pb.BatchPutViewSectionsResponse()
    for each in results:
        outcome = answer.OUTCOME_STALE if each.is_stale else answer.OUTCOME_STORED
        result = answer.results.add(outcome=outcome)
        for shown in view_pb2.CustomerView.FromString(
            each.section.drawn
        ).sections:  # none of what is withdrawn
            shown.ClearField("cells")
            result.view_section.CopyFrom(shown)
    return answer


def _empty(_: Any) -> Empty:
    return Empty()


class SectionRpc(Rpc, SectionServiceServicer):
    """Departments' own parts of the customer view, which `hot` forgets when they change."""

    hot: HotViews
    rules: ClassVar[Rules] = {
        pb.PutViewSectionRequest: _stale_later,
        pb.BatchPutViewSectionsRequest: _different,
    }

    PutSectionSchema = change(
        pb.PutSectionSchemaRequest, usecases.put_section_schema, section_pb2.SectionSchema
    )
    GetSectionSchema = get(names.SECTION_SCHEMA, store.SCHEMA, section_pb2.SectionSchema)
    ListSectionSchemas = listing(pb.ListSectionSchemasResponse, store.LIST_SCHEMAS)
    DeleteSectionSchema = change(pb.DeleteSectionSchemaRequest, usecases.delete_section_schema, _empty)
    PutViewSection = change(pb.PutViewSectionRequest, usecases.put_view_section, _section)
    BatchPutViewSections = change(pb.BatchPutViewSectionsRequest, usecases.batch_put_view_sections, _results)
    GetViewSection = get(names.SECTION, store.SECTION, _section)
    ListViewSections = listing(
        pb.ListViewSectionsResponse, store.LIST_SECTIONS, _section, parent=(names.VIEW, CUSTOMER)
    )
    DeleteViewSection = change(pb.DeleteViewSectionRequest, usecases.delete_view_section, _empty)

    async def ExplainViewSection(self, request: pb.ExplainViewSectionRequest, context: Any) -> Explanation:
        """Explain a section by who put it: nobody is told of it, so that it has no fact."""
        ids = names.SECTION.parse(request.name)
        section = await found(self.db, names.SECTION, store.SECTION, *ids)
        return await self.explainer.explain(request, _section(section), event=section.put_id)
