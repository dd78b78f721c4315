"""Opening a case, noting on it for colleagues, giving it to another owner, settling and reopening it."""

import asyncio
from collections.abc import Mapping
from functools import partial
from uuid import UUID, uuid5

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import IN_WORDS, Action, Doing, Done, Field, Values, opens, sends
from desk.pages.actions.offering import colleagues, may
from desk.pages.customer.loading import Names
from desk.pages.customer.things import title_of
from rapport.cases.v1 import case_service_pb2 as pb
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest
from rapport.common.v1.states_pb2 import Harm

TOPICS = ("late-delivery", "damaged", "complaint", "order-delivery")
# By the codes that reasons of priorities have; without one it is as the topic says.
HARMS: Mapping[str, Harm.ValueType] = {
    "": Harm.HARM_UNSPECIFIED,
    "harm-inconvenience": Harm.HARM_INCONVENIENCE,
    "harm-loss": Harm.HARM_LOSS,
    "harm-severe": Harm.HARM_SEVERE,
    "harm-none": Harm.HARM_NONE,
}


async def _harms(doing: Doing) -> Values:
    """What a concern may do to a customer: as its topic has it, unless somebody says otherwise."""
    say = doing.look.say
    return {"harms": [("", say("as usual for what it is about")), *say.choices(filter(None, HARMS))]}


async def _open(doing: Doing) -> Done:
    look, (topic, said) = doing.look, doing.said("topic", TOPICS)
    if (harm := doing.text("harm")) not in HARMS:
        raise invalid("harm", "INVALID_CODE", N_("must be one of those that are offered"))
    case = Case(
        customer=doing.customer,
        topic=topic,
        display_name=": ".join(filter(None, (said, doing.text("display_name")))),
        owner=look.viewer.agent,
        harm=HARMS[harm],
    )
    opened = await look.services.cases.OpenCase(doing.request(pb.OpenCaseRequest, case=case))
    told = look.say("Opened: {what}. You own it until it is resolved.", what=title_of(opened, look.say))
    return Done(told, opened.name)


_seen = opens(lambda to: to.cases.GetCase, pb.GetCaseRequest)


async def _resolve(doing: Doing) -> Done:
    look, request = doing.look, doing.request(pb.ResolveCaseRequest, resolution=doing.text("resolution"))
    case = await look.services.cases.ResolveCase(request)
    undo = REOPEN.undo(doing, case.name, reason="our-mistake", etag=case.etag)
    return Done(look.say("Resolved: {what}.", what=title_of(case, look.say)), case.name, undo)


async def _case(doing: Doing) -> Case:
    return await doing.look.services.cases.GetCase(pb.GetCaseRequest(name=doing.on))


async def _owner(doing: Doing) -> Values:
    """Nobody is chosen: who presses Enter gives nothing away."""
    say, case, agents = doing.look.say, await _case(doing), await colleagues(doing.look)
    told = [
        (name, say("{who}, who owns it now", who=who) if name == case.owner else who) for name, who in agents
    ]
    return {"etag": case.etag, "what": title_of(case, say), "agents": told}


async def _assign(doing: Doing) -> Done:
    look, before = doing.look, await _case(doing)
    case = await look.services.cases.AssignCase(
        doing.request(pb.AssignCaseRequest, owner=doing.text("owner"))
    )
    if text := doing.text("text"):
        once = str(uuid5(UUID(doing.text("request_id")), "note"))
        note = doing.request(CreateNoteRequest, parent=case.name, note=Note(text=text), request_id=once)
        await look.services.notes.CreateNote(note)
    names = Names(look.viewer, look.memory)
    await names.learn(look.services, {case.owner})
    told = look.say("{who} owns it now: {what}.", who=names(case.owner), what=title_of(case, look.say))
    undo = None
    if may(look.viewer, OWNER, case.department) and before.owner != case.owner:
        undo = OWNER.undo(doing, case.name, owner=before.owner, etag=case.etag)
    return Done(told, case.name, undo)


async def _note(doing: Doing) -> Done:
    request = doing.request(CreateNoteRequest, parent=doing.on, note=Note(text=doing.text("text")))
    case, _ = await asyncio.gather(_case(doing), doing.look.services.notes.CreateNote(request))
    say = doing.look.say
    return Done(say("Noted for colleagues only: {what}.", what=title_of(case, say)), doing.on)


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
        Field("harm", N_("What it does to the customer"), among="harms", required=False),
    ],
    button=N_("Open"),
    open=_harms,
    consequence=N_("You are its owner: you answer to the customer, whoever does the work."),
    do=_open,
)
RESOLVE = _owned(
    id="resolve",
    label=N_("Resolve the case"),
    letter="R",
    fields=[Field("resolution", N_("Resolution"), codes=("settled", "delivered", "refunded"))],
    button=N_("Resolve"),
    open=_seen,
    do=_resolve,
)
REOPEN = _owned(
    id="reopen",
    label=N_("Reopen the case"),
    letter="U",
    fields=[Field("reason", N_("Reason"), codes=("not-settled", "happened-again", "our-mistake"))],
    button=N_("Reopen"),
    consequence=N_("Its owner answers for it again."),
    open=_seen,
    do=sends(
        lambda to: to.cases.ReopenCase, pb.ReopenCaseRequest, N_("Reopened: {what}."), reason_code="reason"
    ),
)
OWNER = _owned(
    id="owner",
    label=N_("Change owner"),
    fields=[
        Field("owner", N_("New owner"), among="agents"),
        Field("text", N_("Note for them, which only colleagues see"), type="words", required=False),
    ],
    button=N_("Assign"),
    consequence=N_(
        "The case moves to the department of its new owner: from another than yours only they give it back."
    ),
    open=_owner,
    do=_assign,
)
NOTE = Action(
    id="note",
    label=N_("Add a note"),
    permission="cases.notes.write",
    owned=True,
    title=N_("Add a note to the case"),
    fields=[Field("text", N_("Internal note"), type="words")],
    consequence=N_("Only colleagues see it, never the customer."),
    open=_seen,
    do=_note,
)
