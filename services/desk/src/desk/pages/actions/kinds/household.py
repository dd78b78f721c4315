"""Who belongs to a membership and the cards that find it: joined, added, removed, issued, blocked."""

from functools import partial

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values, sends
from desk.pages.actions.choosing import WHO, called, meant, nobody_yet
from desk.pages.membership.holding import MAIN
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1 import card_service_pb2 as card_pb
from rapport.loyalty.v1 import member_service_pb2 as pb
from rapport.loyalty.v1.card_pb2 import Card
from rapport.loyalty.v1.member_pb2 import Member
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2 import CreateMembershipRequest

_NUMBER = Field("number", N_("Number of the card"), most=100, hint=N_("letters and digits, 4 or more"))
_LOST = Field("reason", N_("Reason"), codes=("card-lost", "card-stolen", "card-damaged", "customer-asked"))


async def _enrol(doing: Doing) -> Done:
    membership = Membership(customer=doing.customer)
    program = doing.on if doing.on != doing.customer else MAIN
    request = doing.request(CreateMembershipRequest, parent=program, membership=membership)
    await doing.look.services.memberships.CreateMembership(request)
    return Done(doing.look.say("They are a member now."), doing.customer)


async def _add(doing: Doing) -> Done | Values:
    """First whom the words may mean, which somebody sees and chooses."""
    look, related = doing.look, await meant(doing)
    if not related:
        return await ADD_MEMBER.opened(doing) | {"who": doing.text("who")}
    request = doing.request(pb.CreateMemberRequest, parent=doing.on, member=Member(customer=related))
    await look.services.members.CreateMember(request)
    known = await look.services.known([related])
    who = called(known.get(related, Customer()), doing)
    return Done(look.say("{who} belongs to it now.", who=who), doing.on)


async def _member(doing: Doing) -> Values:
    services = doing.look.services
    member = await services.members.GetMember(pb.GetMemberRequest(name=doing.on))
    known = await services.known([member.customer])
    return {"what": called(known.get(member.customer, Customer()), doing)}


async def _issue(doing: Doing) -> Done:
    card = Card(number=doing.text("number"))
    request = doing.request(card_pb.CreateCardRequest, parent=doing.on, card=card)
    await doing.look.services.cards.CreateCard(request)
    return Done(doing.look.say("The card finds this membership now."), doing.on)


_belonging = partial(Action, permission="loyalty.memberships.write")
_plastic = partial(Action, permission="loyalty.cards.write")
ENROL = _belonging(
    id="enrol",
    label=N_("Make them a member"),
    button=N_("Make them a member"),
    consequence=N_("They earn points from now on. What they bought before earns nothing."),
    do=_enrol,
)
ADD_MEMBER = _belonging(
    id="add-member",
    label=N_("Add somebody to the household"),
    fields=[WHO],
    button=N_("Add"),
    consequence=N_("They earn on this membership and may spend what is on it; they see its points."),
    open=nobody_yet,
    do=_add,
    template="pages/actions/kinds/of_another.html",
)
REMOVE_MEMBER = _belonging(
    id="remove-member",
    label=N_("Take out of the household"),
    fields=[Field("reason", N_("Reason"), codes=("moved-out", "customer-asked", "mistake"))],
    button=N_("Take out"),
    consequence=N_("They neither earn on it nor spend from it any more. Its points stay with the others."),
    open=_member,
    do=sends(
        lambda to: to.members.RemoveMember,
        pb.RemoveMemberRequest,
        N_("They belong to it no more."),
        reason_code="reason",
    ),
)
MAKE_PRIMARY = _belonging(
    id="answers-for-it",
    label=N_("Have them answer for it"),
    button=N_("Have them answer for it"),
    consequence=N_("Who answered for it until now stays a member."),
    open=_member,
    do=sends(
        lambda to: to.members.MakeMemberPrimary, pb.MakeMemberPrimaryRequest, N_("They answer for it now.")
    ),
)
LINK_CARD = _plastic(id="link-card", label=N_("Link a card"), fields=[_NUMBER], button=N_("Link"), do=_issue)
REPLACE_CARD = _plastic(
    id="replace-card",
    label=N_("Replace the card"),
    fields=[_NUMBER, _LOST],
    button=N_("Replace"),
    consequence=N_("The old one finds nothing from now on."),
    do=sends(
        lambda to: to.cards.ReplaceCard,
        card_pb.ReplaceCardRequest,
        N_("The new card finds this membership now, the old one nothing."),
        number="number",
        reason_code="reason",
    ),
)
BLOCK_CARD = _plastic(
    id="block-card",
    label=N_("Block the card"),
    fields=[_LOST],
    button=N_("Block"),
    consequence=N_("It finds nothing any more. Nothing takes that back; another card can be linked."),
    final=True,
    do=sends(
        lambda to: to.cards.BlockCard,
        card_pb.BlockCardRequest,
        N_("The card finds nothing any more."),
        reason_code="reason",
    ),
)
