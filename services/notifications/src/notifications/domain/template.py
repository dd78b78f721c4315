"""What a notice of each kind must say, whoever writes its template."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

OTHER = "other"  # the reason for which a template has words when it has none for the real one
SERVICE = "purposes/service"  # of all that is part of what the customer has of us, such as a promise

# Variables every template may use. The platform fills in the first, the sender gives the second.
PLATFORM = frozenset({"customer_name", "apology", "contact_name", "contact_reach"})
DATES = frozenset({"old_date", "new_date"})
SENDER = frozenset({"reason", "reference"}) | DATES
STANDARD = PLATFORM | SENDER


class Kind(StrEnum):
    """What a template is for."""

    DELAY = "DELAY"
    INFORMATION = "INFORMATION"


# How often a notice may be handed over again after an answer was lost: being told of a delay twice is better
# than not at all, which cannot be said of a receipt.
REPEATS = {Kind.DELAY: 1, Kind.INFORMATION: 0}

REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.DELAY: ("apology", "reason", "new_date", "contact_name", "contact_reach"),
    Kind.INFORMATION: ("contact_name",),
}


@dataclass(slots=True)
class Template:
    """One version of the words of one kind of notice, in one language.

    Attributes:
        purpose: what its notices are for, `purposes/{purpose}`: the same in every version.

    """

    id: str
    version: int
    kind: Kind
    purpose: str
    language_code: str
    subject: str
    body: str
    apology: str
    reasons: dict[str, str]
    variables: list[str]
    department_id: str
    create_time: datetime

    @property
    def name(self) -> str:
        """The resource name."""
        return f"templates/{self.id}"

    @property
    def department(self) -> str:
        """`departments/{department}` whose words these are."""
        return f"departments/{self.department_id}"

    def words_for(self, reason: str) -> str:
        """The words for a reason code, or those for OTHER."""
        return self.reasons.get(reason) or self.reasons.get(OTHER, "")

    def missing_parts(self, used_in_body: Set[str], further: Sequence[str] = ()) -> list[str]:
        """The parts that its kind, or who sends it, needs and it has not, by name; `reasons.OTHER` too."""
        missing = [
            part for part in dict.fromkeys((*REQUIRED[self.kind], *further)) if part not in used_in_body
        ]
        if self.kind == Kind.DELAY:
            if not self.apology.strip():
                missing.append("the text of apology")
            if not self.reasons.get(OTHER, "").strip():
                missing.append(f"reasons.{OTHER}")
        return missing

    def undeclared(self, used: Set[str]) -> list[str]:
        """The variables in use that are neither standard nor declared."""
        return sorted(used - STANDARD - set(self.variables))

    def to_give(self, used: Set[str]) -> list[str]:
        """The variables that whoever sends it has to give."""
        return sorted((used - PLATFORM) | set(self.variables))
