"""Opening a case, noting on it for colleagues, giving it to another owner, settling and reopening it."""

from functools import partial

from desk.language.catalogues import N_
from desk.pages.actions.action import IN_WORDS, Action, Doing, Done, Field, Values, sends
from desk.pages.actions.offering import colleagues
from desk.pages.customer.things import title_of
from rapport.cases.v1 import case_service_pb2 as pb
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest

TOPICS = ("late-delivery", "damaged", "complaint", "order-delivery")


async def _open(doing: Doing) -> Done:
    look, (topic, said) = doing.look, doing.said("topic", TOPICS)
    case = Case(
        customer=doing.customer,
        topic=topic,
        display_name=": ".join(filter(None, (said, doing.text("display_name")))),
        owner=look.viewer.agent,
    )
    await look.services.cases.OpenCase(doing.request(pb.OpenCaseRequest, case=case))
    return Done(look.say("Opened. You own it until it is resolved."))


async def _case(doing: Doing) -> Case:
    return await doing.look.services.cases.GetCase(pb.GetCaseRequest(name=doing.on))


async def _etag(doing: Doing) -> Values:
    return {"etag": (await _case(doing)).etag}


async def _resolve(doing: Doing) -> Done:
    request = doing.request(pb.ResolveCaseRequest, resolution=doing.text("resolution"))
    await doing.look.services.cases.ResolveCase(request)
    return Done(doing.look.say("Resolved."), REOPEN.href(doing.customer, doing.on))


async def _resolved(doing: Doing) -> Values:
    case = await _case(doing)
    return {"etag": case.etag, "what": title_of(case, doing.look.say)}


async def _owner(doing: Doing) -> Values:
    case = await _case(doing)
    return {"etag": case.etag, "owner": case.owner, "agents": await colleagues(doing.look)}


async def _note(doing: Doing) -> Done:
    request = doing.request(CreateNoteRequest, parent=doing.on, note=Note(text=doing.text("text")))
    await doing.look.services.notes.CreateNote(request)
    return Done(doing.look.say("Noted, for colleagues only."))


_owned = partial(Action, permission="cases.cases.write", owned=True)
CASE = Action(
    id="case",
    label=N_("Open a case"),
    letter="O",
    permission="cases.cases.write",
    fields=[
        # Own words and title together are what the case is called: 200 characters at most.
        Field("topic", N_("Topic"), offers=TOPICS, hint=IN_WORDS, most=60),
        Field("display_name", N_("Title of the case"), required=False, most=138),
    ],
    button=N_("Open"),
    consequence=N_("You are its owner: you answer to the customer, whoever does the work."),
    do=_open,
)
RESOLVE = _owned(
    id="resolve",
    label=N_("Resolve the case"),
    letter="R",
    fields=[Field("resolution", N_("Resolution"), codes=("settled", "delivered", "refunded"))],
    button=N_("Resolve"),
    open=_etag,
    do=_resolve,
)
REOPEN = _owned(
    id="reopen",
    label=N_("Reopen the case"),
    letter="U",
    sentence=N_("{what} is open again."),
    fields=[Field("reason", N_("Reason"), codes=("not-settled", "happened-again", "our-mistake"))],
    button=N_("Reopen"),
    consequence=N_("Its owner answers for it again."),
    open=_resolved,
    do=sends(lambda to: to.cases.ReopenCase, pb.ReopenCaseRequest, N_("Reopened."), reason_code="reason"),
)
OWNER = _owned(
    id="owner",
    label=N_("Change owner"),
    fields=[Field("owner", N_("New owner"), among="agents")],
    button=N_("Assign"),
    consequence=N_("The case moves to the department of its new owner."),
    open=_owner,
    do=sends(lambda to: to.cases.AssignCase, pb.AssignCaseRequest, N_("Assigned."), owner="owner"),
)
NOTE = Action(
    id="note",
    label=N_("Add a note"),
    permission="cases.notes.write",
    owned=True,
    title=N_("Add a note to the case"),
    fields=[Field("text", N_("Internal note"), type="words")],
    consequence=N_("Only colleagues see it, never the customer."),
    do=_note,
)
