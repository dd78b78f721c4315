"""Cases are found by whatever one has of them."""

import pytest

from cases.store import search
from rapport.cases.v1.case_service_pb2 import SearchCasesRequest
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import CreateWorkItemRequest

pytestmark = pytest.mark.together


async def find(desk, query, **fields):
    return await desk.cases.SearchCases(SearchCasesRequest(query=query, **fields))


async def names(desk, query, **fields):
    return [case.name for case in (await find(desk, query, **fields)).cases]


@pytest.mark.alone("it counts all that there is")
@pytest.mark.parametrize(
    "query",
    ["piano", "PIANO sommer", "piän", "som pia", "sommer,\npiano", "late piano", "delivery"],
)
async def test_a_case_is_found_by_words_of_its_line_and_topic(desk, query):
    found = await desk.open(display_name="The piano for Mrs. Sommer")
    await desk.open(display_name="The organ for Mr. Winter", topic="wrong-key")
    assert await names(desk, query) == [found.name]


@pytest.mark.alone("it counts all that there is")
async def test_whole_words_come_first_and_the_newest_of_these(desk):
    begins = await desk.open(display_name="Pianos")
    older, newer = [await desk.open(display_name="A piano") for _ in range(2)]
    newest_beginning = await desk.open(display_name="Pianola")
    expected = [newer, older, newest_beginning, begins]
    assert await names(desk, "piano") == [case.name for case in expected]
    first = await find(desk, "piano", page_size=3)
    rest = await find(desk, "piano", page_size=3, page_token=first.next_page_token)
    assert [case.name for case in (*first.cases, *rest.cases)] == [case.name for case in expected]
    assert (rest.next_page_token, first.capped) == ("", False)


async def test_a_case_is_found_by_its_number_and_by_what_its_work_and_promises_refer_to(desk):
    found = await desk.open(display_name="Late")
    await desk.open(display_name="Another")
    item = WorkItem(
        case=found.name, department="departments/delivery", kind="deliver", reference="orders/10248"
    )
    await desk.work_items.CreateWorkItem(CreateWorkItemRequest(work_item=item))
    await desk.make(3, case=found.name, reference="orders/10249")
    number = found.name.partition("/")[2]
    for query in (found.name, number, number.upper(), "orders/10248", " orders/10249 "):
        assert await names(desk, query) == [found.name]
    assert await names(desk, "orders/1024") == []


async def test_a_search_takes_the_filter_of_the_list(desk):
    loss, _ = await desk.open(display_name="Piano", harm="HARM_LOSS"), await desk.open(display_name="Piano")
    assert await names(desk, "piano", filter="priority = P2") == [loss.name]
    both = f"customer = {desk.customer} AND state = OPEN AND priority = P2"
    assert await names(desk, "piano", filter=both) == [loss.name]
    assert await names(desk, "piano", filter="state = RESOLVED") == []


async def test_what_is_written_in_notes_is_not_searched(desk):
    opened = await desk.open(display_name="Late")
    note = CreateNoteRequest(parent=opened.name, note=Note(text="Her husband is ill."))
    await desk.notes.CreateNote(note)
    assert await names(desk, "husband") == []


@pytest.mark.alone("it counts all that there is")
async def test_a_search_says_when_more_match_than_it_finds(desk, monkeypatch):
    monkeypatch.setattr(search, "FOUND_MAX", 2)
    monkeypatch.setattr("cases.usecases.search.FOUND_MAX", 2)
    search._STATEMENTS.clear()
    try:
        for n in (1, 2, 3):
            await desk.open(display_name="Piano")
            found = await find(desk, "piano")
            assert (len(found.cases), found.capped) == (n, n > 2)
    finally:
        search._STATEMENTS.clear()


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"query": " p "}, "INVALID_ARGUMENT TOO_SHORT"),
        ({"query": ""}, "INVALID_ARGUMENT REQUIRED"),
        ({"query": "piano", "filter": "no = 1"}, "INVALID_ARGUMENT INVALID_FILTER"),
        ({"query": "piano", "page_token": "x"}, "INVALID_ARGUMENT INVALID_PAGE_TOKEN"),
    ],
)
async def test_what_is_no_search_is_refused(desk, refused, fields, answer):
    assert await refused(desk.cases.SearchCases(SearchCasesRequest(**fields))) == answer


@pytest.mark.parametrize("query", ["--", "' & | !", "a:* b", "\\ '"])
async def test_what_has_no_word_finds_nothing_and_harms_nothing(desk, query):
    await desk.open(display_name="Piano")
    assert await names(desk, query) == []
