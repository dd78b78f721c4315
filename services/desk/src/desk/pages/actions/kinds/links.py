"""Taking back the links to a customer's own pages: for one whose mailbox others read."""

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field
from rapport.customer.v1.self_service_link_service_pb2 import RevokeSelfServiceLinksRequest


async def _revoke(doing: Doing) -> Done:
    request = doing.request(
        RevokeSelfServiceLinksRequest,
        name=f"{doing.customer}/selfServiceLink",
        reason_code=doing.text("reason"),
    )
    await doing.look.services.links.RevokeSelfServiceLinks(request)
    return Done(doing.look.say("Their links work no more."))


REVOKE = Action(
    id="revoke-links",
    label=N_("Take their links back"),
    permission="customer.self_service_links.revoke",
    fields=[Field("reason", N_("Reason"), codes=("mailbox-shared", "mail-forwarded", "customer-asked"))],
    button=N_("Take back"),
    consequence=N_(
        "No message that they ever got opens their pages or unsubscribes by one click any more. The next has"
        " another link."
    ),
    do=_revoke,
)
