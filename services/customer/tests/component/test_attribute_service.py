"""Departments declare attributes, record what they observe, and read what stands and why."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date

from chassis.api.messages import timestamp
from chassis.grpc.status import refusal
from customer.usecases import attributes, changing_values
from rapport.customer.v1 import attribute_pb2 as messages
from rapport.customer.v1 import attribute_service_pb2 as pb
from rapport.customer.v1.attribute_service_pb2_grpc import AttributeServiceStub
from rapport.customer.v1.customer_merge_pb2 import CustomerMerge
from rapport.customer.v1.customer_merge_service_pb2 import (
    CreateCustomerMergeRequest,
    UndoCustomerMergeRequest,
)
from rapport.customer.v1.customer_merge_service_pb2_grpc import CustomerMergeServiceStub

A, V = messages.Attribute, messages.AttributeValue
pytestmark = pytest.mark.together
_READS = ["customer.attributes.read", "customer.observations.read", "customer.attribute_values.read"]
_WRITES = ["customer.attributes.write", "customer.observations.write", "customer.attribute_values.write"]


def violations(error):
    return [(each.field, each.reason) for each in refusal(error).violations]


class Keeper:
    """A department that keeps attributes of customers, as its systems and people do."""

    def __init__(self, desk, name, subject=""):
        self.desk, self.name = desk, name
        who = {"subject": subject} if subject else {}
        self.stub = desk.running.stub(AttributeServiceStub, [*_READS, *_WRITES], department=name, **who)

    @property
    def department(self):
        return f"departments/{self.name}"

    def attribute(self, code="shoe-size"):
        return f"attributes/{self.name}.{code}"

    async def declare(self, code="shoe-size", type=A.TYPE_TEXT, rule=A.RULE_LATEST, **fields):
        said = {
            "display_name": code.title(),
            "data_class": A.DATA_CLASS_PERSONAL,
            "name": self.attribute(code),
        }
        return await self.stub.PutAttribute(pb.PutAttributeRequest(type=type, rule=rule, **said | fields))

    def source(self, name):
        return f"{self.name}.{name}"

    def observed(self, customer, value, seconds=0, source="crm", code="shoe-size", **fields):
        kind = value if isinstance(value, dict) else {"text": value} if value else {}
        observation = messages.Observation(
            source=source,
            observe_time=timestamp(self.desk.clock.now() + timedelta(seconds=seconds)),
            values=[{"attribute": self.attribute(code), "value": kind}],
            **fields,
        )
        return pb.RecordObservationRequest(parent=customer, observation=observation)

    async def record(self, customer, value, seconds=0, source="crm", **how):
        request_id = how.pop("request_id", "")
        request = self.observed(customer, value, seconds, source, **how)
        request.request_id = request_id
        return await self.stub.RecordObservation(request)

    async def batch(self, *requests):
        return await self.stub.BatchRecordObservations(pb.BatchRecordObservationsRequest(requests=requests))

    async def value(self, customer, attribute=""):
        return await self.stub.GetAttributeValue(
            pb.GetAttributeValueRequest(name=self.named(customer, attribute))
        )

    def named(self, customer, attribute=""):
        code = (attribute or self.attribute()).removeprefix("attributes/")
        return f"{customer}/attributeValues/{code}"

    async def standing(self, customer, attribute=""):
        return (await self.value(customer, attribute)).standing.value.text

    async def history(self, customer, **how):
        of = {"parent": customer, "attribute": self.attribute()}
        found = await self.stub.ListObservations(pb.ListObservationsRequest(**of | how))
        return [(each.source, each.values[0].value.text) for each in found.observations]

    def pin(self, customer, **what):
        return self.stub.PinAttributeValue(pb.PinAttributeValueRequest(name=self.named(customer), **what))

    def release(self, customer, attribute="", **what):
        name = self.named(customer, attribute)
        return self.stub.ReleaseAttributeValue(pb.ReleaseAttributeValueRequest(name=name, **what))


@pytest.fixture
def keeper(desk):
    """Departments of this test's own, for what others declare stays; but for the platform's."""
    own = uuid4().hex[:8]
    return lambda name="billing", **how: Keeper(desk, name if name == "platform" else f"{name}-{own}", **how)


@pytest.fixture
async def billing(keeper):
    return keeper()


@pytest.fixture
async def anna(desk):
    return (await desk.create()).name


@pytest.mark.alone("all attributes that there are")
async def test_an_attribute_is_kept_as_it_was_put_and_is_its_departments(billing, keeper, refused):
    get = pb.GetAttributeRequest(name=billing.attribute())
    said = {"rule": A.RULE_TRUSTED_SOURCE, "trusted_sources": [billing.source("till")]}
    assert await refused(billing.stub.GetAttribute(get)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    put = await billing.declare(description="In Europe.", **said)
    assert (put.department, put.etag, put.profile_field) == (billing.department, '"1"', False)
    assert await billing.stub.GetAttribute(get) == put
    assert await billing.declare(description="In Europe.", **said) == put  # says nothing new
    other = keeper("delivery").declare(name=billing.attribute())
    assert await refused(other) == "PERMISSION_DENIED NOT_OWNER"
    assert await refused(billing.declare(etag='"7"')) == "ABORTED ETAG_MISMATCH"
    listed = (await billing.stub.ListAttributes(pb.ListAttributesRequest())).attributes
    assert [each.name for each in listed][:2] == [billing.attribute(), "attributes/profile.additional-name"]
    assert len(listed) == 13


async def test_a_type_never_changes_and_a_code_is_never_taken_away(billing, refused):
    await billing.declare("tariff", A.TYPE_CODE, codes=["basic", "plus"])
    incompatible = "FAILED_PRECONDITION ATTRIBUTE_INCOMPATIBLE"
    assert await refused(billing.declare("tariff")) == incompatible
    assert await refused(billing.declare("tariff", A.TYPE_CODE, codes=["plus"])) == incompatible
    more = await billing.declare("tariff", A.TYPE_CODE, codes=["basic", "plus", "gold"])
    assert (more.etag, list(more.codes)) == ('"2"', ["basic", "plus", "gold"])
    checked = await billing.declare(
        "tariff", A.TYPE_CODE, codes=["a", "basic", "plus", "gold"], validate_only=True
    )
    assert (checked.etag, "a" in checked.codes) == ('"3"', True)
    get = pb.GetAttributeRequest(name=billing.attribute("tariff"))
    assert await billing.stub.GetAttribute(get) == more


@pytest.mark.parametrize(
    ("fields", "field", "why"),
    [
        ({"type": A.TYPE_CODE}, "codes", "REQUIRED"),
        ({"codes": ["a"]}, "codes", "INVALID_CODE"),
        ({"rule": A.RULE_TRUSTED_SOURCE}, "trusted_sources", "REQUIRED"),
        ({"trusted_sources": ["billing.crm"]}, "trusted_sources", "INVALID_CODE"),
        ({"rule": A.RULE_TRUSTED_SOURCE, "trusted_sources": ["crm"]}, "trusted_sources[0]", "INVALID_CODE"),
        ({"type": 0}, "type", "INVALID_ENUM"),
        ({"data_class": 0}, "data_class", "INVALID_ENUM"),
        ({"display_name": ""}, "display_name", "REQUIRED"),
    ],
)
async def test_what_cannot_be_declared_is_refused_with_its_field(billing, fields, field, why):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await billing.declare(**fields)
    assert violations(caught.value) == [(field, why)]


async def test_a_department_has_at_most_so_many_attributes(billing, keeper, refused, monkeypatch):
    monkeypatch.setattr(attributes, "DEPARTMENT_ATTRIBUTES_MAX", 1)
    await billing.declare()
    assert await refused(billing.declare("other")) == "FAILED_PRECONDITION TOO_MANY_ATTRIBUTES"
    await keeper("delivery").declare()


async def test_every_value_has_its_source_department_time_confidence_and_recorder(billing, anna, desk):
    await billing.declare()
    recorded = await billing.record(anna, "42", -60, confidence=0.5)
    value = await billing.value(anna)
    assert value.standing == V.Candidate(
        value={"text": "42"},
        observation=recorded.name,
        source="crm",
        department=billing.department,
        recorder="agents/alice",
        observe_time=timestamp(desk.clock.now() - timedelta(seconds=60)),
        confidence=0.5,
        reason=V.REASON_ONLY,
    )
    assert (value.attribute, value.rule, value.display_name) == (
        billing.attribute(),
        A.RULE_LATEST,
        "Shoe-Size",
    )
    get = pb.GetObservationRequest(name=recorded.name)
    assert await billing.stub.GetObservation(get) == recorded


async def test_a_late_observation_never_beats_a_later_one_and_all_are_kept(billing, anna):
    await billing.declare()
    await billing.record(anna, "42", -60)
    await billing.record(anna, "41", -3600, "till")
    value = await billing.value(anna)
    assert (value.standing.value.text, value.standing.reason) == ("42", V.REASON_LATER)
    assert [(o.value.text, o.source, o.reason) for o in value.others] == [("41", "till", V.REASON_LATER)]
    await billing.record(anna, "40", -7200)
    assert await billing.history(anna) == [("crm", "42"), ("till", "41"), ("crm", "40")]
    assert await billing.history(anna, filter="source = till") == [("till", "41")]
    assert await billing.history(anna, attribute=billing.attribute("other")) == []
    assert (await billing.value(anna)).etag == value.etag


async def test_a_source_takes_back_what_it_said_by_an_empty_value_which_never_stands(billing, anna, desk):
    await billing.declare()
    await billing.record(anna, "41", -3600, "till")
    await billing.record(anna, "42", -60)
    await billing.record(anna, "", -90)  # which came late
    assert await billing.standing(anna) == "42"
    await billing.record(anna, " ", 0)
    value = await billing.value(anna)
    assert (value.standing.value.text, value.standing.reason) == ("41", V.REASON_ONLY)
    await billing.record(anna, "", 0, "till")
    assert not (await billing.value(anna)).HasField("standing")
    assert len(await billing.history(anna)) == 5
    listed = await billing.stub.ListAttributeValues(pb.ListAttributeValuesRequest(parent=anna))
    assert billing.attribute() not in [each.attribute for each in listed.attribute_values]
    assert len(await desk.facts("AttributeValueUpdated")) == 4


async def test_the_most_trusted_source_stands_however_old_it_is(billing, anna):
    await billing.declare(
        rule=A.RULE_TRUSTED_SOURCE, trusted_sources=[billing.source(each) for each in ("registry", "crm")]
    )
    await billing.record(anna, "web", 0, "web-form")
    assert await billing.standing(anna) == "web"
    await billing.record(anna, "crm", -86400, "crm")
    await billing.record(anna, "old", -10 * 86400, "registry")
    value = await billing.value(anna)
    assert (value.standing.value.text, value.standing.reason) == ("old", V.REASON_TRUSTED)
    assert [each.value.text for each in value.others] == ["crm", "web"]
    await billing.declare(rule=A.RULE_LATEST)  # and another rule decides at once
    assert await billing.standing(anna) == "web"


async def test_what_another_department_records_by_the_name_of_a_source_is_another_source(
    billing, keeper, anna
):
    await billing.declare(rule=A.RULE_TRUSTED_SOURCE, trusted_sources=[billing.source("registry")])
    await billing.record(anna, "true", -86400, "registry")
    sales = keeper("sales")
    await sales.stub.RecordObservation(billing.observed(anna, "forged", 0, "registry"))
    value = await billing.value(anna)
    assert (value.standing.value.text, value.standing.department) == ("true", billing.department)
    assert [(each.value.text, each.department, each.reason) for each in value.others] == [
        ("forged", sales.department, V.REASON_TRUSTED)
    ]


async def test_a_person_pins_a_value_until_they_release_it(billing, anna, refused):
    await billing.declare(rule=A.RULE_MANUAL)
    first = await billing.record(anna, "41", -3600)
    await billing.record(anna, "42", -60)
    pinned = await billing.pin(anna, observation=first.name)
    assert (pinned.standing.value.text, pinned.standing.reason) == ("41", V.REASON_PINNED)
    assert (pinned.pinner, pinned.HasField("pin_time")) == ("agents/alice", True)
    await billing.record(anna, "43", -1)
    assert await billing.standing(anna) == "41"
    typed = await billing.pin(anna, value={"text": "44"}, etag=pinned.etag)
    assert (typed.standing.value.text, typed.standing.source) == ("44", "alice")
    assert await refused(billing.pin(anna, value={"text": "45"}, etag=pinned.etag)) == "ABORTED ETAG_MISMATCH"
    released = await billing.release(anna, etag=typed.etag)
    assert (released.pinner, released.standing.reason) == ("", V.REASON_LATER)
    assert await billing.release(anna) == released


async def test_where_another_rule_decides_nobody_pins(billing, anna, refused):
    await billing.declare()
    assert await refused(billing.pin(anna, value={"text": "44"})) == "FAILED_PRECONDITION NOT_MANUAL"


async def test_a_pin_names_a_value_or_an_observation_of_the_same_customer(
    billing, desk, anna, refused, nobody
):
    await billing.declare(rule=A.RULE_MANUAL)
    other = await billing.record((await desk.create()).name, "41")
    assert await refused(billing.pin(anna)) == "INVALID_ARGUMENT REQUIRED"
    assert await refused(billing.pin(anna, observation=other.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    absent = f"{anna}/observations/{uuid4()}"
    assert await refused(billing.pin(anna, observation=absent)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    empty = await billing.record(anna, "")
    assert await refused(billing.pin(anna, observation=empty.name)) == "INVALID_ARGUMENT INVALID_VALUE"
    assert await refused(billing.pin(nobody, value={"text": "1"})) == "NOT_FOUND RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("type", "value", "shown"),
    [
        (A.TYPE_TEXT, {"text": " Größe 42 "}, {"text": "Größe 42"}),
        (A.TYPE_WHOLE_NUMBER, {"whole_number": -3}, None),
        (A.TYPE_WHOLE_NUMBER, {"whole_number": 0}, None),
        (A.TYPE_DECIMAL, {"decimal": "042.50"}, {"decimal": "42.5"}),
        (A.TYPE_DECIMAL, {"decimal": "-0.0"}, {"decimal": "0"}),
        (A.TYPE_DECIMAL, {"decimal": "1000"}, None),
        (A.TYPE_BOOLEAN, {"boolean": False}, None),
        (A.TYPE_DATE, {"date": Date(year=2040)}, None),
        (A.TYPE_DATE, {"date": Date(month=2, day=29)}, None),
        (A.TYPE_DATE, {"date": Date(year=2019, month=4, day=12)}, None),
        (A.TYPE_CODE, {"code": "plus"}, None),
    ],
)
async def test_a_value_is_read_as_it_was_recorded(billing, anna, type, value, shown):
    await billing.declare(type=type, codes=["plus"] if type == A.TYPE_CODE else [])
    await billing.record(anna, value)
    assert (await billing.value(anna)).standing.value == messages.TypedValue(**(shown or value))


@pytest.mark.parametrize(
    ("type", "value", "field", "why"),
    [
        (A.TYPE_TEXT, {"whole_number": 3}, "", "INVALID_VALUE"),
        (A.TYPE_CODE, {"code": "gold"}, ".code", "INVALID_VALUE"),
        (A.TYPE_DECIMAL, {"decimal": "1e3"}, ".decimal", "INVALID_NUMBER"),
        (A.TYPE_DECIMAL, {"decimal": "NaN"}, ".decimal", "INVALID_NUMBER"),
        (A.TYPE_DATE, {"date": Date(year=2026, day=3)}, ".date", "INVALID_TIME"),
        (A.TYPE_DATE, {"date": Date(year=2300)}, ".date", "INVALID_TIME"),
    ],
)
async def test_a_value_that_the_type_does_not_have_is_refused_with_its_path(
    billing, anna, type, value, field, why
):
    await billing.declare(type=type, codes=["plus"] if type == A.TYPE_CODE else [])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await billing.record(anna, value)
    assert violations(caught.value) == [(f"observation.values[0].value{field}", why)]


@pytest.mark.alone("all attributes that there are")
async def test_an_unknown_attribute_is_refused_with_those_that_are_known(billing, anna):
    await billing.declare()
    await billing.declare("tariff")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await billing.record(anna, "1", code="shoesize")
    assert violations(caught.value) == [("observation.values[0].attribute", "UNKNOWN_ATTRIBUTE")]
    assert f"{billing.attribute()}, {billing.attribute('tariff')}" in str(caught.value.details())


async def test_a_field_of_the_profile_is_not_recorded_pinned_or_withdrawn(billing, keeper, anna, refused):
    profile = pb.RecordObservationRequest(
        parent=anna,
        observation=messages.Observation(
            source="crm", values=[{"attribute": "attributes/profile.birth-date", "value": {"text": "x"}}]
        ),
    )
    assert await refused(billing.stub.RecordObservation(profile)) == "INVALID_ARGUMENT PROFILE_FIELD"
    platform = keeper("platform")
    name = "attributes/profile.birth-date"
    pin = pb.PinAttributeValueRequest(name=billing.named(anna, name), value={"text": "x"})
    assert await refused(billing.stub.PinAttributeValue(pin)) == "FAILED_PRECONDITION PROFILE_FIELD"
    withdraw = pb.DeleteAttributeRequest(name=name)
    assert await refused(platform.stub.DeleteAttribute(withdraw)) == "FAILED_PRECONDITION PROFILE_FIELD"
    assert (
        await refused(platform.declare(name="attributes/profile.hat")) == "FAILED_PRECONDITION PROFILE_FIELD"
    )
    assert await refused(platform.declare(name=name, type=A.TYPE_DATE)) == "FAILED_PRECONDITION PROFILE_FIELD"


async def test_a_withdrawn_attribute_keeps_its_history_and_comes_back_with_it(billing, anna, refused):
    await billing.declare()
    await billing.record(anna, "42")
    await billing.stub.DeleteAttribute(pb.DeleteAttributeRequest(name=billing.attribute()))
    assert await refused(billing.record(anna, "43")) == "INVALID_ARGUMENT UNKNOWN_ATTRIBUTE"
    assert await refused(billing.value(anna)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await billing.history(anna) == [("crm", "42")]
    assert await refused(billing.declare(type=A.TYPE_DATE)) == "FAILED_PRECONDITION ATTRIBUTE_INCOMPATIBLE"
    assert (await billing.declare()).etag == '"3"'
    assert await billing.standing(anna) == "42"


async def test_a_repeated_request_records_once(billing, anna):
    await billing.declare()
    request_id = str(uuid4())
    first = await billing.record(anna, "42", request_id=request_id)
    assert await billing.record(anna, "42", request_id=request_id) == first
    assert len(await billing.history(anna)) == 1


async def test_a_batch_is_recorded_all_or_none_and_says_where_it_is_wrong(
    billing, desk, anna, refused, nobody
):
    await billing.declare()
    await billing.declare("tariff", A.TYPE_CODE, codes=["basic"])
    bob = (await desk.create(given_name="Bob")).name
    wrong = [
        billing.observed(anna, "42"),
        billing.observed(bob, {"code": "gold"}, code="tariff"),
        billing.observed(bob, "1", code="hat"),
    ]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await billing.batch(*wrong)
    assert violations(caught.value) == [
        ("requests[1].observation.values[0].value.code", "INVALID_VALUE"),
        ("requests[2].observation.values[0].attribute", "UNKNOWN_ATTRIBUTE"),
    ]
    missing = billing.batch(billing.observed(anna, "42"), billing.observed(nobody, "42"))
    assert await refused(missing) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await billing.history(anna) == []
    recorded = await billing.batch(
        billing.observed(anna, "41", -5), billing.observed(anna, "42"), billing.observed(bob, "44")
    )
    assert len(recorded.observations) == 3
    assert [await billing.standing(each) for each in (anna, bob)] == ["42", "44"]


async def test_a_batch_has_a_size(billing, anna, refused):
    await billing.declare()
    full = [billing.observed(anna, str(i), -i) for i in range(1000)]
    assert len((await billing.batch(*full)).observations) == 1000
    assert await billing.standing(anna) == "0"
    assert await refused(billing.batch(*full, full[0])) == "INVALID_ARGUMENT TOO_LONG"
    for code in ("a", "b"):
        await billing.declare(code)
    wide = billing.observed(anna, "1")
    wide.observation.values.add(attribute=billing.attribute("a"))
    assert await refused(billing.batch(*[wide] * 501)) == "INVALID_ARGUMENT TOO_LONG"
    twice = billing.observed(anna, "1")
    twice.observation.values.add(attribute=billing.attribute())
    assert await refused(billing.stub.RecordObservation(twice)) == "INVALID_ARGUMENT INVALID_NAME"


async def test_of_too_many_sources_what_would_stand_last_gives_way(billing, anna, monkeypatch):
    monkeypatch.setattr(changing_values, "SOURCES_MAX", 2)
    await billing.declare(rule=A.RULE_TRUSTED_SOURCE, trusted_sources=[billing.source("registry")])
    for source, seconds in (("registry", -90), ("form-1", -60), ("form-2", -30), ("form-0", -99)):
        await billing.record(anna, source, seconds, source)
    value = await billing.value(anna)
    assert [each.source for each in (value.standing, *value.others)] == ["registry", "form-2"]
    assert len(await billing.history(anna)) == 4


async def test_recorders_at_the_same_time_keep_all_and_the_last_fact_tells_what_stands(billing, desk, anna):
    await billing.declare()
    await asyncio.gather(*(billing.record(anna, str(i), -i, f"s{i}") for i in range(20)))
    assert len(await billing.history(anna)) == 20
    value = await billing.value(anna)
    assert (value.standing.value.text, len(value.others)) == ("0", 19)
    told = [(p.version, p.data.source) for p in await desk.facts("AttributeValueUpdated")]
    assert sorted(told)[-1] == (int(value.etag.strip('"')), "s0")
    assert [version for version, _ in sorted(told)] == list(range(1, len(told) + 1))


async def test_of_a_sensitive_attribute_only_its_department_reads_values(billing, keeper, anna):
    await billing.declare(data_class=A.DATA_CLASS_SENSITIVE)
    await billing.record(anna, "42")
    assert await billing.standing(anna) == "42"
    other = keeper("delivery")
    name = billing.named(anna)
    value = await other.stub.GetAttributeValue(pb.GetAttributeValueRequest(name=name))
    assert (value.withheld, value.standing.HasField("value"), value.standing.source) == (True, False, "crm")
    (seen,) = (await other.stub.ListObservations(pb.ListObservationsRequest(parent=anna))).observations[:1]
    assert (seen.values[0].withheld, seen.values[0].HasField("value")) == (True, False)


async def test_what_only_its_department_reads_nobody_else_pins_or_releases(billing, keeper, anna, refused):
    await billing.declare(data_class=A.DATA_CLASS_SENSITIVE, rule=A.RULE_MANUAL)
    await billing.pin(anna, value={"text": "nuts"})
    other, name = keeper("delivery").stub, billing.named(anna)
    for doing in (
        other.PinAttributeValue(pb.PinAttributeValueRequest(name=name, value={"text": "none"})),
        other.ReleaseAttributeValue(pb.ReleaseAttributeValueRequest(name=name)),
    ):
        assert await refused(doing) == "PERMISSION_DENIED NOT_OWNER"
    assert await billing.standing(anna) == "nuts"


@pytest.mark.parametrize("number", ["12,50", "abc", "", "NaN"])
async def test_what_is_no_number_is_refused_wherever_it_is_said(billing, anna, number):
    await billing.declare(type=A.TYPE_DECIMAL, rule=A.RULE_MANUAL)
    for doing in (billing.pin(anna, value={"decimal": number}), billing.record(anna, {"decimal": number})):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await doing
        ((field, why),) = violations(caught.value)
        assert (field.endswith("value.decimal"), why) == (True, "INVALID_NUMBER")


async def test_what_was_pinned_of_another_name_goes_with_it(billing, desk, anna):
    await billing.declare(rule=A.RULE_MANUAL)
    anne = (await desk.create(given_name="Anne")).name
    await billing.record(anna, "42", -60)
    later = await billing.record(anne, "43", -90, "till")
    merge = await desk.merge(anna, anne)
    await billing.pin(anna, observation=later.name)
    assert await billing.standing(anna) == "43"
    await desk.undo(merge)
    own, theirs = [await billing.value(name) for name in (anna, anne)]
    assert (own.standing.value.text, own.pinner) == ("42", "")
    assert (theirs.standing.value.text, theirs.pinner) == ("43", "agents/alice")


async def test_only_another_value_is_told_and_no_value_is(billing, desk, anna):
    await billing.declare(rule=A.RULE_MANUAL)
    await billing.record(anna, "SECRET-42", -60)
    await billing.record(anna, "SECRET-42", -1)  # says the same
    await billing.record(anna, "SECRET-41", -3600, "till")  # does not stand
    pinned = await billing.pin(anna, value={"text": "SECRET-43"})
    await billing.release(anna)
    facts = await desk.facts("AttributeValueUpdated")
    assert [(p.version, p.data.source, p.data.pinned) for p in facts] == [
        (1, "crm", False),
        (2, "alice", True),
        (3, "alice", False),
    ]
    assert {(p.data.attribute_value, p.data.customer) for p in facts} == {(billing.named(anna), anna)}
    assert b"SECRET" not in b"".join(p.data.SerializeToString() for p in facts)
    assert pinned.etag == '"2"'
    told = await desk.facts("AttributeCreated", "AttributeUpdated", "AttributeDeleted")
    assert [p.data.attribute for p in told] == [billing.attribute()]
    await desk.view_when(
        anna, lambda v: any("AttributeValue" in e.event_type for e in v.latest_timeline_entries)
    )


async def test_a_value_explains_itself(billing, anna, desk):
    await billing.declare(rule=A.RULE_TRUSTED_SOURCE, trusted_sources=[billing.source("registry")])
    empty = pb.ExplainAttributeValueRequest(name=billing.named(anna))
    assert "Nobody has said anything" in (await billing.stub.ExplainAttributeValue(empty)).summary
    await billing.record(anna, "SECRET", -60, "registry")
    await billing.record(anna, "OTHER", 0, "web-form")
    explained = await billing.stub.ExplainAttributeValue(empty)
    assert "that source is trusted more than others" in explained.summary
    assert "SECRET" not in str(explained)
    assert explained.rule == f"{billing.attribute()} TRUSTED_SOURCE"
    assert explained.inputs["source"] == "registry"
    assert explained.causes[-1].actor == "agents/alice"
    assert explained.causes[-1].method.endswith("AttributeService/RecordObservation")
    (fact, *_) = await desk.facts("AttributeValueUpdated")
    asked = pb.ExplainAttributeValueRequest(name=billing.named(anna), event_id=str(fact.id))
    told = (await billing.stub.ExplainAttributeValue(asked)).causes[0].event_type
    assert told.endswith("AttributeValueUpdated")
    declared = pb.ExplainAttributeRequest(name=billing.attribute())
    assert (await billing.stub.ExplainAttribute(declared)).causes[0].event_type.endswith("AttributeCreated")


async def test_the_values_of_a_customer_are_listed_with_those_of_their_profile(
    billing, anna, refused, nobody
):
    await billing.declare()
    await billing.declare("unsaid")
    await billing.record(anna, "42")

    async def listed(**page):
        return await billing.stub.ListAttributeValues(pb.ListAttributeValuesRequest(parent=anna, **page))

    found = (await listed()).attribute_values
    assert [each.name.rpartition("/")[2] for each in found] == [
        billing.attribute().removeprefix("attributes/"),
        "profile.given-name",
    ]
    assert found[0] == await billing.value(anna)
    first = await listed(page_size=1)
    assert [*first.attribute_values] == [found[0]]
    assert (await listed(page_size=1, page_token=first.next_page_token)).attribute_values[0] == found[1]
    absent = billing.stub.ListAttributeValues(pb.ListAttributeValuesRequest(parent=nobody))
    assert await refused(absent) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_of_merged_customers_the_value_is_found_among_all_that_was_observed_of_any_name(
    billing, desk, anna
):
    await billing.declare(rule=A.RULE_MANUAL)
    anne = (await desk.create(given_name="Anne")).name
    await billing.record(anna, "42", -60)
    later = await billing.record(anne, "43", -1, "till")
    merges = desk.running.stub(CustomerMergeServiceStub)
    merge = await merges.CreateCustomerMerge(
        CreateCustomerMergeRequest(
            customer_merge=CustomerMerge(customer=anna, merged_customer=anne, reason_code="same-person")
        )
    )
    for name in (anna, anne):
        value = await billing.value(name)
        assert (value.name, value.standing.value.text) == (billing.named(anna), "43")
        assert [each.value.text for each in value.others] == ["42"]
        assert await billing.history(name) == [("till", "43"), ("crm", "42")]
    assert (await billing.value(anna, "attributes/profile.given-name")).others[0].reason == V.REASON_SURVIVOR
    await billing.record(anna, "41", -5)  # does not stand, for the other name has a later one
    told = await desk.facts("AttributeValueUpdated")
    assert [p.data.customer for p in told] == [anna, anne]
    pinned = await billing.pin(anna, observation=later.name)
    assert pinned.standing.reason == V.REASON_PINNED
    await billing.pin(anne, value={"text": "44"})
    assert await billing.standing(anna) == "44"
    released = await billing.release(anna)
    assert (released.pinner, released.standing.value.text) == ("", "44")
    await merges.UndoCustomerMerge(UndoCustomerMergeRequest(name=merge.name, reason_code="mistake"))
    assert [await billing.standing(name) for name in (anna, anne)] == ["41", "44"]
