"""What purchases earn by the rules of a job: asked, and with nothing posted."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from chassis.db.statement import Executor
from loyalty.domain.earning import EVERYBODY, Earning, Given, Used, by_holding
from loyalty.domain.earning_rule import RuleState
from loyalty.domain.membership import MembershipState
from loyalty.domain.reevaluation import ReevaluationJob, Result, by_unit
from loyalty.domain.value import Purchase
from loyalty.store import earning as store
from loyalty.store.earning import RuleInForce
from loyalty.usecases.earning_caps import Versions, count
from loyalty.usecases.evaluating import (
    Bands,
    Members,
    Reckoning,
    given_for,
    in_force,
    in_order,
    items_of,
    matter_of,
)


@dataclass(slots=True)
class Reevaluation:
    """The rules that a job reckons by: all of its program, or those of then with one as it is now.

    `of` has every version of its program, and those of others by which something was earned.
    """

    job: ReevaluationJob
    rules: list[RuleInForce]
    of: Versions

    @classmethod
    async def read(cls, on: Executor, job: ReevaluationJob, kept: Collection[Earning]) -> "Reevaluation":
        """Those of a job, for purchases that earned this before."""
        versions = await store.VERSIONS_OF_PROGRAM.all(on, program_id=job.program_id)
        of = {(each.id, each.version): each for each in versions}
        keys = {(given.rule, given.version) for each in kept for given in each.given} - of.keys()
        if keys:
            ids, numbers = map(list, zip(*keys, strict=True))
            others = await store.RULES_BY_VERSION.all(on, ids=ids, versions=numbers)
            of |= {(each.id, each.version): each for each in others}
        return cls(job, [of[by.rule, by.version] for by in job.rules], of)

    def reckoning(
        self, purchase: Purchase, kept: Earning | None, closed: Set[UUID], now: datetime
    ) -> Reckoning | None:
        """What a purchase is to be asked; None where that changes nothing, as nothing is anybody's."""
        if purchase.customer_id is None or not items_of(purchase):
            return None
        was = [given for given in kept.given if given.program == self.job.program_id] if kept else []
        rules = self._rules(purchase, kept, was, now)
        if not rules and not was:
            return None
        if closed & {given.member for given in was}:
            return None
        others = [given for given in kept.given if given.program != self.job.program_id] if kept else []
        asked = Reckoning(purchase.id, purchase.customer_id, purchase.purchase_time, 0, None)
        asked.purchase, asked.kept, asked.job_id = purchase, kept, self.job.id
        asked.rules = [*rules, *(self.of[given.rule, given.version] for given in (*was, *others))]
        asked.earners = {each.program: each for each in kept.earners} if kept else {}
        asked.given = [replace(given) for given in kept.given] if kept else []
        asked.ask = partial(self._given, asked, rules, was, others)
        return asked

    def _rules(
        self, purchase: Purchase, kept: Earning | None, was: Sequence[Given], now: datetime
    ) -> list[RuleInForce]:
        """In their order. What would have ended before it is earned is not given, where it was not before."""
        rules = self.rules
        if self.job.rule_id:
            then = [self.of[given.rule, given.version] for given in was]
            if not was and not (kept and kept.reevaluation_job_id):
                then = in_force(self.of.values(), purchase.create_time)
            rules = [rule for rule in then if rule.id != self.job.rule_id] + rules
        had = {given.rule for given in was}
        return in_order(
            rule
            for rule in rules
            if rule.state is RuleState.ACTIVE and (rule.id in had or not rule.has_ended(now))
        )

    def _given(
        self,
        asked: Reckoning,
        rules: Sequence[RuleInForce],
        was: Sequence[Given],
        others: Sequence[Given],
        members: Members,
        bands: Bands,
        used: Used | None,
    ) -> list[Given]:
        """What it earns; what other programs gave stays, and all that was, where its membership is closed."""
        assert asked.purchase is not None, "it is of a purchase"
        member = members.get(self.job.program_id, {}).get(asked.customer_id)
        stays = [replace(given) for given in others]
        if was and member and member.state is not MembershipState.ACTIVE:
            stays += [replace(given) for given in was]
            rules = []
        if used is not None:
            count(used, self.of, stays, asked.at, 1)
        return stays + given_for(
            matter_of(asked.purchase), asked.customer_id, rules, members, bands, used, asked.earners
        )

    def results(self, reckonings: Sequence[Reckoning]) -> list[Result]:
        """What purchases earn otherwise than before."""
        found = []
        for each in reckonings:
            before, after = by_unit(each.before), by_unit(by_holding(each.given))
            for program, unit in sorted({*before, *after}):
                was, now = before[program, unit], after[program, unit]
                if was != now:
                    found.append(Result(self.job.id, each.id, program, unit, each.customer_id, was, now))
        return found


def holders(kept: Collection[Earning], program_id: str) -> list[UUID]:
    """The memberships of a program on which these were earned."""
    of = {given.member for each in kept for given in each.given if given.program == program_id}
    return sorted(of - {EVERYBODY})
