"""Why a notice is not sent, not yet, or goes on to another channel: every code that a notice can have."""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A code, and its words."""

    words: str

    def __new__(cls, code: str, words: str) -> Self:
        made = str.__new__(cls, code)
        made._value_, made.words = code, words
        return made

    # What the customer allows, as the customer service says it: for good, or not yet.
    CONSENT_DENIED = "consent-denied", "the customer does not allow it"
    SUPPRESSED = "suppressed", "nothing is sent to the customer's address any more"
    NO_ADDRESS = "no-address", "no address of the customer is known"
    QUIET_HOURS = "quiet-hours", "the customer wants quiet at this hour"
    PAUSED = "paused", "the customer wants a pause"
    NOT_ALLOWED = "not-allowed", "the customer service does not allow it, for a reason that is not known here"
    CUSTOMER_NOT_FOUND = "customer-not-found", "there is no such customer"
    CONTACT_PRESSURE = "contact-pressure", "the customer has been sent enough by all departments for now"

    # It waits.
    PROVIDER_AWAY = "provider-unavailable", "whoever hands it over takes nothing from us at the moment"
    PROVIDER_BUSY = "provider-busy", "whoever hands it over has as much to do as it takes from us"
    SCHEDULED = "scheduled", "it is not yet the hour for it where the customer lives"
    CALL_FIRST = (
        "call-first",
        "a person is to tell the customer first; it follows when they have, or nobody did",
    )
    TOO_LATE = "too-late", "when it can be sent the promise is over, so that a person is to tell the customer"

    # An attempt was made in vain, and another follows. Beside these: what others answer, by their own code.
    NO_CONTACT_PERSON = "no-contact-person", "nobody is there to sign it"
    PURPOSE_NOT_FOUND = "purpose-not-found", "nobody has created the purpose of its template"
    PROMISE_BEHIND = "promise-behind", "the cases service does not know yet what was heard of the promise"
    NO_CONSENT = "no-consent", "it asks to confirm a consent, and names none of this customer"
    NO_CUSTOMER_PAGES = "no-customer-pages", "the installation has no pages where a customer could confirm"
    TEXT_TOO_LONG = "text-too-long", "it takes more text messages than are allowed"
    NO_CONNECTION = "no-connection", "the provider could not be reached"

    # It is not sent: there is nothing to say any more.
    EXPIRED = "expired", "it was of no more use when it could first be sent"
    PROMISE_ENDED = "promise-ended", "the promise had ended before it could be sent"
    PROMISE_RECOVERED = (
        "promise-recovered",
        "the promise was expected to be kept in time again before it could be sent",
    )
    PROMISE_AT_RISK = "promise-at-risk", "the promise was at risk again before it could be sent"
    ALREADY_TOLD = "already-told", "the same was told, or tried to be told, before"
    SUPERSEDED = "superseded", "something newer happened before it could be sent"
    DATE_CHANGED = "date-changed", "the date of the customer that it was about is another by now, or none"
    CAUSE_GONE = "cause-gone", "what it was to tell had come to nothing before it could be sent"
    TOO_MANY = (
        "too-many-notices",
        "its policy had told the customer so much within a day that something is wrong with it",
    )
    POLICY_OFF = (
        "policy-off",
        "its policy was switched off, deleted, or tells of birthdays otherwise by now",
    )
    TAKEN_BACK = "taken-back", "it was taken back before it was sent"

    # It was tried, and came to nothing.
    CHANNEL_NOT_SERVED = "channel-not-served", "nobody sends on a channel by which it may go"
    GAVE_UP = "gave-up", "no attempt succeeded while it was of use"
    REFUSED = "refused", "the provider refused it for good"
    INVALID_ADDRESS = "invalid-address", "the customer's address is none"
    NEEDS_SMTPUTF8 = "address-needs-smtputf8", "the mail server cannot write to the customer's address"
    NOT_REPEATABLE = "not-repeatable", "what was handed over before could not be said again in the same words"
    BOUNCED = "bounced", "the provider accepted it and could not deliver it"
    NOT_DELIVERED = "not-delivered", "nobody reports that it arrived"
    OUTCOME_UNKNOWN = "outcome-unknown", "the provider's answer was lost"

    @classmethod
    def of(cls, code: str, otherwise: Self) -> Self:
        """The one of that code; `otherwise` for what others say, who may know more codes than these."""
        return next((each for each in cls if each == code), otherwise)


# What it says need not be said.
MOOT = (
    Reason.PROMISE_ENDED,
    Reason.PROMISE_RECOVERED,
    Reason.PROMISE_AT_RISK,
    Reason.ALREADY_TOLD,
    Reason.SUPERSEDED,
    Reason.CAUSE_GONE,
    Reason.DATE_CHANGED,
)
