"""What goodwill is, in words."""

from collections.abc import Sequence

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.customer.loading import Names
from desk.pages.services import Parts
from desk.ui.speech import Speech
from rapport.customer.v1.view_pb2 import GoodwillPart
from rapport.loyalty.v1.goodwill_pb2 import Goodwill
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillResponse, ListGoodwillResponse


def said(goodwill: Goodwill, say: Speech) -> str:
    """`500 points`, `$25.00`, `repair, which costs $80.00`."""
    gift = goodwill.WhichOneof("gift")
    if gift == "money":
        return say.money(goodwill.money)
    if gift == "in_kind":
        what = say.code(value_name(goodwill.in_kind, "kind").lower().replace("_", "-"))
        thing = f"{what} {goodwill.in_kind.reference}".strip()
        return say("{thing}, which costs {amount}", thing=thing, amount=say.money(goodwill.in_kind.cost))
    return say.count(goodwill.points.amount, "{n} point", "{n} points")


def given_on(each: GoodwillPart, say: Speech) -> str:
    """How much was given, and on which day."""
    number = say.money(each.money) if each.HasField("money") else each.points
    return say("{number}, {day}", number=number, day=say.on(moment(each.create_time)))


def in_money(may: CheckGoodwillResponse, say: Speech) -> list[tuple[str, str]]:
    """What may be given in money and in kind for one problem; nothing of what may not."""
    kinds = ((say("In money"), may.money), (say("In kind"), may.in_kind))
    return [(label, say.money(of.amount)) for label, of in kinds if of.amount.units or of.amount.nanos]


def waiting(parts: Parts, names: Names, say: Speech) -> Sequence[tuple[str, str, str]]:
    """What is asked for and waits for a yes: its name, how much, and who asked for it since when and why."""
    told = N_("{who} asked for it {when}: {why}.")
    return [
        (
            each.name,
            said(each, say),
            say(
                told,
                who=names(each.requester),
                when=say.moment(moment(each.create_time)),
                why=say.code(each.reason_code),
            ),
        )
        for each in parts.of("asked_for", ListGoodwillResponse).goodwill
    ]
