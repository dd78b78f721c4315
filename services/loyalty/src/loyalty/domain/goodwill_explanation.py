"""Why goodwill was granted, by whom, and what it counts as."""

from chassis.facts import Told, Why, shown
from loyalty.domain.goodwill import GiftKind, Goodwill, State


def why_granted(goodwill: Goodwill, _: Told) -> Why:
    """Why goodwill was granted, or is not."""
    made_up = f", for promises/{goodwill.promise_id}" if goodwill.promise_id else ""
    if goodwill.state not in (State.GRANTED, State.REVERSED):
        asked = f"{_said(goodwill)} asked for on {shown(goodwill.create_time)}, by {goodwill.requester}"
        became = {State.DECLINED: f" Declined by {goodwill.decider} ({goodwill.decision_reason_code})."}
        late = {State.EXPIRED: " Nobody said yes or no in time."}
        return Why(f"{asked}{made_up} ({goodwill.reason_code}).{(became | late).get(goodwill.state, '')}")
    by = goodwill.grantor if goodwill.grantor.startswith("agents/") else "policy"
    at = goodwill.create_time
    if goodwill.requester:
        by = f"{by}, whom {goodwill.requester} asked on {shown(goodwill.create_time)}"
        at = goodwill.update_time if goodwill.state is State.GRANTED else at
    granted = f"{_said(goodwill)} given {shown(at)}, by {by}"
    taken_back = f" Reversed on {shown(goodwill.update_time)}." if goodwill.state is State.REVERSED else ""
    summary = f"{granted}{made_up} ({goodwill.reason_code}).{taken_back}"
    return Why(summary, goodwill.authority_policy, str(goodwill.policy_version))


def _said(goodwill: Goodwill) -> str:
    if goodwill.cost is None:
        return f"{goodwill.amount} {goodwill.unit_id}"
    money = f"{goodwill.cost.amount} {goodwill.cost.currency_code}"
    if (by := goodwill.converted_money) and goodwill.rate is not None:
        counted = f"{by.amount} {by.currency_code}"
        money = f"{money}, counted as {counted} by {goodwill.exchange_rate} ({goodwill.rate:f})"
    if goodwill.kind is GiftKind.MONEY:
        return money
    what = f" {goodwill.gift_reference}" if goodwill.gift_reference else ""
    return f"{goodwill.kind.lower().replace('_', ' ')}{what} (costs {money})"
