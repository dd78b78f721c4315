"""What a contact is for, what makes it lawful, and whether it is welcome before a customer says so."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chassis.errors import FailedPrecondition, InvalidArgument, Violation, invalid
from chassis.names import acted
from customer.domain.timeline import Channel
from customer.names import DEPARTMENT, PURPOSE, WORDING, WORDING_VERSION

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?")


class Default(StrEnum):
    """Whether a customer who never said anything may be contacted."""

    ALLOWED = "ALLOWED"
    DENIED = "DENIED"


class LegalBasis(StrEnum):
    """What makes contact for a purpose lawful: article 6(1) of the GDPR."""

    CONSENT = "CONSENT"
    CONTRACT = "CONTRACT"
    LEGAL_OBLIGATION = "LEGAL_OBLIGATION"
    VITAL_INTERESTS = "VITAL_INTERESTS"
    PUBLIC_TASK = "PUBLIC_TASK"
    LEGITIMATE_INTERESTS = "LEGITIMATE_INTERESTS"


_NO_CHOICE = (LegalBasis.CONTRACT, LegalBasis.LEGAL_OBLIGATION, LegalBasis.VITAL_INTERESTS)


@dataclass(slots=True)
class Translation:
    """What a purpose is called and about in a language, BCP 47."""

    language_code: str
    display_name: str
    description: str = ""


@dataclass(slots=True)
class Purpose:
    """What a contact is for."""

    id: str
    display_name: str
    description: str
    department_id: str
    contact_default: Default
    create_time: datetime
    update_time: datetime
    version: int
    legal_basis: LegalBasis | None = None
    category: str = ""  # a code such as `survey`
    double_opt_in_channels: list[Channel] = field(default_factory=list)  # on which a yes has to be confirmed
    essential: bool = False  # of what customers have of us, or a law demands: no link of theirs stops it
    default_language_code: str = ""  # of the wording for who reads none of those that there are, BCP 47
    translations: list[Translation] = field(default_factory=list)

    name = PURPOSE.named("id")
    department = DEPARTMENT.named("department_id")

    def require_lawful(self) -> None:
        """InvalidArgument INVALID_LEGAL_BASIS, INVALID_ESSENTIAL, INVALID_CODE.

        What rests on consent waits for it. What nobody can stop rests on what leaves no choice, and waits
        for no yes.
        """
        wrong = []
        basis, allowed = self.legal_basis, self.contact_default is Default.ALLOWED
        if self.essential and basis not in _NO_CHOICE:
            told = "must be a contract, a legal obligation or vital interests of what is essential"
            wrong.append(Violation("purpose.legal_basis", "INVALID_LEGAL_BASIS", told))
        elif basis is LegalBasis.CONSENT and allowed:
            told = "must not be consent where contact is allowed before somebody consents"
            wrong.append(Violation("purpose.legal_basis", "INVALID_LEGAL_BASIS", told))
        if self.essential and (self.double_opt_in_channels or not allowed):
            told = "must be false where contact waits for a yes"
            wrong.append(Violation("purpose.essential", "INVALID_ESSENTIAL", told))
        languages = [each.language_code.lower() for each in self.translations]
        for i, language in enumerate(languages):
            if language in languages[:i]:
                told = "must be another language than those before it"
                path = f"purpose.translations[{i}].language_code"
                wrong.append(Violation(path, "INVALID_CODE", told))
        if wrong:
            raise InvalidArgument(wrong)

    def require_unsettled(self, legal_basis: LegalBasis | None, category: str) -> None:
        """FailedPrecondition PURPOSE_SETTLED where another legal basis or category is said: each is once."""
        said = {"legal_basis": (self.legal_basis, legal_basis), "category": (self.category, category)}
        if settled := [name for name, (held, other) in said.items() if held and other != held]:
            told = f"{self.name} has its {' and '.join(settled)}: contact of another kind is another purpose."
            raise FailedPrecondition("PURPOSE_SETTLED", told, {"resource": self.name})


@dataclass(slots=True)
class Wording:
    """One version of what a customer is asked to agree to, in one language: in lower-case, `en-gb`."""

    purpose_id: str
    language: str
    version: int
    text: str
    create_time: datetime
    actor: str = ""  # who wrote it; "" of what was written before that was kept

    name = WORDING.named("purpose_id", "language")

    @property
    def author(self) -> str:
        """Who wrote this version, as contracts name them."""
        return acted(self.actor) if self.actor else ""

    @property
    def version_name(self) -> str:
        """The name of this version."""
        return WORDING_VERSION.format(self.purpose_id, self.language, self.version)

    def require_language(self) -> None:
        """InvalidArgument INVALID_CODE for what is no language."""
        if not _LANGUAGE.fullmatch(self.language):
            raise invalid("wording_id", "INVALID_CODE", "must be a language in lower-case like de or en-gb")
