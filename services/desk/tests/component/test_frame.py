"""Whatever goes wrong is told in the frame that people know, in words that say whose turn it is."""

from unittest.mock import patch

import pytest

from desk.pages.find import route as find

pytestmark = pytest.mark.together

NOWHERE = "0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60"


WRONG = [
    ("/find/notauuid", 404, "There is nothing here"),
    ("/nothing", 404, "There is nothing here"),
    ("/operations/", 404, "There is nothing here"),
    ("/received?after=zz", 400, "That is not understood"),
    ("/why", 400, "That is not understood"),
    ("/why?of=things/1", 404, "There is nothing here"),
    (f"/customers/{NOWHERE}/act/correct", 404, "There is nothing here"),
    (f"/customers/{NOWHERE}/act/nothing", 404, "There is nothing here"),
    (f"/customers/{NOWHERE}/timeline?after=zzz", 400, "That is not understood"),
]


async def test_what_is_no_page_or_not_understood_is_a_page_that_says_so(desk) -> None:
    browser = await desk.signed_in()
    for path, status, told in WRONG:
        answer = await browser.get(path, headers={"host": "evil.example"})
        assert (answer.status_code, told in answer.text) == (status, True), path
        assert "pydantic" not in answer.text, path
        fragment = await browser.get(path, headers={"x-requested-with": "fragment"})
        assert (fragment.status_code, "<html" in fragment.text) == (status, False), path
        assert 'class="refused"' in fragment.text, path


async def test_a_fault_of_ours_is_told_with_what_operations_find_it_by(desk) -> None:
    browser = await desk.signed_in()
    with patch.object(find, "_found", side_effect=ZeroDivisionError):
        answer = await browser.post("/find", data={"q": "Erika"}, headers={"x-requested-with": "fragment"})
    assert answer.status_code == 500
    assert "Operations find it by " in answer.text
    assert "ZeroDivision" not in answer.text


async def test_a_file_that_is_not_there_is_not_found_whoever_asks(desk) -> None:
    assert (await desk.browser().get("/static/nothing.css")).status_code == 404
