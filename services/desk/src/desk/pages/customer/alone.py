"""What whoever looks may do for a customer alone, and what is left of it."""

from collections.abc import Sequence

from chassis.api.messages import value_name
from desk.language.catalogues import N_
from desk.pages.services import Parts
from desk.ui.speech import Speech
from rapport.cases.v1.authority_service_pb2 import CheckAuthorityResponse

_ACTS = {
    "GOODWILL": N_("Goodwill"),
    "EXTENSION": N_("Put a promise off"),
    "REFUND": N_("Give money"),
    "REPLACEMENT": N_("Give something in kind"),
}


def alone(parts: Parts, say: Speech) -> Sequence[tuple[str, str, str]]:
    """The acts, how much of each may be done and what is left of it, and the policy that says so."""
    return [
        (say(_ACTS[act]), _how_much(each, say), each.authority_policy)
        for each in parts.of("authority", CheckAuthorityResponse).authorities
        if (act := value_name(each, "act")) in _ACTS and value_name(each, "reason") != "NO_POLICY"
    ]


def _how_much(each: CheckAuthorityResponse.Authority, say: Speech) -> str:
    if value_name(each, "reason") == "NO_LIMIT_HOLDS":
        return say("not alone: ask somebody with more authority")
    if each.HasField("money"):
        most, left = say.money(each.money), say.money(each.money_left)
        is_less = each.money_left != each.money
    elif value_name(each, "act") == "EXTENSION":
        most, left = say.count(each.days, "{n} day", "{n} days"), say.number(each.days_left)
        is_less = each.days_left < each.days
    else:
        most, left = say.count(each.points, "{n} point", "{n} points"), say.number(each.points_left)
        is_less = each.points_left < each.points
    return say("{most}; {left} left today", most=most, left=left) if is_less else most
