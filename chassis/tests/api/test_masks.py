import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.resources import chosen
from rapport.cases.v1.case_pb2 import Case

ALLOWED = ("topic", "display_name")
IGNORED = ("name", "state", "open_time", "reopen_count", "etag")


@given(st.lists(st.sampled_from(ALLOWED + IGNORED), min_size=1))
def test_named_fields_change_in_a_fixed_order_and_only_once(paths: list[str]) -> None:
    assert chosen(FieldMask(paths=paths), Case(), ALLOWED) == [name for name in ALLOWED if name in paths]


def test_an_empty_mask_means_what_is_populated() -> None:
    assert chosen(FieldMask(), Case(name="cases/1", display_name="Late"), ALLOWED) == ["display_name"]
    assert chosen(FieldMask(), Case(), ALLOWED) == []


def test_a_star_means_everything_that_may_change() -> None:
    assert chosen(FieldMask(paths=["*"]), Case(), ALLOWED) == list(ALLOWED)


@pytest.mark.parametrize(
    "paths", [["customer"], ["topic", "colour"], ["*", "topic"], ["topic.x"], [""], ["Topic"]]
)
def test_any_other_path_is_refused(paths: list[str]) -> None:
    assert chosen(FieldMask(paths=paths), Case(), ALLOWED) is None
