"""The gRPC services of memberships: what becomes of them, who belongs to them, and their cards."""

from datetime import datetime
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty import names
from loyalty.domain.card_numbers import CardNumbers
from loyalty.store import memberships as store
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases import cards, households, membership_ends, memberships
from rapport.loyalty.v1 import card_service_pb2 as card_pb
from rapport.loyalty.v1 import member_service_pb2 as member_pb
from rapport.loyalty.v1 import membership_service_pb2 as pb
from rapport.loyalty.v1.card_pb2 import Card
from rapport.loyalty.v1.card_service_pb2_grpc import CardServiceServicer
from rapport.loyalty.v1.member_pb2 import Member
from rapport.loyalty.v1.member_service_pb2_grpc import MemberServiceServicer
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2_grpc import MembershipServiceServicer
from rapport.loyalty.v1.transfer_pb2 import Transfer

_PARENT = names.MEMBERSHIP, store.GET_MEMBERSHIP


class MembershipRpc(Rpc, MembershipServiceServicer):
    """Customers' places in programs."""

    CreateMembership = change(pb.CreateMembershipRequest, memberships.create_membership, Membership)
    GetMembership = get(names.MEMBERSHIP, store.GET_MEMBERSHIP, Membership)
    ExplainMembership = explain(names.MEMBERSHIP, store.GET_MEMBERSHIP, Membership)
    ListMemberships = listing(
        pb.ListMembershipsResponse, store.LIST_MEMBERSHIPS, parent=(names.PROGRAM, GET_PROGRAM)
    )
    MergeMemberships = change(pb.MergeMembershipsRequest, membership_ends.merge_memberships, Membership)
    UnmergeMembership = change(pb.UnmergeMembershipRequest, membership_ends.unmerge_membership, Membership)
    CloseMembership = change(pb.CloseMembershipRequest, membership_ends.close_membership, Membership)
    ReopenMembership = change(pb.ReopenMembershipRequest, membership_ends.reopen_membership, Membership)
    TransferPoints = change(pb.TransferPointsRequest, membership_ends.transfer_points, Transfer)


class MemberRpc(Rpc, MemberServiceServicer):
    """Who belongs to memberships."""

    CreateMember = change(member_pb.CreateMemberRequest, households.create_member, Member)
    GetMember = get(names.MEMBER, store.GET_MEMBER, Member)
    ListMembers = listing(member_pb.ListMembersResponse, store.LIST_MEMBERS, parent=_PARENT)
    RemoveMember = change(member_pb.RemoveMemberRequest, households.remove_member, Member)
    MakeMemberPrimary = change(member_pb.MakeMemberPrimaryRequest, households.make_member_primary, Member)


def _one_way(check: Check, request: card_pb.FindMembershipRequest, now: datetime) -> None:
    if bool(request.card_number) == bool(request.customer):
        check.refuse("card_number", "REQUIRED", "must be given, or customer, and not both")


class CardRpc(Rpc, CardServiceServicer):
    """Cards, and the memberships that they find."""

    rules: ClassVar[Rules] = {card_pb.FindMembershipRequest: _one_way}

    numbers: CardNumbers

    CreateCard = change(card_pb.CreateCardRequest, cards.create_card, Card)
    GetCard = get(names.CARD, store.GET_CARD, Card)
    ListCards = listing(card_pb.ListCardsResponse, store.LIST_CARDS, parent=_PARENT)
    BlockCard = change(card_pb.BlockCardRequest, cards.block_card, Card)
    ReplaceCard = change(card_pb.ReplaceCardRequest, cards.replace_card, Card)

    async def FindMembership(self, request: card_pb.FindMembershipRequest, context: Any) -> Membership:
        """The membership of a card, or that a customer earns on."""
        (program_id,) = names.PROGRAM.parse(request.parent, "parent")
        found = await memberships.find_membership(
            self.db, self.numbers, program_id, request.customer, request.card_number
        )
        return to_message(Membership, found)
