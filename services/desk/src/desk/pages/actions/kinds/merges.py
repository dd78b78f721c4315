"""Whose other record it is, to have both become one; that a merge was wrong; and whose a contact is then."""

import asyncio
from dataclasses import replace

from chassis.api.messages import moment
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.customer.loading import Names
from desk.pages.customer.things import address
from desk.pages.find.searching import Results, classify, results_of, search, unasked
from desk.ui.words import last
from rapport.customer.v1.customer_merge_pb2 import CustomerMerge
from rapport.customer.v1.customer_merge_service_pb2 import (
    GetCustomerMergeRequest,
    ListCustomerMergesRequest,
    UndoCustomerMergeRequest,
)
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import AssignTimelineEntryRequest, GetTimelineEntryRequest

FOUND_MAX = 8


async def _nobody(_: Doing) -> Values:
    return {"results": Results()}


async def _find(doing: Doing) -> Values:
    """Who may be meant, each leading to the page with both."""
    look, typed = doing.look, doing.text("q")
    results = unasked(typed, look.say)
    if results is None:
        meant, names = classify(typed), Names(look.viewer, look.memory)
        results = results_of(meant, await search(look.services, meant, FOUND_MAX), names, look.say)
    others = [each for each in results.hits if each.customer != doing.customer]
    if results.hits and not others:
        results = replace(results, words=look.say("That finds this customer alone, of whom it is already."))
    beside = [replace(each, customer=f"{doing.customer}/same/{last(each.customer)}") for each in others]
    return {"q": typed, "results": replace(results, hits=beside, more="")}


async def _merged(doing: Doing) -> Values:
    merge = await doing.look.services.merges.GetCustomerMerge(GetCustomerMergeRequest(name=doing.on))
    return {
        "what": merge.merged_display_name,
        "meanwhile": f"/{doing.customer}/merges/{last(doing.on)}",
    }


async def _undo(doing: Doing) -> Done:
    request = doing.request(UndoCustomerMergeRequest, reason_code=doing.text("reason"))
    await doing.look.services.merges.UndoCustomerMerge(request)
    return Done(doing.look.say("Undone: they are two customers again."), doing.on)


def whose(entry: TimelineEntry) -> str:
    """Whose a contact is, `customers/{uuid}`: as it was recorded, unless somebody said otherwise."""
    return entry.assigned_customer or entry.name.partition("/timelineEntries/")[0]


async def _entry(doing: Doing) -> TimelineEntry:
    return await doing.look.services.timeline.GetTimelineEntry(GetTimelineEntryRequest(name=doing.on))


async def _open_assign(doing: Doing) -> Values:
    """Those who were taken for one, of whom the likely one is the other."""
    services, say = doing.look.services, doing.look.say
    asked = ListCustomerMergesRequest(customer=doing.customer)
    entry, listed = await asyncio.gather(_entry(doing), services.merges.ListCustomerMerges(asked))
    undone = [each for each in listed.customer_merges if each.state == CustomerMerge.STATE_UNDONE]
    two = {name for each in undone for name in (each.customer, each.merged_customer)}
    people = await services.known({*two, whose(entry)})
    now = people[whose(entry)].name if whose(entry) in people else ""
    choices = {
        each.name: ", ".join(filter(None, (each.display_name or say("A customer"), address(each))))
        for each in people.values()
    }
    others = [name for name in choices if name != now]
    return {
        "etag": entry.etag,
        "what": f"{say.fact(entry.event_type)}, {say.moment(moment(entry.occur_time))}",
        "assigned_customer": others[0] if len(others) == 1 else "",
        "people": list(choices.items()),
    }


async def _assign(doing: Doing) -> Done:
    look, before = doing.look, await _entry(doing)
    request = doing.request(AssignTimelineEntryRequest, assigned_customer=doing.text("assigned_customer"))
    assigned = await look.services.timeline.AssignTimelineEntry(request)
    people = await look.services.known([whose(assigned)])
    who = people[whose(assigned)].display_name if whose(assigned) in people else ""
    told = look.say("It is of {who} now.", who=who or look.say("A customer"))
    back = {"assigned_customer": whose(before), "etag": assigned.etag}
    return Done(told, doing.on, ASSIGN.undo(doing, doing.on, **back))


ASSIGN = Action(
    id="whose",
    label=N_("Say whose it is"),
    permission="customer.customer_merges.write",
    fields=[Field("assigned_customer", N_("Whose it is"), among="people")],
    consequence=N_("It is on their timeline from now on, and on no other."),
    open=_open_assign,
    do=_assign,
)
SAME = Action(
    id="same",
    label=N_("Same person as…"),
    letter="J",
    permission="customer.customer_merges.write",
    fields=[Field("q", N_("Their other record"), hint=N_("found by phone, e-mail, order or name"))],
    button=N_("Find"),
    open=_nobody,
    do=_find,
    template="pages/actions/kinds/same.html",
)
UNMERGE = Action(
    id="unmerge",
    label=N_("Undo the merge"),
    permission="customer.customer_merges.write",
    fields=[Field("reason", N_("Reason"), codes=("two-persons", "mistake"))],
    button=N_("Undo the merge"),
    consequence=N_("Each keeps what is of their own record, also what was recorded by it since."),
    open=_merged,
    do=_undo,
    template="pages/actions/kinds/unmerge.html",
)
