import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.etags import etag, match
from chassis.errors import Aborted, InvalidArgument

versions = st.integers(1, 10**18)


@given(versions, versions)
def test_an_etag_matches_its_own_version_only(made: int, current: int) -> None:
    if made == current:
        match(etag(made), current)
    else:
        with pytest.raises(Aborted) as refused:
            match(etag(made), current)
        assert refused.value.reason == "ETAG_MISMATCH"
        assert refused.value.metadata == {"version": str(current), "etag_version": str(made)}


def test_an_empty_etag_asks_for_nothing() -> None:
    match("", 7)


@pytest.mark.parametrize(
    "text", ["7", '"7', '"07"', '"0"', '"-7"', 'W/"7"', '"seven"', '"7" ', '"\u0667"', '"' + "9" * 30 + '"']
)
def test_what_is_no_etag_is_refused_as_such(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        match(text, 7, "case.etag")
    assert (refused.value.reason, refused.value.violations[0].field) == ("INVALID_ETAG", "case.etag")
