"""Another customer, found by what somebody typed, and then chosen: nobody is guessed."""

from collections.abc import Sequence

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Doing, Field, Values
from desk.pages.customer.things import address
from desk.pages.find.searching import unasked
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import SearchCustomersRequest

FOUND_MAX = 20
WHO = Field("who", N_("Whose: phone, e-mail, number or name"))  # beside `related`, which its form holds


def called(customer: Customer, doing: Doing) -> str:
    """What a customer is called."""
    return customer.display_name or doing.look.say("A customer without a name")


async def others(doing: Doing) -> Sequence[tuple[str, str]]:
    """Who else may be meant by what was typed as `who`, and what a choice says of them."""
    if unasked(doing.text("who"), doing.look.say):
        return []
    request = SearchCustomersRequest(query=doing.text("who"), page_size=FOUND_MAX)
    matches = (await doing.look.services.customers.SearchCustomers(request)).matches
    people = [each.customer for each in matches if each.customer.name != doing.customer]
    return [(each.name, ", ".join(filter(None, (called(each, doing), address(each))))) for each in people]


async def nobody_yet(doing: Doing) -> Values:
    """What the form `of_another.html` holds before anybody is chosen: who may be meant."""
    return {"found": await others(doing), "related": "", "rows": (), "seen": ""}


async def meant(doing: Doing) -> str:
    """Who of them was chosen as `related`; empty before. INVALID_CODE when nobody is found."""
    found = await others(doing)
    if wrong := unasked(doing.text("who"), doing.look.say):
        raise invalid("who", "INVALID_CODE", wrong.words)
    if not found:
        raise invalid("who", "INVALID_CODE", N_("nobody else is found by that"))
    chosen = doing.text("related")
    return chosen if chosen in [name for name, _ in found] else ""
