"""Whose other record it is, to have both become one; and that a merge was wrong."""

from dataclasses import replace

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.customer.loading import Names
from desk.pages.find.searching import Results, classify, results_of, search, unasked
from desk.ui.words import last
from rapport.customer.v1.customer_merge_service_pb2 import GetCustomerMergeRequest, UndoCustomerMergeRequest

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
