"""What a notice of each type must say, whoever writes its template."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chassis.errors import FailedPrecondition
from notifications.names import DEPARTMENT, TEMPLATE, TEXT

OTHER = "other"  # the reason for which a template has words when it has none for the real one
SERVICE = "purposes/service"  # which every installation begins with, and what is seeded is for

# Variables every template may use. The platform fills in those of the text and of people, the sender gives
# the rest.
OF_TEXT = frozenset({"apology", "next_step"})
# Where its reader goes on: their own pages, and the way out of its purpose. Made as it is sent, kept nowhere.
PAGES_LINK, UNSUBSCRIBE_LINK = "pages_link", "unsubscribe_link"
LINKS = frozenset({PAGES_LINK, UNSUBSCRIBE_LINK})
COMPANY_NAME = "company_name"  # who we are to customers
PLATFORM = OF_TEXT | LINKS | {COMPANY_NAME, "customer_name", "contact_name", "contact_reach"}
DATES = frozenset({"old_date", "new_date"})
# A consent's name, told as the address where its customer confirms it; and its purpose, told as it is called.
CONFIRM_LINK, CONFIRM_PURPOSE = "confirm_link", "confirm_purpose"
SENDER = frozenset({"reason", "reference", CONFIRM_LINK, CONFIRM_PURPOSE}) | DATES
STANDARD = PLATFORM | SENDER


class Type(StrEnum):
    """What a template is for."""

    DELAY = "DELAY"
    INFORMATION = "INFORMATION"
    BAD_NEWS = "BAD_NEWS"  # what the customer would rather not hear
    PARTIAL = "PARTIAL"  # never sent: its texts stand in others


class TextState(StrEnum):
    """Whether a version of a text may be sent."""

    DRAFT = "DRAFT"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


# How often a notice may be handed over again after an answer was lost: being told of a delay twice is better
# than not at all, which cannot be said of a receipt.
REPEATS = {Type.DELAY: 1, Type.INFORMATION: 0, Type.BAD_NEWS: 0, Type.PARTIAL: 0}

REQUIRED: dict[Type, tuple[str, ...]] = {
    Type.DELAY: ("apology", "reason", "new_date", "contact_name", "contact_reach"),
    Type.INFORMATION: ("contact_name",),
    # What a delay says, and what happens next in place of a date.
    Type.BAD_NEWS: ("apology", "reason", "next_step", "contact_name", "contact_reach"),
    Type.PARTIAL: (),
}


@dataclass(slots=True)
class Template:
    """What one kind of notice says, in any number of languages."""

    id: str
    type: Type
    purpose: str  # what its notices are for, `purposes/{purpose}`
    department_id: str
    default_language_code: str  # the language for customers in whose language there is no text
    variables: dict[str, bool]  # its own, each with whether its values are never personal
    create_time: datetime
    update_time: datetime
    version: int = 1
    urgent: bool = False  # about safety: sent when the customer wants quiet, too
    review_required: bool = False  # a second person approves each version of its texts; once it is, it stays
    essential: bool = False  # whether its purpose is of what customers have of us, which they cannot stop

    name = TEMPLATE.named("id")
    department = DEPARTMENT.named("department_id")  # whose words these are

    @property
    def must_say(self) -> tuple[str, ...]:
        """What each of its texts says, whatever is given; of links those that there are."""
        said = REQUIRED[self.type]
        stays = self.type == Type.PARTIAL or self.essential
        return said if stays else (*said, UNSUBSCRIBE_LINK)

    def undeclared(self, used: Set[str]) -> list[str]:
        """The variables in use that are neither standard nor declared."""
        if self.type == Type.PARTIAL:  # what every text is given, and no other
            return sorted(used - PLATFORM | used & OF_TEXT)
        return sorted(used - STANDARD - self.variables.keys())

    def to_give(self, used: Set[str]) -> list[str]:
        """The variables that whoever sends it gives."""
        return sorted((used - PLATFORM) | self.variables.keys())

    def tells_promises(self, used: Set[str]) -> bool:
        """Whether it is a delay, or tells any date of a promise, whichever a sender names or not."""
        return self.type == Type.DELAY or not DATES.isdisjoint(used)

    def policies_only(self, used: Set[str]) -> bool:
        """Whether it tells that, or a link to confirm something.

        Policies see to it that it is the date that the promise has, also at the moment of sending, and the
        link of who said yes. Who could give it by hand could tell an untrue one in our words.
        """
        return self.tells_promises(used) or CONFIRM_LINK in used

    def impersonal(self, given: Mapping[str, str]) -> dict[str, str]:
        """What a sender gave that is never personal."""
        return {
            name: value for name, value in given.items() if name in SENDER or self.variables.get(name, False)
        }


@dataclass(slots=True)
class TemplateInLanguages(Template):
    """A template, and what its texts make of it."""

    language_codes: list[str] = field(default_factory=list)  # their languages, BCP 47
    sources: list[str] = field(
        default_factory=list
    )  # of those that use what a sender gives, all that they say
    includers: list[str] = field(default_factory=list)  # of a partial: the ids of the templates it stands in


@dataclass(slots=True)
class Text:
    """One version of the words of a template in one language, BCP 47: in lower-case as its name has it."""

    template_id: str
    language: str
    language_code: str
    version: int
    subject: str
    body: str
    apology: str
    reasons: dict[str, str]
    create_time: datetime
    mjml: str = ""  # the same in MJML; or empty, and what is sent is plain text alone
    next_step: str = ""  # the sentence that says what happens next
    state: TextState = TextState.APPROVED
    author: str = ""  # `agents/ada`, who wrote this version; "" of what came with the first start
    # Who approved or rejected it, when, and what they noted: empty while nobody has, and where nobody had to.
    reviewer: str = ""
    review_time: datetime | None = None
    review_note: str = ""

    name = TEXT.named("template_id", "language")

    def written(self, author: str, at: datetime, review_required: bool) -> None:
        """It is a new version now; a draft where a second person has to approve it."""
        self.state = TextState.DRAFT if review_required else TextState.APPROVED
        self.author, self.create_time = author, at
        self.reviewer, self.review_time, self.review_note = "", None, ""

    def review(self, state: TextState, reviewer: str, authors: Set[str], at: datetime, note: str) -> None:
        """Approve or reject a draft. `authors` wrote it, and the versions since the one that is sent.

        FailedPrecondition `TEXT_REVIEWED`, and `OWN_TEXT` for one of them.
        """
        about = {"resource": self.name, "state": str(self.state)}
        if self.state != TextState.DRAFT:
            told = f"{self.name} is {self.state}; what is a DRAFT is approved or rejected, once."
            raise FailedPrecondition("TEXT_REVIEWED", told, about)
        if state == TextState.APPROVED and reviewer in authors:
            told = (
                f"{self.name} was written by {', '.join(sorted(authors))}; somebody else has to approve it."
            )
            raise FailedPrecondition("OWN_TEXT", told, {"resource": self.name})
        self.state, self.reviewer, self.review_time, self.review_note = state, reviewer, at, note

    def words_for(self, reason: str) -> str:
        """The words for a reason code, or those for OTHER."""
        return self.reasons.get(reason) or self.reasons.get(OTHER, "")

    def missing_parts(self, of: Template, used: Set[str], further: Sequence[str] = ()) -> list[str]:
        """The parts that its template, or who sends it, needs and it lacks, by name; `reasons.OTHER` too."""
        missing = [part for part in dict.fromkeys((*of.must_say, *further)) if part not in used]
        own = sorted(OF_TEXT & {*of.must_say})
        missing += [f"the text of {part}" for part in own if not getattr(self, part).strip()]
        if "reason" in of.must_say and not self.reasons.get(OTHER, "").strip():
            missing.append(f"reasons.{OTHER}")
        return missing

    def says(self, of: Template) -> dict[str, str]:
        """What it says of its own, by variable: what its template declares is the sender's."""
        return {part: getattr(self, part) for part in OF_TEXT - of.variables.keys()}
