"""The customer: names, language, region, and the human who answers for the relationship."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customer.domain.names import customer_name

PROFILE_FIELDS = (
    "display_name",
    "given_name",
    "family_name",
    "organization_name",
    "language_code",
    "time_zone",
    "region_code",
)


@dataclass(slots=True)
class Customer:
    """A person or organisation. `display_name` is empty unless somebody chose one: see `shown_name`."""

    id: UUID
    display_name: str
    given_name: str
    family_name: str
    organization_name: str
    language_code: str
    time_zone: str
    region_code: str
    relationship_manager: str
    create_time: datetime
    update_time: datetime
    version: int

    @property
    def name(self) -> str:
        """`customers/{uuid}`."""
        return customer_name(self.id)

    @property
    def shown_name(self) -> str:
        """What people call the customer."""
        return self.display_name or self._derived_name()

    def change(self, values: Mapping[str, str], now: datetime) -> list[str]:
        """Set profile fields; returns those that changed, in the order of `PROFILE_FIELDS`.

        A display name that says what the other names say, or said until now, is not kept, so that it follows
        them when they change: a client that sends back what it read does not freeze it, not even together
        with another name. To keep the name of before is a choice that is made in a call of its own.
        """
        derived = () if self.display_name else (self._derived_name(),)
        before = {field: getattr(self, field) for field in PROFILE_FIELDS}
        for field, value in values.items():
            setattr(self, field, value)
        if self.display_name in (*derived, self._derived_name()):
            self.display_name = ""
        changed = [field for field in PROFILE_FIELDS if getattr(self, field) != before[field]]
        if changed:
            self.touch(now)
        return changed

    def assign(self, relationship_manager: str, now: datetime) -> bool:
        """Name the human who answers for the relationship; False when it is them already."""
        if relationship_manager == self.relationship_manager:
            return False
        self.relationship_manager = relationship_manager
        self.touch(now)
        return True

    def touch(self, now: datetime) -> None:
        """Count a change."""
        self.version += 1
        self.update_time = now

    def _derived_name(self) -> str:
        return " ".join(filter(None, (self.given_name, self.family_name))) or self.organization_name


def new_customer(
    customer_id: UUID, profile: Mapping[str, str], relationship_manager: str, now: datetime
) -> Customer:
    """A customer at version 1. What `profile` leaves out is empty; language is `en`, time zone `UTC`."""
    chosen = {field: profile.get(field, "") for field in PROFILE_FIELDS}
    customer = Customer(
        id=customer_id,
        **{
            **chosen,
            "language_code": chosen["language_code"] or "en",
            "time_zone": chosen["time_zone"] or "UTC",
        },
        relationship_manager=relationship_manager,
        create_time=now,
        update_time=now,
        version=1,
    )
    if customer.display_name == customer._derived_name():
        customer.display_name = ""
    return customer
