"""Why goodwill was granted, and why a customer is worth that, in words."""

from chassis.facts import Told, Why, shown
from loyalty.domain.goodwill import Goodwill, State
from loyalty.domain.value import ValueFormula


def why_granted(goodwill: Goodwill, _: Told) -> Why:
    """Why goodwill was granted."""
    made_up = f", for promises/{goodwill.promise_id}" if goodwill.promise_id else ""
    by = goodwill.grantor if goodwill.grantor.startswith("agents/") else "policy"
    points, unit = goodwill.points.amount, goodwill.points.unit.rpartition("/")[2]
    granted = f"{points} {unit} given {shown(goodwill.create_time)}, by {by}"
    taken_back = f" Reversed on {shown(goodwill.update_time)}." if goodwill.state is State.REVERSED else ""
    summary = f"{granted}{made_up} ({goodwill.reason_code}).{taken_back}"
    return Why(summary, goodwill.authority_policy, str(goodwill.policy_version))


def why_worth(formula: ValueFormula, told: Told) -> Why:
    """Why a customer is in a band: by what they paid in the installation's currency."""
    bands = {"silver": formula.silver, "gold": formula.gold, "platinum": formula.platinum}
    least = ", ".join(f"{band} from {amount}" for band, amount in bands.items())
    since = f" It changed last on {shown(told.time)}." if told.time else ""
    summary = f"What was paid in {formula.currency} decides the band: {least}.{since}"
    return Why(summary, "rules/value-bands", formula.version)
