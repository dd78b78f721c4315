import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import (
    CreatePurposeRequest,
    ExplainPurposeRequest,
    GetPurposeRequest,
    ListPurposesRequest,
    UpdatePurposeRequest,
)
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub

RESEARCH = Purpose(
    display_name="Research",
    description="Surveys.\nAt most two a year.",
    contact_default=Purpose.DEFAULT_DENIED,
)


@pytest.fixture
async def purposes(desk):
    return desk.running.stub(PurposeServiceStub)


def create(purposes, purpose=RESEARCH, id="research"):
    return purposes.CreatePurpose(CreatePurposeRequest(purpose_id=id, purpose=purpose))


async def change(purposes, mask=(), **fields):
    purpose = Purpose(name="purposes/research", **fields)
    return await purposes.UpdatePurpose(
        UpdatePurposeRequest(purpose=purpose, update_mask=FieldMask(paths=mask))
    )


async def test_service_and_marketing_are_there_from_the_beginning(purposes):
    found = (await purposes.ListPurposes(ListPurposesRequest())).purposes
    assert [(purpose.name, purpose.contact_default) for purpose in found] == [
        ("purposes/marketing", Purpose.DEFAULT_DENIED),
        ("purposes/service", Purpose.DEFAULT_ALLOWED),
    ]
    assert [purpose.essential for purpose in found] == [False, True]
    assert all(purpose.display_name and purpose.description and purpose.etag for purpose in found)


async def test_of_what_was_there_from_the_beginning_no_fact_is_told(purposes):
    explained = await purposes.ExplainPurpose(ExplainPurposeRequest(name="purposes/marketing"))
    assert "nothing has been told of it yet" in explained.summary
    assert not explained.causes


async def test_a_purpose_is_created_once_told_and_read_back(desk, purposes, refused):
    made = await create(purposes)
    assert (made.name, made.etag, made.create_time) == ("purposes/research", '"1"', made.update_time)
    assert await purposes.GetPurpose(GetPurposeRequest(name=made.name)) == made
    assert await refused(create(purposes)) == "ALREADY_EXISTS RESOURCE_EXISTS"
    assert made.department == "departments/front-desk"
    (fact,) = await desk.facts("PurposeCreated")
    assert (fact.data.purpose, fact.data.contact_default) == (made.name, Purpose.DEFAULT_DENIED)
    assert fact.data.department == made.department


async def test_a_purpose_is_renamed_and_its_default_stays(desk, purposes, refused):
    made = await create(purposes)
    changed = await change(purposes, display_name="Surveys", etag=made.etag)
    assert (changed.display_name, changed.description, changed.etag) == ("Surveys", made.description, '"2"')
    assert await change(purposes, display_name="Surveys") == changed
    (fact,) = await desk.facts("PurposeUpdated")
    assert list(fact.data.updated_fields) == ["display_name"]
    assert await refused(change(purposes, display_name="Polls", etag=made.etag)) == "ABORTED ETAG_MISMATCH"
    await change(purposes, default_language_code="de")
    assert (await desk.facts("PurposeUpdated"))[-1].data.default_language_code == "de"
    fixed = change(purposes, mask=["contact_default"])  # by which somebody may be contacted
    assert await refused(fixed) == "INVALID_ARGUMENT UNKNOWN_FIELD"


async def test_of_a_purpose_without_them_a_legal_basis_and_a_category_are_said_once(desk, purposes, refused):
    await create(purposes)
    basis = Purpose.LEGAL_BASIS_CONSENT
    said = await change(purposes, legal_basis=basis)
    assert (said.legal_basis, said.category) == (basis, "")
    said = await change(purposes, category="survey", legal_basis=basis)
    assert (said.legal_basis, said.category) == (basis, "survey")
    (_, fact) = await desk.facts("PurposeUpdated")
    assert (list(fact.data.updated_fields), fact.data.category) == (["category"], "survey")
    for fields in (
        {"category": "polls"},
        {"mask": ["category"]},
        {"legal_basis": Purpose.LEGAL_BASIS_LEGITIMATE_INTERESTS},
        {"mask": ["legal_basis"]},
    ):
        assert await refused(change(purposes, **fields)) == "FAILED_PRECONDITION PURPOSE_SETTLED"
    free = Purpose(display_name="Tips", contact_default=Purpose.DEFAULT_ALLOWED)
    await create(purposes, free, id="tips")
    consent = UpdatePurposeRequest(purpose=Purpose(name="purposes/tips", legal_basis=basis))
    assert await refused(purposes.UpdatePurpose(consent)) == "INVALID_ARGUMENT INVALID_LEGAL_BASIS"


async def test_a_purpose_is_called_in_each_language_once(desk, purposes, refused):
    words = [
        Purpose.Translation(language_code="de", display_name="Forschung", description="Umfragen"),
        Purpose.Translation(language_code="pt-BR", display_name="Pesquisa"),
    ]
    asked = Purpose(translations=words)
    asked.MergeFrom(RESEARCH)
    made = await create(purposes, asked)
    assert list(made.translations) == words
    changed = await change(purposes, translations=words[:1])
    assert list(changed.translations) == words[:1]
    assert list((await desk.facts("PurposeUpdated"))[-1].data.updated_fields) == ["translations"]
    twice = [*words, Purpose.Translation(language_code="DE", display_name="Umfragen")]
    assert await refused(change(purposes, translations=twice)) == "INVALID_ARGUMENT INVALID_CODE"
    assert list((await change(purposes, mask=["translations"])).translations) == []


def recall(**fields):
    """What a law demands."""
    law = Purpose.LEGAL_BASIS_LEGAL_OBLIGATION
    what = {"contact_default": Purpose.DEFAULT_ALLOWED, "legal_basis": law, "display_name": "Recalls"}
    return Purpose(essential=True, **what | fields)


async def test_what_is_essential_is_said_once_and_leaves_no_choice(desk, purposes, refused):
    for basis in ("UNSPECIFIED", "CONSENT", "PUBLIC_TASK", "LEGITIMATE_INTERESTS"):
        asked = recall(legal_basis=f"LEGAL_BASIS_{basis}")
        assert await refused(create(purposes, asked)) == "INVALID_ARGUMENT INVALID_LEGAL_BASIS"
    for fields in ({"contact_default": Purpose.DEFAULT_DENIED}, {"double_opt_in_channels": [CHANNEL_EMAIL]}):
        asked = recall(**fields)
        assert await refused(create(purposes, asked)) == "INVALID_ARGUMENT INVALID_ESSENTIAL"
    assert (await create(purposes, recall())).essential
    (fact,) = await desk.facts("PurposeCreated")
    assert fact.data.essential
    for fields, reason in (
        ({"double_opt_in_channels": [CHANNEL_EMAIL]}, "INVALID_ESSENTIAL"),
        ({"mask": ["essential"]}, "UNKNOWN_FIELD"),
    ):
        assert await refused(change(purposes, **fields)) == f"INVALID_ARGUMENT {reason}"


async def test_no_department_takes_the_way_out_of_its_messages(desk, purposes, refused):
    def by(department, *more):
        permissions = ("customer.purposes.write", *more)
        return desk.running.stub(PurposeServiceStub, permissions, department=department)

    assert await refused(create(by("marketing"), recall())) == "PERMISSION_DENIED PERMISSION_DENIED"
    assert not (await create(by("marketing"), RESEARCH)).essential
    theirs = recall(department="departments/marketing")
    all_departments = by("front-desk", "customer.departments.administer")
    assert (await create(all_departments, theirs, "sales-recalls")).department == theirs.department
    assert (await create(by("platform"), recall(), "recalls")).essential


async def test_a_purpose_that_is_not_well_formed_or_not_there_is_refused(purposes, refused):
    for call, reason in (
        (create(purposes, id="Research"), "INVALID_ARGUMENT INVALID_CODE"),
        (create(purposes, id="a.b"), "INVALID_ARGUMENT INVALID_CODE"),
        (create(purposes, Purpose(display_name="Research")), "INVALID_ARGUMENT INVALID_ENUM"),
        (create(purposes, Purpose(contact_default=Purpose.DEFAULT_DENIED)), "INVALID_ARGUMENT REQUIRED"),
        (change(purposes, mask=["display_name"]), "INVALID_ARGUMENT REQUIRED"),
        (change(purposes, display_name="Surveys"), "NOT_FOUND RESOURCE_NOT_FOUND"),
        (purposes.GetPurpose(GetPurposeRequest(name="purposes/research")), "NOT_FOUND RESOURCE_NOT_FOUND"),
    ):
        assert await refused(call) == reason


async def test_the_words_of_a_purpose_are_its_departments(desk, purposes, refused):
    await create(purposes)
    other = desk.running.stub(PurposeServiceStub, ("customer.*",), department="billing")
    assert await refused(change(other, display_name="Polls")) == "PERMISSION_DENIED NOT_OWNER"
    theirs = Purpose(department="departments/front-desk", display_name="Bills", contact_default=1)
    assert await refused(create(other, theirs, id="bills")) == "PERMISSION_DENIED NOT_OWNER"
    theirs.department = ""
    assert (await create(other, theirs, id="bills")).department == "departments/billing"
