"""The gRPC services of consents, imports, sections and the timeline."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from google.protobuf.empty_pb2 import Empty

from chassis.api.checks import Rules
from chassis.api.customers import check_row
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import enum_name, to_message
from chassis.api.pages import in_turns
from chassis.api.validation import Check, Found
from chassis.api.wellknown import time_of
from chassis.business_time import WEEKDAYS
from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.errors import Refusal
from chassis.explain.explainer import explain
from chassis.facts import Why
from chassis.grpc.ingest import ingest
from chassis.grpc.methods import change, get, listing
from chassis.grpc.mutation import mutation
from chassis.servicer import Rpc
from customer import names
from customer.domain.identifiers import Draft
from customer.domain.quiet import NEVER_WELCOME, QuietHours, welcome
from customer.domain.sections import PutResult, ViewSection
from customer.domain.suppressions import AddressKey
from customer.domain.timeline import INTERACTION, Channel, TimelineEntry
from customer.rpc.customers import read_draft
from customer.store import consents as consent_store
from customer.store import tables as store
from customer.store import timeline, views
from customer.usecases import consents, imports, sections
from customer.usecases.assignments import assign_entry
from customer.usecases.hot_views import HotViews
from customer.usecases.timeline import RecordInteraction, record_batch, record_interactions
from customer.usecases.views import entry_message
from rapport.common.v1 import channel_pb2
from rapport.common.v1.explanation_pb2 import Cause, Explanation
from rapport.customer.v1 import consent_service_pb2 as consent_pb
from rapport.customer.v1 import import_service_pb2 as import_pb
from rapport.customer.v1 import purpose_service_pb2 as purpose_pb
from rapport.customer.v1 import section_pb2, timeline_pb2, view_pb2
from rapport.customer.v1 import section_service_pb2 as section_pb
from rapport.customer.v1 import timeline_service_pb2 as timeline_pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceServicer
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceServicer
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceServicer
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceServicer
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceServicer

_CHANNEL = channel_pb2.Channel.DESCRIPTOR
_DAYS = dict(enumerate(WEEKDAYS, start=1))  # as google.type.DayOfWeek numbers them
_RECORD = into(timeline_pb.RecordInteractionRequest, RecordInteraction)


def _welcome_at_times(check: Check, sent: Preferences, now: datetime) -> None:
    """Quiet that can be, and ends."""
    said = [
        QuietHours([_DAYS[day] for day in each.days if day in _DAYS], each.starts, each.ends)
        for each in sent.quiet_hours
    ]
    wrong = [(i, *problem) for i, each in enumerate(said) for problem in each.problems()]
    for i, field, allowed in wrong:
        check.refuse(f"quiet_hours[{i}].{field}", "INVALID_HOURS", allowed)
    if not wrong and not any(welcome(said)):
        check.refuse("quiet_hours", "INVALID_HOURS", NEVER_WELCOME)
    for i, pause in enumerate(sent.pauses):
        starts, ends = time_of(pause, "start_time"), time_of(pause, "end_time")
        if starts and ends and ends <= starts:
            check.refuse(f"pauses[{i}].end_time", "INVALID_TIME", "must be after start_time")


class PurposeRpc(Rpc, PurposeServiceServicer):
    """The purposes of contact."""

    CreatePurpose = change(purpose_pb.CreatePurposeRequest, consents.create_purpose, Purpose)
    GetPurpose = get(names.PURPOSE, consent_store.PURPOSE, Purpose)
    ListPurposes = listing(purpose_pb.ListPurposesResponse, consent_store.LIST_PURPOSES)
    ExplainPurpose = explain(names.PURPOSE, consent_store.PURPOSE, Purpose)
    UpdatePurpose = change(purpose_pb.UpdatePurposeRequest, consents.update_purpose, Purpose)


class ConsentRpc(Rpc, ConsentServiceServicer):
    """Consent, preferences, and where to send."""

    addresses: AddressKey
    rules: ClassVar[Rules] = {Preferences: _welcome_at_times}

    UpdateConsent = change(consent_pb.UpdateConsentRequest, consents.update_consent, Consent)
    GetConsent = get(names.CONSENT, consent_store.CONSENT, Consent)
    ListConsentVersions = listing(
        consent_pb.ListConsentVersionsResponse,
        consent_store.LIST_VERSIONS,
        parent=(names.CONSENT, consent_store.OWN_CONSENT),
    )
    ExplainConsent = explain(names.CONSENT, consent_store.CONSENT, Consent)
    UpdatePreferences = change(consent_pb.UpdatePreferencesRequest, consents.update_preferences, Preferences)

    async def ListConsents(
        self, request: consent_pb.ListConsentsRequest, context: Any
    ) -> consent_pb.ListConsentsResponse:
        """List what holds, or held at a time."""
        (customer_id,) = names.CUSTOMER.parse(request.parent, "parent")
        at = time_of(request, "read_time")
        rows, then = (consent_store.LIST_CONSENTS_AT, {"at": at}) if at else (consent_store.LIST_CONSENTS, {})
        page, token = await rows.page(
            self.db, request, partial(to_message, Consent), customer_id=customer_id, **then
        )
        if not page:
            await found(self.db, names.CUSTOMER, store.CUSTOMER, customer_id)
        return consent_pb.ListConsentsResponse(consents=page, next_page_token=token)

    async def GetPreferences(self, request: consent_pb.GetPreferencesRequest, context: Any) -> Preferences:
        """Get how the customer wants to be reached."""
        customer = await found(self.db, names.CUSTOMER, store.CUSTOMER, *names.PREFERENCES.ids(request.name))
        return to_message(Preferences, await consents.preferences_of(self.db, customer.id))

    async def ExplainPreferences(
        self, request: consent_pb.ExplainPreferencesRequest, context: Any
    ) -> Explanation:
        """Explain how the customer wants to be reached."""
        asked = consent_pb.GetPreferencesRequest(name=request.name)
        return await self.explainer.explain(request, await self.GetPreferences(asked, context))

    async def CheckContact(
        self, request: consent_pb.CheckContactRequest, context: Any
    ) -> consent_pb.CheckContactResponse:
        """Say whether and where a customer may be contacted now."""
        (customer_id,), (purpose_id,) = names.CUSTOMER.ids(request.name), names.PURPOSE.ids(request.purpose)
        customer = await found(self.db, names.CUSTOMER, store.CUSTOMER, customer_id)
        channels = [Channel(enum_name(_CHANNEL, number)) for number in dict.fromkeys(request.channels)]
        contact = await consents.check_contact(
            self.db, self.addresses, customer, customer_id, purpose_id, channels, urgent=request.urgent
        )
        for each in contact.decisions:
            each.decide_time = self.db.clock.now()
        return to_message(
            consent_pb.CheckContactResponse,
            contact,
            display_name=customer.shown_name if contact.allowed else "",
            language_code=customer.language_code,
            time_zone=customer.time_zone,
            relationship_manager=customer.relationship_manager,
        )


class ImportRpc(Rpc, ImportServiceServicer):
    """Bulk import of customers."""

    CreateImportJob = change(import_pb.CreateImportJobRequest, imports.create_job, ImportJob)
    GetImportJob = get(names.IMPORT_JOB, store.JOB, ImportJob)
    ListImportJobs = listing(import_pb.ListImportJobsResponse, store.LIST_JOBS)
    ListImportFindings = listing(
        import_pb.ListImportFindingsResponse, store.LIST_FINDINGS, parent=(names.IMPORT_JOB, store.JOB)
    )
    CommitImportJob = change(import_pb.CommitImportJobRequest, imports.commit_job, ImportJob)
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


def _recorded(entries: Sequence[TimelineEntry]) -> timeline_pb.BatchRecordInteractionsResponse:
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
