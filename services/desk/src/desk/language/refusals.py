"""What a service refuses with, in the reader's language: services speak English."""

from babel.numbers import format_decimal

from chassis.errors import InvalidArgument, Refusal, Violation
from desk.language.catalogues import N_, SOURCE, Language

# By its reason, when that says enough; else by its code, before the service's own words.
REFUSALS = {
    "DEADLINE_EXCEEDED": N_("The service did not answer in time."),
    "ETAG_MISMATCH": N_("Somebody changed this meanwhile."),
    "IDENTITY_PROVIDER_UNAVAILABLE": N_("The sign-in service does not answer. Try again in a moment."),
    "NOT_OWNER": N_("This belongs to another department."),
    "OVERLOADED": N_("There is too much to do at the moment. Try again in a moment."),
    "PERMISSION_DENIED": N_("You may not do this."),
    "RESOURCE_NOT_FOUND": N_("This is not here, or not any more."),
    "UNAVAILABLE": N_("The service does not answer. Try again in a moment."),
    "ABORTED": N_("Something else happened at the same time. Try again."),
    "ALREADY_EXISTS": N_("This is here already."),
    "FAILED_PRECONDITION": N_("That cannot be done as things are now."),
    "INVALID_ARGUMENT": N_("Something in it is not as it must be."),
    "NOT_FOUND": N_("This is not here, or not any more."),
    "RESOURCE_EXHAUSTED": N_("There is too much to do at the moment. Try again in a moment."),
    "UNAUTHENTICATED": N_("You are signed out."),
    "UNKNOWN": N_("Nobody can tell now whether it was done. Sending it again does it once."),
}
# Of these the values say most: in every language, and to a person rather than to a program.
WORDED = {
    "AGENT_INACTIVE": N_("This colleague serves customers no more: choose somebody else first."),
    "REQUEST_ID_REUSED": N_(
        "This was done already, with what it held then. Send it again only if it is to be done once more."
    ),
    "OVER_AUTHORITY": N_("At most {limit} points may be given to a customer of the value {band}."),
    "OVER_BUDGET.customer": N_("This customer may be given {left} points more for now."),
    "OVER_BUDGET.grantor": N_("You may give {left} points more for now."),
}
SILENT = N_("{service} does not answer. Try again in a moment.")
OTHER = N_("Something is wrong on our side.")
FAULT = N_("Something is wrong on our side. Operations find it by {trace}.")  # a fault of the desk's own
VIOLATIONS = {
    "INVALID_CODE": N_("must be small letters, digits and hyphens, 63 at most"),
    "INVALID_EMAIL": N_("must be an e-mail address"),
    "INVALID_LANGUAGE": N_("must be a language, such as de or en-GB"),
    "INVALID_NUMBER": N_("must be another number"),
    "INVALID_TEXT": N_("must be a text without control characters"),
    "INVALID_TIME": N_("must be a day or time that is allowed here"),
    "INVALID_TIME_ZONE": N_("must be a time zone, such as Europe/Berlin"),
    "REQUIRED": N_("must be given"),
    "TOO_LONG": N_("is too long"),
}


def told(refusal: Refusal, say: Language) -> str:
    """A refusal as its reader understands it. In English a service's own words say most."""
    if worded := _worded(refusal, say):
        return worded
    if say.locale.language == SOURCE.language:
        return refusal.message
    if "trace" in refusal.metadata:
        return say(FAULT, trace=refusal.metadata["trace"])
    if say.has(refusal.message):
        return say(refusal.message)
    if refusal.reason in REFUSALS:
        return say(REFUSALS[refusal.reason])
    if isinstance(refusal, InvalidArgument):
        details = ", ".join(violation(each, say) for each in refusal.violations)
    else:
        details = say(refusal.message)
    return f"{say(REFUSALS.get(refusal.code, OTHER))} ({details})"


def _worded(refusal: Refusal, say: Language) -> str:
    """What the values of a refusal say; empty for most."""
    told = refusal.metadata
    if refusal.reason in ("UNAVAILABLE", "DEADLINE_EXCEEDED") and "service" in told:
        name = told["service"]
        service = say(name)
        return say(SILENT, service=service[:1].upper() + service[1:])
    worded = WORDED.get(refusal.reason) or WORDED.get(f"{refusal.reason}.{told.get('whose', '')}")
    if not worded:
        return ""
    numbers = {
        name: format_decimal(told[name], locale=say.locale) for name in ("limit", "left") if name in told
    }
    band = told.get("band", "").lower()
    return say(worded, **numbers, band=say(band))


def violation(each: Violation, say: Language) -> str:
    """What is wrong with a field: a message of the desk's own, or by the reason of a service's."""
    if say.locale.language == SOURCE.language or say.has(each.description):
        return say(each.description)
    return say(VIOLATIONS.get(each.reason, each.description))
