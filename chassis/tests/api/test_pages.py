import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.pages import Page
from chassis.errors import InvalidArgument
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport.cases.v1.note_service_pb2 import ListNotesRequest
from rapport.notifications.v1.notice_service_pb2 import ListNoticesRequest

moments = st.datetimes(timezones=st.just(UTC))
KEY = (datetime(2026, 3, 1, tzinfo=UTC), UUID(int=7))


def refused(request: Any, *types: Any) -> str:
    with pytest.raises(InvalidArgument) as refusal:
        Page(request, *types)
    return refusal.value.reason


@given(moments, st.uuids(), st.text(), st.integers(-(2**63), 2**63 - 1))
def test_a_token_leads_to_where_the_page_ended(at: datetime, id: UUID, text: str, number: int) -> None:
    types = (datetime, UUID, str, int)
    token = Page(ListCasesRequest(filter="state = OPEN"), *types).next_token((at, id, text, number))
    following = ListCasesRequest(filter="state = OPEN", page_token=token, page_size=7)
    assert Page(following, *types).after == (at, id, text, number)


@given(st.data())
def test_a_token_that_was_altered_is_refused(data: st.DataObject) -> None:
    token = Page(ListCasesRequest(), datetime, UUID).next_token(KEY)
    place = data.draw(st.integers(0, len(token)))
    written = data.draw(st.text(min_size=1, max_size=3))
    overwritten = token[:place] + written + token[place + len(written) :]
    altered = data.draw(st.sampled_from([overwritten, token[:place], token + written, written]))
    if altered not in ("", token):
        request = ListCasesRequest(page_token=altered)
        assert refused(request, datetime, UUID) == "INVALID_PAGE_TOKEN"


def test_a_token_made_for_other_arguments_is_refused() -> None:
    token = Page(ListCasesRequest(filter="state = OPEN"), datetime, UUID).next_token(KEY)
    assert refused(ListCasesRequest(page_token=token), datetime, UUID) == "INVALID_PAGE_TOKEN"
    other = ListCasesRequest(page_token=token, filter="state = RESOLVED")
    assert refused(other, datetime, UUID) == "INVALID_PAGE_TOKEN"


def test_a_token_of_another_list_is_refused() -> None:
    token = Page(ListCasesRequest(), datetime, UUID).next_token(KEY)
    assert refused(ListNoticesRequest(page_token=token), datetime, UUID) == "INVALID_PAGE_TOKEN"
    token = Page(ListNotesRequest(parent="cases/1"), UUID).next_token((UUID(int=1),))
    assert refused(ListNotesRequest(parent="cases/2", page_token=token), UUID) == "INVALID_PAGE_TOKEN"


def test_a_token_whose_key_has_other_types_is_refused() -> None:
    token = Page(ListCasesRequest(), datetime, UUID).next_token(("2026", 7))
    assert refused(ListCasesRequest(page_token=token), datetime, UUID) == "INVALID_PAGE_TOKEN"


def test_a_token_in_another_spelling_is_refused() -> None:
    token = Page(ListCasesRequest(), UUID).next_token((UUID(int=7),))
    raw = base64.urlsafe_b64decode(token)
    spellings = [token + "\n", token[:4] + " " + token[4:], token.rstrip("="), base64.b16encode(raw).decode()]
    for spelling in set(spellings) - {token}:
        assert refused(ListCasesRequest(page_token=spelling), UUID) == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)])
def test_page_sizes_have_a_default_and_a_limit(asked: int, given: int) -> None:
    page = Page(ListCasesRequest(page_size=asked), UUID)
    assert (page.size, page.after) == (given, None)


def test_a_negative_page_size_is_refused() -> None:
    assert refused(ListCasesRequest(page_size=-1), UUID) == "INVALID_PAGE_SIZE"
