"""The gRPC services of imports, sections and the timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from google.protobuf.empty_pb2 import Empty

from chassis.api.checks import Rules
from chassis.api.customers import check_row
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.pages import in_turns
from chassis.api.validation import Check, Found
from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.errors import Refusal
from chassis.facts import Why
from chassis.grpc.ingest import ingest
from chassis.grpc.methods import change, get, listing
from chassis.grpc.mutation import mutation
from chassis.servicer import Rpc
from customer import names
from customer.domain.identifiers import Draft
from customer.domain.import_effects import Effect
from customer.domain.sections import PutResult, ViewSection
from customer.domain.timeline import INTERACTION, ShownEntry
from customer.rpc.customers import read_draft
from customer.store import imports as jobs
from customer.store import tables as store
from customer.store import timeline, views
from customer.usecases import imports, reverting, sections
from customer.usecases.assignments import assign_entry
from customer.usecases.hot_views import HotViews
from customer.usecases.rendering import entry_message
from customer.usecases.timeline import RecordInteraction, record_batch, record_interactions
from rapport.common.v1.explanation_pb2 import Cause, Explanation
from rapport.customer.v1 import import_service_pb2 as import_pb
from rapport.customer.v1 import section_pb2, timeline_pb2, view_pb2
from rapport.customer.v1 import section_service_pb2 as section_pb
from rapport.customer.v1 import timeline_service_pb2 as timeline_pb
from rapport.customer.v1.import_job_pb2 import ImportEffect, ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceServicer
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceServicer
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceServicer

_RECORD = into(timeline_pb.RecordInteractionRequest, RecordInteraction)


def _effect(effect: Effect) -> ImportEffect:
    """Whom a preview would create has no name yet."""
    message = to_message(
        ImportEffect,
        effect,
        matched_by=f"identifiers[{effect.matched}]" if effect.matched >= 0 else "",
        added_identifiers=[f"identifiers[{each.position}]" for each in effect.added],
        changes=(),
    )
    message.changes.extend(to_message(ImportEffect.Change, each, field=each.path) for each in effect.changes)
    if effect.preview and effect.created_line:
        message.customer = ""
    return message


class ImportRpc(Rpc, ImportServiceServicer):
    """Bulk import of customers."""

    CreateImportJob = change(import_pb.CreateImportJobRequest, imports.create_job, ImportJob)
    GetImportJob = get(names.IMPORT_JOB, jobs.JOB, ImportJob)
    ListImportJobs = listing(import_pb.ListImportJobsResponse, jobs.LIST_JOBS)
    ListImportFindings = listing(
        import_pb.ListImportFindingsResponse, jobs.LIST_FINDINGS, parent=(names.IMPORT_JOB, jobs.JOB)
    )
    ListImportEffects = listing(
        import_pb.ListImportEffectsResponse, jobs.LIST_EFFECTS, _effect, parent=(names.IMPORT_JOB, jobs.JOB)
    )
    PreviewImportJob = change(import_pb.PreviewImportJobRequest, imports.preview_job, ImportJob)
    CommitImportJob = change(import_pb.CommitImportJobRequest, imports.commit_job, ImportJob)
    RevertImportJob = change(import_pb.RevertImportJobRequest, reverting.revert_job, ImportJob)
    CancelImportJob = change(import_pb.CancelImportJobRequest, imports.cancel_job, ImportJob)

    @mutation
    async def AppendImportRows(
        self, request: import_pb.AppendImportRowsRequest, tx: Transaction
    ) -> ImportJob:
        """Check and keep rows."""
        (job_id,), now = names.IMPORT_JOB.ids(request.name), self.db.clock.now()
        rows = [_row(row, check_row(row.customer, now)) async for row in in_turns(request.rows)]
        return to_message(ImportJob, await imports.append_rows(tx, job_id, rows))


def _row(row: ImportRow, wrong: Found) -> imports.Row:
    draft = Draft() if wrong else read_draft(row.customer, confirmed=row.confirmed)
    return imports.Row(row.line, draft, wrong)


def _stale_later(check: Check, request: section_pb.PutViewSectionRequest, now: datetime) -> None:
    as_of, stale = request.as_of_time, request.stale_time
    if request.HasField("stale_time") and (stale.seconds, stale.nanos) <= (as_of.seconds, as_of.nanos):
        check.refuse("stale_time", "INVALID_TIME", "must be later than as_of_time")


def _different(check: Check, request: section_pb.BatchPutViewSectionsRequest, now: datetime) -> None:
    check.different((each.name for each in request.requests), "requests[{}].name")


def _section(section: ViewSection) -> section_pb2.ViewSection:
    """With its content; what is drawn has the rest."""
    (shown,) = view_pb2.CustomerView.FromString(section.drawn).sections
    shown.content = section.content or b""
    return shown


def _results(results: Sequence[PutResult]) -> section_pb.BatchPutViewSectionsResponse:
    answer = section_pb.BatchPutViewSectionsResponse()
    for each in results:
        outcome = answer.OUTCOME_STALE if each.is_stale else answer.OUTCOME_STORED
        result = answer.results.add(outcome=outcome)
        drawn = view_pb2.CustomerView.FromString(each.section.drawn).sections  # none of what is withdrawn
        for shown in drawn:
            shown.ClearField("cells")
            result.view_section.CopyFrom(shown)
    return answer


class SectionRpc(Rpc, SectionServiceServicer):
    """Departments' own parts of the customer view, which `hot` forgets when they change."""

    hot: HotViews
    rules: ClassVar[Rules] = {
        section_pb.PutViewSectionRequest: _stale_later,
        section_pb.BatchPutViewSectionsRequest: _different,
    }

    PutSectionSchema = change(
        section_pb.PutSectionSchemaRequest, sections.put_section_schema, section_pb2.SectionSchema
    )
    GetSectionSchema = get(names.SECTION_SCHEMA, views.SCHEMA, section_pb2.SectionSchema)
    ListSectionSchemas = listing(section_pb.ListSectionSchemasResponse, views.LIST_SCHEMAS)
    DeleteSectionSchema = change(section_pb.DeleteSectionSchemaRequest, sections.delete_section_schema, Empty)
    PutViewSection = change(section_pb.PutViewSectionRequest, sections.put_view_section, _section)
    BatchPutViewSections = change(
        section_pb.BatchPutViewSectionsRequest, sections.batch_put_view_sections, _results
    )
    GetViewSection = get(names.SECTION, views.SECTION, _section)
    ListViewSections = listing(
        section_pb.ListViewSectionsResponse,
        views.LIST_SECTIONS,
        _section,
        parent=(names.VIEW, store.CUSTOMER),
    )
    DeleteViewSection = change(section_pb.DeleteViewSectionRequest, sections.delete_view_section, Empty)

    async def ExplainViewSection(
        self, request: section_pb.ExplainViewSectionRequest, context: Any
    ) -> Explanation:
        """Explain a section by who put it: nobody is told of it, so that it has no fact."""
        ids = names.SECTION.parse(request.name)
        section = await found(self.db, names.SECTION, views.SECTION, *ids)
        return await self.explainer.explain(request, _section(section), event=section.put_id)


def _recorded(entries: Sequence[ShownEntry]) -> timeline_pb.BatchRecordInteractionsResponse:
    return timeline_pb.BatchRecordInteractionsResponse(timeline_entries=map(entry_message, entries))


class TimelineRpc(Rpc, TimelineServiceServicer):
    """The timeline of a customer."""

    hot: HotViews

    @ingest(lambda self, request, now: _RECORD(request))
    async def RecordInteraction(
        self, commands: Sequence[RecordInteraction], calls: Sequence[Call], tx: Transaction
    ) -> list[timeline_pb2.TimelineEntry | Refusal]:
        """Record contacts, those that arrive together in one transaction."""
        recorded = await record_interactions(tx, commands, calls)
        return [each if isinstance(each, Refusal) else entry_message(each) for each in recorded]

    BatchRecordInteractions = change(timeline_pb.BatchRecordInteractionsRequest, record_batch, _recorded)
    AssignTimelineEntry = change(timeline_pb.AssignTimelineEntryRequest, assign_entry, entry_message)
    GetTimelineEntry = get(names.ENTRY, timeline.ENTRY, entry_message)
    ListTimelineEntries = listing(
        timeline_pb.ListTimelineEntriesResponse,
        timeline.LIST_ENTRIES,
        entry_message,
        parent=(names.CUSTOMER, store.CUSTOMER),
    )

    async def ExplainTimelineEntry(
        self, request: timeline_pb.ExplainTimelineEntryRequest, context: Any
    ) -> Explanation:
        """Explain an entry; that of a fact by the fact. What the entry itself says is kept for ever."""
        entry = await found(self.db, names.ENTRY, timeline.ENTRY, *names.ENTRY.ids(request.name))
        message = entry_message(entry)
        known = to_message(Cause, message, resource=entry.resource or message.name, id=str(entry.id))
        return await self.explainer.explain(
            request,
            message,
            lambda _: Why(f"{message.actor} is behind this: {entry.event_type}, told by {message.service}."),
            event=None if entry.event_type == INTERACTION else entry.id,
            known=known,
        )
