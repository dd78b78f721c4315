"""The gRPC service of notes."""

from cases.names import CASE, NOTE
from cases.store import cases as store
from cases.usecases.case import create_note
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import note_service_pb2 as pb
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2_grpc import NoteServiceServicer


class NoteRpc(Rpc, NoteServiceServicer):
    """Notes for colleagues."""

    CreateNote = change(pb.CreateNoteRequest, create_note, Note)
    GetNote = get(NOTE, store.NOTE, Note)
    ListNotes = listing(pb.ListNotesResponse, store.LIST_NOTES, parent=(CASE, store.CASE))
    ExplainNote = explain(NOTE, store.NOTE, Note)
