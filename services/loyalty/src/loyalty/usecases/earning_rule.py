"""Writing the rules by which members earn."""

from dataclasses import dataclass
from datetime import datetime

from chassis.api.entities import create_version, found, own_department, owned_version, save
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.facts import Changes, fact_of
from loyalty.domain.earning_rule import EarningRule, RuleState, RuleTerms
from loyalty.domain.facts import EarningRuleCreated
from loyalty.names import EARNING_RULE, UNIT
from loyalty.store import earning as store
from loyalty.store.tables import GET_UNIT
from loyalty.usecases.conditions import require_sound


@dataclass(slots=True)
class ShownRule(EarningRule):
    """A rule, and which version of it is in force; 0 when none is."""

    active_version: int = 0


@dataclass(slots=True)
class RuleDraft(RuleTerms):
    """A rule as it is sent, or as it would be."""

    department_id: str | None
    unit_program_id: str

    def rule(self, rule_id: str, owner_id: str, at: datetime) -> EarningRule:
        """Its first version."""
        terms = values(self)
        made = {"department_id": owner_id, "program_id": terms.pop("unit_program_id"), "effective_time": None}
        return EarningRule(
            **terms | made, id=rule_id, version=1, state=RuleState.DRAFT, create_time=at, update_time=at
        )


async def create_earning_rule(
    tx: Transaction, *, earning_rule_id: str, earning_rule: RuleDraft
) -> EarningRule:
    """Keep a new rule, a draft. NotFound without the unit; ResourceExists; what `require_sound` finds."""
    owner = own_department(tx, earning_rule.department_id, "earning_rule.department")
    rule = earning_rule.rule(earning_rule_id, owner, tx.now)
    tx.require_owner(rule)
    await require_possible(tx, rule)
    created = fact_of(EarningRuleCreated, rule)
    await create_version(tx, store.EARNING_RULE, store.INSERT_EARNING_RULE, rule, created)
    return rule


async def update_earning_rule(
    tx: Transaction, *, earning_rule_id: str, etag: str, changes: Changes[RuleTerms]
) -> ShownRule:
    """Keep the next version, a draft. What is the same is none. What `require_sound` finds."""
    rule = await owned_version(tx, EARNING_RULE, store.EARNING_RULE, earning_rule_id, etag=etag)
    if updated := rule.update(changes):
        await require_possible(tx, rule)
        await save(tx, store.INSERT_EARNING_RULE, rule, updated)
    return await _shown(tx, rule)


async def activate_earning_rule(
    tx: Transaction, *, earning_rule_id: str, effective_time: datetime | None, etag: str
) -> ShownRule:
    """Put the latest version in force. What `require_sound` finds: contracts may have gone since."""
    rule = await owned_version(tx, EARNING_RULE, store.EARNING_RULE, earning_rule_id, etag=etag)
    await require_possible(tx, rule)
    return await _become(tx, rule, RuleState.ACTIVE, effective_time)


async def end_earning_rule(
    tx: Transaction, *, earning_rule_id: str, effective_time: datetime | None, etag: str
) -> ShownRule:
    """Put a rule out of force. FailedPrecondition `RULE_ENDED`."""
    rule = await owned_version(tx, EARNING_RULE, store.EARNING_RULE, earning_rule_id, etag=etag)
    return await _become(tx, rule, RuleState.ENDED, effective_time)


async def _become(tx: Transaction, rule: EarningRule, state: RuleState, at: datetime | None) -> ShownRule:
    """A moment that is over is now: nothing that was recorded is reckoned again."""
    updated = rule.become(state, max(at or tx.now, tx.now))
    await save(tx, store.INSERT_EARNING_RULE, rule, updated)
    return await _shown(tx, rule)


async def _shown(tx: Transaction, rule: EarningRule) -> ShownRule:
    """As the transaction leaves it."""
    active = await store.ACTIVE_VERSIONS.all(tx, ids=[rule.id], at=tx.now)
    return ShownRule(**values(rule), active_version=active[0]["version"] if active else 0)


async def require_possible(on: Executor, rule: EarningRule) -> None:
    """What `require_sound` refuses, and a unit that there is not: NotFound."""
    require_sound(rule)
    await found(on, UNIT, GET_UNIT, rule.program_id, rule.unit_id)
