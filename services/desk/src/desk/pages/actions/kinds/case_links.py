"""Cases that are one concern, and taken apart again; another concern that was found in one."""

from functools import partial

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values, opens
from desk.pages.customer.things import title_of
from rapport.cases.v1 import case_service_pb2 as pb

OPEN_MAX = 100  # cases to choose from

_seen = opens(lambda to: to.cases.GetCase, pb.GetCaseRequest)


async def _others(doing: Doing) -> Values:
    """The open cases of the customer: with which of them this one is the same."""
    request = pb.ListCasesRequest(
        filter=f'customer = "{doing.customer}" AND state = OPEN', page_size=OPEN_MAX
    )
    say, seen = doing.look.say, await _seen(doing)
    listed = (await doing.look.services.cases.ListCases(request)).cases
    others = [(each.name, title_of(each, say)) for each in listed if each.name != doing.on]
    return {**seen, "others": others}


async def _merge(doing: Doing) -> Done:
    """What is looked at is merged into the other, which goes on and whose etag nobody saw."""
    look, into = doing.look, doing.text("into")
    request = pb.MergeCasesRequest(
        name=into,
        merged_cases=[doing.on],
        reason_code=doing.text("reason"),
        request_id=doing.text("request_id"),
    )
    case = await look.services.cases.MergeCases(request)
    told = look.say("They are one now: {what}.", what=title_of(case, look.say))
    return Done(told, doing.on, UNMERGE_CASE.undo(doing, doing.on, reason="mistake"))


async def _unmerge(doing: Doing) -> Done:
    request = doing.request(pb.UnmergeCaseRequest, reason_code=doing.text("reason"))
    case = await doing.look.services.cases.UnmergeCase(request)
    say = doing.look.say
    return Done(say("It stands by itself again: {what}.", what=title_of(case, say)), doing.on)


async def _split(doing: Doing) -> Done:
    look, request = doing.look, doing.request(pb.SplitCaseRequest, display_name=doing.text("concern"))
    case = await look.services.cases.SplitCase(request)
    return Done(look.say("Opened beside it: {what}.", what=title_of(case, look.say)), case.name)


_owned = partial(Action, permission="cases.cases.write", owned=True)
MERGE_CASE = _owned(
    id="mergecase",
    label=N_("Same concern as…"),
    fields=[
        Field("into", N_("The case that goes on"), among="others"),
        Field("reason", N_("Reason"), codes=("reported-twice", "same-concern")),
    ],
    button=N_("They are one"),
    consequence=N_("Its work and promises are read and settled with the other case. It can be undone."),
    open=_others,
    do=_merge,
)
UNMERGE_CASE = _owned(
    id="unmergecase",
    label=N_("It is another concern"),
    fields=[Field("reason", N_("Reason"), codes=("another-concern", "mistake"))],
    button=N_("Take apart"),
    open=_seen,
    do=_unmerge,
)
SPLIT = _owned(
    id="split",
    label=N_("Another concern in it"),
    fields=[Field("concern", N_("What the other concern is"))],
    button=N_("Open"),
    consequence=N_("It is a case of its own, of the same customer; both say so."),
    open=_seen,
    do=_split,
)
