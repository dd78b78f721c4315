"""The gRPC service of notes."""

from typing import Any

from cases.domain.case import Note
from cases.names import CASE, NOTE
from cases.store import cases as store
from cases.usecases.case import create_note
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from rapport.cases.v1 import note_pb2
from rapport.cases.v1 import note_service_pb2 as pb
from rapport.cases.v1.note_service_pb2_grpc import NoteServiceServicer


class NoteRpc(NoteServiceServicer):
    """Notes for colleagues."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def CreateNote(self, request: pb.CreateNoteRequest, tx: Transaction) -> note_pb2.Note:
        """Note something on a case."""
        check = Check()
        (case_id,) = check.name(CASE, request.parent, "parent")
        text = check.text(request.note.text, "note.text", max=4000)
        check.raise_if_any()
        return _message(await create_note(tx, case_id, text=text))

    async def GetNote(self, request: pb.GetNoteRequest, context: Any) -> note_pb2.Note:
        """Get a note."""
        case_id, note_id = NOTE.parse(request.name)
        note = await store.NOTE.maybe(self.db, case_id=case_id, id=note_id)
        if note is None:
            raise NotFound(request.name)
        return _message(note)

    async def ListNotes(self, request: pb.ListNotesRequest, context: Any) -> pb.ListNotesResponse:
        """List the notes on a case, oldest first."""
        (case_id,) = CASE.parse(request.parent, "parent")
        found, token = await store.LIST_NOTES.page(self.db, request, _message, case_id=case_id)
        if not found and await store.CASE.maybe(self.db, id=case_id) is None:
            raise NotFound(request.parent)
        return pb.ListNotesResponse(notes=found, next_page_token=token)


def _message(note: Note) -> note_pb2.Note:
    return to_message(note_pb2.Note, note)
