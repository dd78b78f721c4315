from uuid import uuid4

import pytest

from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest, GetNoteRequest, ListNotesRequest

pytestmark = pytest.mark.together

UNKNOWN = f"cases/{uuid4()}"


async def write(desk, case: str, text: str = "Called back.\nNobody there.") -> Note:
    return await desk.notes.CreateNote(CreateNoteRequest(parent=case, note=Note(text=text)))


async def test_a_note_has_the_caller_as_its_author_and_is_read_back(desk):
    opened = await desk.open()
    note = await write(desk, opened.name)
    assert (note.text, note.author) == ("Called back.\nNobody there.", "agents/alice")
    assert note.name.startswith(f"{opened.name}/notes/")
    assert await desk.notes.GetNote(GetNoteRequest(name=note.name)) == note


async def test_others_hear_that_something_was_noted_and_not_what(desk):
    opened = await desk.open()
    note = await write(desk, opened.name)
    [told] = await desk.facts("NoteCreated")
    assert (told.resource, told.data.case, told.data.topic) == (note.name, opened.name, opened.topic)
    assert (told.data.customer, told.data.department) == (opened.customer, opened.department)
    assert "Called" not in str(told.data)


async def test_notes_are_listed_oldest_first_in_pages(desk):
    opened = await desk.open()
    written = [(await write(desk, opened.name, text=str(n))).name for n in range(3)]
    first = await desk.notes.ListNotes(ListNotesRequest(parent=opened.name, page_size=2))
    rest = await desk.notes.ListNotes(
        ListNotesRequest(parent=opened.name, page_size=2, page_token=first.next_page_token)
    )
    assert [note.name for note in (*first.notes, *rest.notes)] == written
    assert rest.next_page_token == ""


async def test_a_note_is_for_colleagues_unless_its_author_says_otherwise(desk):
    opened = await desk.open()
    internal = await write(desk, opened.name)
    assert internal.visibility == Note.VISIBILITY_INTERNAL
    note = Note(text="It is on its way.", visibility=Note.VISIBILITY_CUSTOMER)
    shown = await desk.notes.CreateNote(CreateNoteRequest(parent=opened.name, note=note))
    for visibility, found in (("CUSTOMER", shown), ("INTERNAL", internal)):
        request = ListNotesRequest(parent=opened.name, filter=f"visibility = {visibility}")
        assert list((await desk.notes.ListNotes(request)).notes) == [found]
    told = [fact.data.visibility for fact in await desk.facts("NoteCreated")]
    assert told == [Note.VISIBILITY_INTERNAL, Note.VISIBILITY_CUSTOMER]


@pytest.mark.parametrize(
    "call",
    [
        lambda notes: notes.CreateNote(CreateNoteRequest(parent=UNKNOWN, note=Note(text="Hello."))),
        lambda notes: notes.GetNote(GetNoteRequest(name=f"{UNKNOWN}/notes/{uuid4()}")),
        lambda notes: notes.ListNotes(ListNotesRequest(parent=UNKNOWN)),
    ],
    ids=["create", "get", "list"],
)
async def test_a_note_on_no_case_is_not_found(desk, refused, call):
    assert await refused(call(desk.notes)) == "NOT_FOUND RESOURCE_NOT_FOUND"
