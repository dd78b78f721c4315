"""What an update of a profile changes: what its mask names, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from hypothesis import example, given
from hypothesis import strategies as st

from customer.domain.customers import KIND_FIELDS, PROFILE_FIELDS, new_customer, path_of
from customer.rpc.customers import KINDS, read_changes, read_draft
from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person
from rapport.customer.v1.customer_service_pb2 import UpdateCustomerRequest

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PERSON_PATHS = [f"person.{field}" for field in KIND_FIELDS]
SHARED = ["display_name", "addresses", "language_code", "time_zone", "region_code"]

words = st.sampled_from(["", "a", "b"])
persons = st.builds(
    Person,
    **{field: words for field in KIND_FIELDS if field != "birth_date"},
    birth_date=st.sampled_from([None, Date(year=1984), Date(month=2, day=29)]),
)
shared = {
    "display_name": st.sampled_from(["", "Chosen", "Another"]),
    "addresses": st.lists(st.builds(Address, type=st.sampled_from([1, 2])), max_size=1),
    "language_code": st.sampled_from(["", "de", "fr"]),
    "time_zone": st.sampled_from(["", "Europe/Berlin"]),
    "region_code": st.sampled_from(["", "DE"]),
}
messages = st.one_of(
    st.builds(Customer, **shared),
    st.builds(Customer, person=persons, **shared),
    st.builds(Customer, organization=st.builds(Organization, legal_name=words), **shared),
)
# A field inside of one kind comes with nothing of the other: such a mask is refused.
masks = st.one_of(
    st.just([]),
    st.just(["*"]),
    st.lists(st.sampled_from([*SHARED, *KINDS]), min_size=1, unique=True),
    st.lists(st.sampled_from([*SHARED, "person", *PERSON_PATHS]), min_size=1, unique=True),
    st.lists(st.sampled_from([*SHARED, "organization", "organization.legal_name"]), min_size=1, unique=True),
)


def named(field, of, mask, sent):
    """Whether an update may change a field of a customer of the kind `of`."""
    given_kind = sent.WhichOneof("type")
    if "*" in mask:
        return True
    if field == "kind" or field in KIND_FIELDS:
        # As a whole what is sent takes the place of what is there; what is there ends where it is named.
        whole = {given_kind, of.lower()}.intersection(mask)
        inside = [path for path in mask if "." in path]
        if field == "kind":
            return bool(whole) or (not of and given_kind is not None)
        return bool(whole) or any(path_of(field, k.upper()) in inside for k in KINDS) or not mask
    return field in mask or not mask


def updated(customer, sent, mask):
    update = read_changes(UpdateCustomerRequest(customer=sent, update_mask=FieldMask(paths=mask)))
    after = replace(customer)
    if not customer.kind or update.as_a_whole or {customer.kind}.issuperset(update.kinds):
        after.change(customer.named_by(update), NOW)  # else it is refused: OTHER_TYPE
    return after


ANNA = Customer(person=Person(given_name="a"))
ACME = Customer(organization=Organization(legal_name="b"))


@given(messages, messages, masks)
@example(ANNA, ACME, ["person"])
@example(ANNA, Customer(person=Person(given_name="b")), ["organization"])
@example(ANNA, Customer(), ["organization"])
def test_what_no_path_of_the_mask_names_is_as_before(held, sent, mask):
    before = new_customer(UUID(int=1), read_draft(held).profile, "agents/front-desk", NOW)
    after = updated(before, sent, mask)
    for field in PROFILE_FIELDS:
        if not named(field, before.kind, mask, sent):
            assert getattr(after, field) == getattr(before, field), field


@given(messages, messages, messages, masks.filter(bool))
@example(ANNA, ACME, Customer(), ["person"])
def test_what_the_mask_leaves_out_is_not_read(held, sent, other, mask):
    before = new_customer(UUID(int=1), read_draft(held).profile, "agents/front-desk", NOW)
    for kind in KINDS:
        if any(path.startswith(f"{kind}.") for path in mask) and not sent.HasField(kind):
            other.ClearField(kind)
    FieldMask(paths=[*SHARED, *KINDS] if mask == ["*"] else mask).MergeMessage(sent, other, True, True)
    assert updated(before, other, mask) == updated(before, sent, mask)


def test_an_empty_person_is_given_and_makes_one():
    request = UpdateCustomerRequest(
        customer=Customer(person=Person()), update_mask=FieldMask(paths=["person"])
    )
    assert read_changes(request).kind == "PERSON"
