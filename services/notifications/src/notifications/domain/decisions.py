"""The steps by which it was decided whether to send a notice: as many as are kept."""

from collections.abc import Sequence
from dataclasses import replace

from chassis.facts import Decision

_FIRST, _LATEST = 10, 30


def kept(before: Sequence[Decision], steps: Sequence[Decision]) -> list[Decision]:
    """Those before and these, unless the latest were the same: what is tried often is kept once.

    The first ones stay, for they say why it was requested, and the latest.
    """
    latest = before[-len(steps) :] if steps else []
    if [_untimed(each) for each in latest] == [_untimed(each) for each in steps]:
        return list(before)
    both = [*before, *steps]
    return [*both[:_FIRST], *both[_FIRST:][-_LATEST:]]


def _untimed(step: Decision) -> Decision:
    return replace(step, decide_time=None)
