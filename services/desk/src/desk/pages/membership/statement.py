"""`/customers/{id}/membership/{unit}`: all that moved what is held in one unit, by time, in pages."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.api.messages import timestamp
from chassis.errors import NotFound, invalid
from desk.pages.base import Look, Looking
from desk.pages.customer.route import UUID
from desk.pages.membership.holding import MAIN, accounts_of
from desk.pages.membership.points import line
from desk.ui import words
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.card_service_pb2 import FindMembershipRequest
from rapport.loyalty.v1.ledger_service_pb2 import ListEntriesRequest

router = APIRouter()
PAGE = 50
_YEARS = range(1970, 9000)


@router.get("/customers/{uuid}/membership/{unit}")
async def statement(
    look: Look,
    uuid: str,
    unit: str,
    program: str = words.last(MAIN),
    since: str = "",
    until: str = "",
    after: str = "",
) -> Response:
    """The newest first; days are those of the reader, the last one to its end."""
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    customer = f"customers/{uuid}"
    account = await _account(look, customer, program, unit)
    request = ListEntriesRequest(parent=account.name, page_size=PAGE, page_token=after)
    if since:
        request.start_time.CopyFrom(timestamp(_begin(look, "since", since)))
    if until:
        request.end_time.CopyFrom(timestamp(_begin(look, "until", until, timedelta(days=1))))
    page = await look.services.ledger.ListEntries(request)
    address = f"/{customer}/membership/{unit}"
    chosen = {"program": program, "since": since, "until": until, "after": page.next_page_token}
    more = {name: value for name, value in chosen.items() if value}
    further = f"{address}?{urlencode(more)}" if page.next_page_token else ""
    lines = [line(each, look.say) for each in page.entries]
    if look.is_fragment:
        return look.answer("pages/membership/rows.html", lines=lines, further=further)
    known = await look.services.known([customer])
    return look.answer(
        "pages/membership/statement.html",
        title=known.get(customer, Customer()).display_name or look.say("A customer"),
        here_from=f"/{customer}/membership?{urlencode({'program': program})}",
        address=address,
        program=program,
        since=since,
        until=until,
        unit=look.say.titled(unit),
        opening=look.say.number(page.opening_balance),
        closing=look.say.number(page.closing_balance),
        lines=lines,
        further=further,
    )


async def _account(look: Looking, customer: str, program: str, unit: str) -> Account:
    """The account that they spend from in a unit of a program. NotFound."""
    request = FindMembershipRequest(parent=f"programs/{program}", customer=customer)
    membership = await look.services.cards.FindMembership(request)
    for each in await accounts_of(look.services, membership.name):
        if each.type == Account.TYPE_MEMBERSHIP and words.last(each.unit) == unit:
            return each
    raise NotFound(customer)


def _begin(look: Looking, field: str, text: str, later: timedelta = timedelta()) -> datetime:
    """When a day begins where the reader is. InvalidArgument."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        on = date.min
    if on.year not in _YEARS:
        raise invalid(field, "INVALID_FILTER", "must be a day such as 2026-03-01, from 1970 on")
    return datetime.combine(on + later, time(), look.say.zone)
