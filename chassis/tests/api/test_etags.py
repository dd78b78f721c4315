import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.etags import etag, match
from chassis.api.formats import ETAG
from chassis.errors import Aborted

CASE = "cases/1"
versions = st.integers(1, 10**18)


@given(versions, versions)
def test_an_etag_matches_its_own_version_only(made: int, current: int) -> None:
    if made == current:
        match(etag(made), CASE, current)
    else:
        with pytest.raises(Aborted) as refused:
            match(etag(made), CASE, current)
        assert refused.value.reason == "ETAG_MISMATCH"
        told = {"resource": CASE, "version": str(current), "etag_version": str(made)}
        assert refused.value.metadata == told


def test_an_empty_etag_asks_for_nothing() -> None:
    match("", CASE, 7)


@pytest.mark.parametrize(
    "text", ["7", '"7', '"07"', '"0"', '"-7"', 'W/"7"', '"seven"', '"7" ', '"\u0667"', '"' + "9" * 30 + '"']
)
def test_what_is_no_etag_is_refused_as_such(text: str) -> None:
    wrong = ETAG(text)
    assert wrong is not None
    assert wrong[0] == "INVALID_ETAG"
