"""Whose word the fields of a profile are: noted beside them, and kept as an observation, one a change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from chassis import ids
from chassis.db.transaction import Transaction
from customer.domain import provenance
from customer.domain.attributes import Attribute, Observation, teller
from customer.domain.customers import Customer
from customer.store.attributes import INSERT_OBSERVATIONS, PROFILE_ATTRIBUTES

IMPORT = "import"


def calling_source(tx: Transaction) -> str:
    """The source of a caller who names none: the workload that relays a person's call, or whoever calls."""
    principal = tx.call.principal
    return (principal.via or principal).subject.rpartition(":")[2]


def is_person(tx: Transaction) -> bool:
    """Whether a person acts, at a desk perhaps or by their own link, and no system."""
    return tx.call.principal.subject.startswith(("agent:", "customer:"))


@dataclass(slots=True)
class Sayings:
    """What one act says of profiles, by one source."""

    source: str
    origin: str = ""
    observations: list[Observation] = field(default_factory=list)

    def teller(self, tx: Transaction) -> str:
        """Whose word it is, as attributes trust it."""
        return teller(tx.call.principal.department, self.source)

    def note(
        self, tx: Transaction, customer: Customer, before: Mapping[str, str], held: Collection[str] = ()
    ) -> None:
        """Note what a customer says now that it did not say before, and hold these fields against imports."""
        now = provenance.profile(customer)
        changed = [name for name, value in now.items() if value != before.get(name, "")]
        if not changed:
            return
        principal = tx.call.principal
        observation = Observation(
            id=ids.uuid7(tx.now),
            customer_id=customer.id,
            source=self.source,
            department_id=principal.department,
            actor=principal.subject,
            origin=self.origin,
            observe_time=tx.now,
            confidence=1.0,
            contents={provenance.attribute_of(name): now[name] for name in changed},
            create_time=tx.now,
            act_id=tx.id,
        )
        provenance.note(customer, changed, observation.id.hex, self.teller(tx), held)
        self.observations.append(observation)

    async def keep(self, tx: Transaction) -> None:
        """Write them, in one statement."""
        await INSERT_OBSERVATIONS.rows(tx, self.observations)


async def profile_attributes(tx: Transaction) -> dict[str, Attribute]:
    """The attributes of a profile's fields, by field: their rules decide what an import changes."""
    found = await PROFILE_ATTRIBUTES.all(tx)
    return {provenance.field_of(each.id): each for each in found}
