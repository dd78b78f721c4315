"""The most that rules give: how much was, and what is left of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from loyalty.domain.earning import EVERYBODY, CapKey, Given, Used, cap_keys, standing
from loyalty.domain.purchase_lines import Line
from loyalty.store import earning as store
from loyalty.store.earning import RuleInForce
from loyalty.usecases.evaluating import Bands, Members, Reckoning, day_of, rest_of

Versions = Mapping[tuple[str, int], RuleInForce]


async def cap(
    tx: Transaction,
    reckonings: Sequence[Reckoning],
    members: Members,
    bands: Bands,
    returned: Mapping[UUID, Sequence[Line]],
) -> None:
    """Reckon what caps leave, and what of it is left. What is taken back counts no more."""
    of = await versions_of(tx, reckonings)
    limited = limited_by(reckonings, of)
    used = await _used(tx, limited)
    start = Counter(used)
    await leave(reckonings, members, bands, returned, used, of)
    changes = [
        {**key._asdict(), "used": used[key] - start[key]} for key in limited if used[key] != start[key]
    ]
    await store.ADD_TO_CAPS.rows(tx, changes)


async def versions_of(on: Executor, reckonings: Sequence[Reckoning]) -> Versions:
    """The rules that are asked, and those by which something was earned before."""
    found = await versions_by(on, [given for each in reckonings if each.kept for given in each.kept.given])
    return {**found, **{(rule.id, rule.version): rule for each in reckonings for rule in each.rules}}


async def versions_by(on: Executor, was: Iterable[Given]) -> Versions:
    """The rules by which something was given."""
    keys = {(given.rule, given.version) for given in was}
    ids, versions = map(list, zip(*keys, strict=True)) if keys else ([], [])
    found = await store.RULES_BY_VERSION.all(on, ids=ids, versions=versions) if ids else []
    return {(each.id, each.version): each for each in found}


def limited_by(reckonings: Sequence[Reckoning], of: Versions) -> list[CapKey]:
    """What caps count of what these earn or have earned, in the order in which it is locked."""
    given = [(each.at, given) for each in reckonings for given in each.given if given.may_give]
    given += [(each.then or each.at, was) for each in reckonings if each.kept for was in each.kept.given]
    return sorted({key for at, one in given for key, _ in _keys(of, one, at)})


async def leave(
    reckonings: Sequence[Reckoning],
    members: Members,
    bands: Bands,
    returned: Mapping[UUID, Sequence[Line]],
    used: Used,
    of: Versions,
) -> None:
    """Have each earn what caps leave, and keep what of it is left; what it had before counts no more."""
    for each in reckonings:
        if each.kept:
            count(used, of, each.kept.given, each.then or each.at, -1)
    for each in reckonings:
        if each.ask and any(rule.caps for rule in each.rules):
            each.given = each.ask(members, bands, used)
            await asyncio.sleep(0)  # a batch may ask much: others are answered meanwhile
        elif used:
            count(used, of, each.given, each.at, 1)
        if each.purchase:
            _leave(each, rest_of(each.purchase, returned.get(each.id, ())), used, of)


def _leave(
    each: Reckoning,
    rest: Sequence[Fraction],
    used: Used,
    of: Versions,
) -> None:
    """What is left of what was given, after what was given back of the purchase."""
    for given in each.given:
        before = sum(given.standing)
        left = standing(given.points, rest)
        given.left = left if left != given.points else []
        for key, _ in _keys(of, given, each.at):
            used[key] += sum(left) - before


def _keys(of: Versions, given: Given, at: datetime) -> Iterable[tuple[CapKey, object]]:
    rule = of[given.rule, given.version]
    return dict(cap_keys(rule, day_of(at, rule), given.member)).items()


def count(used: Used, of: Versions, given: Iterable[Given], at: datetime, sign: int) -> None:
    """Have caps count what was given more, or with the sign -1 no more."""
    for each in given:
        for key, _ in _keys(of, each, at):
            used[key] += sign * sum(each.standing)


async def _used(tx: Transaction, keys: Sequence[CapKey]) -> Used:
    """How much caps have counted, which nobody else adds to until the transaction ends.

    Of a membership with all that is part of it: that earns no more, and what is taken back there meanwhile
    only leaves more.
    """
    rows = await store.ADD_TO_CAPS.rows(tx, [{**key._asdict(), "used": 0} for key in keys])
    holders = {key.holder for key in keys} - {EVERYBODY}
    if holders:
        rule_ids = list({key.rule_id for key in keys})
        rows += await store.CAPS_OF_PARTS.all(tx, holders=list(holders), rule_ids=rule_ids)
    return counted_in(rows)


def counted_in(rows: Iterable[Mapping[str, Any]]) -> Used:
    """What caps have counted in all, as rows say."""
    used: Used = Counter()
    for row in rows:
        used[CapKey(row["rule_id"], row["holder"], row["span"])] += row["used"]
    return used
