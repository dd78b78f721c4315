"""AttributeService."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from google.protobuf.empty_pb2 import Empty

from chassis.api.actors import actor_name
from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import enum_number, moment, timestamp, to_message
from chassis.api.validation import Check, bound
from chassis.context import current_call
from chassis.db.transaction import Transaction
from chassis.explain.explainer import explain
from chassis.facts import Told, Why
from chassis.grpc.methods import change, get, listing
from chassis.grpc.mutation import mutation
from chassis.servicer import Rpc
from customer import names
from customer.domain.attributes import (
    Attribute,
    DataClass,
    Judged,
    Observation,
    Reason,
    Standing,
)
from customer.domain.provenance import FIELDS, attribute_of
from customer.rpc.typed_values import read_value, shown_content
from customer.store import attributes as store
from customer.store import tables
from customer.usecases import attributes as usecases
from customer.usecases.observations import Observed, pin_value, record_observations, release_value
from customer.usecases.standing import ids_of, standing
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.customer.v1 import attribute_pb2
from rapport.customer.v1 import attribute_service_pb2 as pb
from rapport.customer.v1.attribute_service_pb2_grpc import AttributeServiceServicer

VALUES_MAX = 1000  # of all observations of a batch
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?", re.ASCII)
_REASON = attribute_pb2.AttributeValue.Reason
_SERVICE = "customer"


def _may_read(attribute: Attribute) -> bool:
    """Whether the caller may read values of it: what is SENSITIVE is its department's."""
    if attribute.data_class is not DataClass.SENSITIVE:
        return True
    principal = current_call.get().principal
    return principal.department == attribute.department_id or principal.administers(_SERVICE)


def _judged(judged: Judged, attribute: Attribute, may_read: bool) -> attribute_pb2.AttributeValue.Candidate:
    each = judged.candidate
    return attribute_pb2.AttributeValue.Candidate(
        value=shown_content(attribute, each.value) if may_read else None,
        observation=each.observation,
        source=each.source,
        department=each.department,
        recorder=actor_name(each.actor, _SERVICE) if each.actor else "",
        observe_time=timestamp(each.observe_time) if each.observe_time else None,
        confidence=each.confidence,
        reason=_REASON.Value(f"REASON_{judged.reason}"),
    )


def shown(each: Standing) -> attribute_pb2.AttributeValue:
    """What stands, the others and why, as the contract has it."""
    attribute, may_read = each.attribute, _may_read(each.attribute)
    return to_message(
        attribute_pb2.AttributeValue,
        each,
        attribute=attribute.name,
        display_name=attribute.display_name,
        standing=_judged(each.standing, attribute, may_read) if each.standing else None,
        others=[_judged(other, attribute, may_read) for other in each.others],
        rule=enum_number(attribute_pb2.Attribute.Rule.DESCRIPTOR, attribute.rule),
        pinner=actor_name(each.pin.actor, _SERVICE) if each.pin and each.pin.actor else "",
        pin_time=timestamp(each.pin.pin_time) if each.pin and each.pin.pin_time else None,
        withheld=not may_read and each.standing is not None,
    )


def _wrongly_declared(check: Check, request: pb.PutAttributeRequest, now: datetime) -> None:
    is_code = request.type == attribute_pb2.Attribute.TYPE_CODE
    if is_code != bool(request.codes):
        told = "must have 1 to 200 of the type CODE" if is_code else "must be empty, but of the type CODE"
        check.refuse("codes", "REQUIRED" if is_code else "INVALID_CODE", told)
    rule, trusted = request.rule, request.trusted_sources
    if rule == attribute_pb2.Attribute.RULE_TRUSTED_SOURCE and not trusted:
        check.refuse("trusted_sources", "REQUIRED", "must have 1 to 20 of the rule TRUSTED_SOURCE")
    if rule == attribute_pb2.Attribute.RULE_LATEST and trusted:
        check.refuse("trusted_sources", "INVALID_CODE", "must be empty of the rule LATEST")


def _decimal(check: Check, value: attribute_pb2.TypedValue, now: datetime) -> None:
    if value.WhichOneof("kind") == "decimal" and not _DECIMAL.fullmatch(value.decimal):
        check.refuse(
            "decimal", "INVALID_NUMBER", "must be like -42.5: up to 15 digits, and 9 behind the point"
        )


def _different(check: Check, observation: attribute_pb2.Observation, now: datetime) -> None:
    check.different((each.attribute for each in observation.values), "values[{}].attribute")


@bound
def _few(check: Check, request: pb.BatchRecordObservationsRequest, now: datetime) -> None:
    if sum(len(each.observation.values) for each in request.requests) > VALUES_MAX:
        check.refuse("requests", "TOO_LONG", f"must hold at most {VALUES_MAX} values together")


def _either(check: Check, request: pb.PinAttributeValueRequest, now: datetime) -> None:
    kind = request.value.WhichOneof("kind")
    has_value = kind is not None and bool(kind != "text" or request.value.text.strip())
    if bool(request.observation) == has_value:
        check.refuse("value", "REQUIRED", "must be given, or observation, not both")


def _observed(request: pb.RecordObservationRequest, path: str = "observation") -> Observed:
    sent = request.observation
    return Observed(
        names.CUSTOMER.ids(request.parent)[0],
        sent.source,
        {names.ATTRIBUTE.ids(each.attribute)[0]: read_value(each.value) for each in sent.values},
        moment(sent.observe_time) if sent.HasField("observe_time") else None,
        sent.confidence if sent.HasField("confidence") else 1.0,
        path,
    )


def _why(each: Standing, told: Told) -> Why:
    """Why a value stands, in words: never the value."""
    attribute = each.attribute
    rule, version = f"{attribute.name} {attribute.rule}", str(attribute.version)
    if each.standing is None:
        return Why(f"Nobody has said anything of {attribute.name} yet.", rule, version)
    by = each.standing.candidate
    source = by.source or "nobody who is known"
    since = f" as of {by.observe_time:%Y-%m-%d %H:%M} UTC" if by.observe_time else ""
    words = {
        Reason.ONLY: "nobody says otherwise",
        Reason.PINNED: "a person said so, and has not released it",
        Reason.TRUSTED: "that source is trusted more than others",
        Reason.LATER: "it is of a later time than others",
        Reason.SURER: "it is of the same time as another, and surer",
        Reason.ORDER: "of what is of the same time and as sure, the order of the sources and values decides",
        Reason.SURVIVOR: "it is the profile's of the customer whom others were merged into",
    }
    inputs = {"source": source, "others": str(len(each.others)), "reason": each.standing.reason}
    return Why(f"{source.capitalize()} says so{since}: {words[each.standing.reason]}.", rule, version, inputs)


class AttributeRpc(Rpc, AttributeServiceServicer):
    """What departments keep of customers, with where it came from."""

    rules: ClassVar[Rules] = {
        pb.PutAttributeRequest: _wrongly_declared,
        pb.BatchRecordObservationsRequest: _few,
        pb.PinAttributeValueRequest: _either,
        attribute_pb2.TypedValue: _decimal,
        attribute_pb2.Observation: _different,
    }

    PutAttribute = change(pb.PutAttributeRequest, usecases.put_attribute, attribute_pb2.Attribute)
    GetAttribute = get(names.ATTRIBUTE, store.ATTRIBUTE, attribute_pb2.Attribute)
    ListAttributes = listing(pb.ListAttributesResponse, store.LIST_ATTRIBUTES)
    DeleteAttribute = change(pb.DeleteAttributeRequest, usecases.delete_attribute, Empty)
    ExplainAttribute = explain(names.ATTRIBUTE, store.ATTRIBUTE, attribute_pb2.Attribute)
    ReleaseAttributeValue = change(pb.ReleaseAttributeValueRequest, release_value, shown)

    @mutation
    async def RecordObservation(
        self, request: pb.RecordObservationRequest, tx: Transaction
    ) -> attribute_pb2.Observation:
        """Record what a source says."""
        return (await self._recorded(tx, [_observed(request)]))[0]

    @mutation
    async def BatchRecordObservations(
        self, request: pb.BatchRecordObservationsRequest, tx: Transaction
    ) -> pb.BatchRecordObservationsResponse:
        """Record what sources say, all or none."""
        asked = [_observed(each, f"requests[{i}].observation") for i, each in enumerate(request.requests)]
        return pb.BatchRecordObservationsResponse(observations=await self._recorded(tx, asked))

    async def _recorded(self, tx: Transaction, asked: Sequence[Observed]) -> list[attribute_pb2.Observation]:
        return await self._observations(tx, await record_observations(tx, asked))

    async def GetObservation(
        self, request: pb.GetObservationRequest, context: Any
    ) -> attribute_pb2.Observation:
        """Get an observation."""
        row = await found(self.db, names.OBSERVATION, store.OBSERVATION, *names.OBSERVATION.ids(request.name))
        return (await self._observations(self.db, [row]))[0]

    async def ListObservations(
        self, request: pb.ListObservationsRequest, context: Any
    ) -> pb.ListObservationsResponse:
        """List what was observed."""
        store.LIST_OBSERVATIONS.check(request)
        customer = await found(self.db, names.CUSTOMER, tables.CUSTOMER, *names.CUSTOMER.ids(request.parent))
        attribute_id = names.ATTRIBUTE.ids(request.attribute)[0] if request.attribute else None
        observations, token = await store.LIST_OBSERVATIONS.page_together(
            self.db,
            request,
            partial(self._observations, self.db),
            customer_id=customer.id,
            attribute_id=attribute_id,
        )
        return pb.ListObservationsResponse(observations=observations, next_page_token=token)

    async def GetAttributeValue(
        self, request: pb.GetAttributeValueRequest, context: Any
    ) -> attribute_pb2.AttributeValue:
        """Get what stands, and why."""
        return shown(await self._standing(request.name))

    async def ListAttributeValues(
        self, request: pb.ListAttributeValuesRequest, context: Any
    ) -> pb.ListAttributeValuesResponse:
        """List what stands."""
        store.LIST_ATTRIBUTES_OF.check(request)
        customer = await found(self.db, names.CUSTOMER, tables.CUSTOMER, *names.CUSTOMER.ids(request.parent))
        ids = await ids_of(self.db, customer.id)

        async def values(attributes: Sequence[Attribute]) -> list[attribute_pb2.AttributeValue]:
            return [shown(each) for each in await standing(self.db, ids, attributes)]

        page, token = await store.LIST_ATTRIBUTES_OF.page_together(
            self.db,
            request,
            values,
            customer_ids=ids,
            fields=[attribute_of(field) for field in FIELDS if getattr(customer, field)],
        )
        return pb.ListAttributeValuesResponse(attribute_values=page, next_page_token=token)

    @mutation
    async def PinAttributeValue(
        self, request: pb.PinAttributeValueRequest, tx: Transaction
    ) -> attribute_pb2.AttributeValue:
        """Have a value stand until it is released."""
        pinned = await pin_value(
            tx,
            *names.ATTRIBUTE_VALUE.ids(request.name),
            observation_id=names.OBSERVATION.ids(request.observation)[1] if request.observation else None,
            value=read_value(request.value),
            source=request.source,
            etag=request.etag,
        )
        return shown(pinned)

    async def ExplainAttributeValue(
        self, request: pb.ExplainAttributeValueRequest, context: Any
    ) -> Explanation:
        """Explain why a value stands: by whom it was recorded, and by which rule it comes first."""
        each = await self._standing(request.name)
        by = each.standing.candidate.observation_id if each.standing else None
        rows = await store.OBSERVATIONS_BY_ID.all(self.db, ids=[by] if by else [])
        event = rows[0].act_id if rows else None
        return await self.explainer.explain(request, shown(each), partial(_why, each), event=event)

    async def _standing(self, name: str) -> Standing:
        customer_id, attribute_id = names.ATTRIBUTE_VALUE.parse(name)
        customer = await found(self.db, names.CUSTOMER, tables.CUSTOMER, customer_id)
        attribute = await found(self.db, names.ATTRIBUTE, store.ATTRIBUTE, attribute_id)
        return (await standing(self.db, await ids_of(self.db, customer.id), [attribute]))[0]

    async def _observations(self, on: Any, rows: Sequence[Observation]) -> list[attribute_pb2.Observation]:
        """Observations as the contract has them, without what is not the caller's to read."""
        asked = list({attribute_id for row in rows for attribute_id in row.contents})
        attributes = {each.id: each for each in await store.ATTRIBUTES_BY_ID.all(on, ids=asked)}
        return [
            to_message(
                attribute_pb2.Observation,
                row,
                recorder=actor_name(row.actor, _SERVICE),
                values=[_said(attributes[each], text) for each, text in row.contents.items()],
            )
            for row in rows
        ]


def _said(attribute: Attribute, text: str) -> attribute_pb2.ObservedValue:
    may_read = _may_read(attribute)
    value = shown_content(attribute, text) if text and may_read else None
    return attribute_pb2.ObservedValue(
        attribute=attribute.name, value=value, withheld=bool(text) and not may_read
    )
