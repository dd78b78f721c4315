"""Codes and types as people say them in English; `Speech` says them in the reader's language."""

import re

from desk.language.catalogues import N_
from rapport.common.v1.channel_pb2 import Channel

# What a code says when it is not just its words. Codes are open: any other is said by its own words.
CODES = {
    "customer-answer": N_("the customer's answer"),
    "customer-asked": N_("the customer asked for it"),
    "beyond-authority": N_("it cannot be settled alone"),
    "clock-warned": N_("its time is up soon"),
    "clock-breached": N_("its time is up"),
    "another-concern": N_("it is another concern"),
    "reported-twice": N_("it was reported twice"),
    "same-concern": N_("it is the same concern"),
    "not-ours": N_("it is not ours"),
    "harm-none": N_("nothing is wrong for the customer"),
    "harm-inconvenience": N_("it costs the customer time or patience"),
    "harm-loss": N_("it costs the customer money, or a day that they had counted on"),
    "harm-severe": N_("it touches the customer's health, safety, living or good name"),
    "value-gold": N_("they are a gold customer"),
    "value-platinum": N_("they are a platinum customer"),
    "promises-missed": N_("promises to them were missed lately"),
    "bad-news": N_("news that hurts"),
    "undeliverable-notice": N_("a message that did not reach them"),
    "call-customer": N_("call the customer"),
    "customer-reply": N_("look at what the customer said"),
    "call-later": N_("the time to call again"),
    "not-reached": N_("they were not reached"),
    "no-number": N_("no number of theirs works"),
    "never-open": N_("the department has no hours to call again"),
    "refused": N_("their mailbox refuses it"),
    "bounced": N_("it came back"),
    "gave-up": N_("it could not be delivered in time"),
    "cause-gone": N_("what it was about is over"),
    "date-changed": N_("the day is another by now, or nobody knows it any more"),
    "superseded": N_("something newer came"),
    "too-many-notices": N_("they were told of it too often already"),
    "policy-off": N_("its policy was switched off or changed"),
    "contact-pressure": N_("they were sent enough lately"),
    "call-first": N_("a person is to tell them first"),
    "called": N_("a person told them"),
    "not-called": N_("nobody called in time"),
    "no-time-to-call": N_("there was no time to call"),
    "promises-slipped": N_("promises to them moved or were kept late lately"),
    "promise-broken": N_("a promise to them was broken lately"),
    "open-complaint": N_("they wait for an answer to a complaint"),
    "outcome-unknown": N_("nobody knows whether it was delivered"),
    "customer-not-found": N_("there is no such customer"),
    "no-contact-person": N_("nobody is there to sign it"),
    "suppressed": N_("nothing is sent to this address any more"),
    "not-allowed": N_("the customer does not allow it now"),
    "purpose-not-found": N_("nobody has created its purpose"),
    "promise-behind": N_("what was heard of the promise is not known everywhere yet"),
    "no-consent": N_("it names no consent to confirm"),
    "no-customer-pages": N_("customers have no pages where they could confirm"),
    "text-too-long": N_("it is too long for a text message"),
    "no-connection": N_("there was no connection"),
    "address-needs-smtputf8": N_("our mail server cannot write to such an address"),
    "not-repeatable": N_("it could not be said again in the same words"),
    "not-delivered": N_("nobody reports that it arrived"),
    "scheduled": N_("its hour has not come"),
    "carrier-delay": N_("the transport is taking longer than planned"),
    "out-of-stock": N_("it is not in stock"),
    "other": N_("something else"),
    "close": N_("nearly the same"),  # of days
    "apart": N_("their records no longer look alike"),
    "one-already": N_("they were one already"),
    "gone": N_("one of them is no more"),
    "two": N_("others who are linked with them are two"),
    "asked-already": N_("another question is about the same two"),
    "promise-renegotiated": N_("the promised date moved"),
    "ivr": N_("phone menu"),
    "sms": N_("SMS"),
    "email": N_("e-mail"),
    "voice": N_("phone"),
    "app": N_("app"),
    "fax": N_("fax"),
    "in-person": N_("in person"),
    "field-visit": N_("visit"),
    "workItems": N_("work"),
    "reopen_reason_code": N_("why it was opened again"),
    # What forms hold, by the names of their fields.
    "display_name": N_("Display name"),
    "organization_name": N_("Company"),
    "birth_date": N_("Date of birth"),
    "administrative_area": N_("State or province"),
    "legal_name": N_("Registered name"),
    "honorific_prefix": N_("Title"),
    "honorific_suffix": N_("Title after the name"),
    "given_name": N_("First name"),
    "additional_name": N_("Middle name"),
    "family_name": N_("Last name"),
    "lines": N_("Street and house number"),
    "addresses": N_("Addresses"),
    "locality": N_("Town or city"),
    "region_code": N_("Country"),
    "language_code": N_("Language"),
    "required_skills": N_("Skills that it needs"),
    "team": N_("Team"),
    "time_zone": N_("Time zone"),
    "day": N_("Day"),
    "time": N_("Time"),
}
# Codes that are said by their own words, and are in the catalogues.
PLAIN = (
    # channels, and what webhooks are
    *(N_("chat"), N_("web"), N_("social"), N_("letter"), N_("event"), N_("telephony"), N_("web form")),
    # ways to reach somebody
    *(N_("account number"), N_("external id"), N_("device")),
    # departments
    *(N_("front desk"), N_("delivery"), N_("warehouse"), N_("billing"), N_("platform")),
    # services
    *(N_("customer"), N_("loyalty"), N_("notifications"), N_("desk")),
    # kinds and references of promises and work
    *(N_("call back"), N_("refund"), N_("deliver order"), N_("pack order"), N_("refund shipping")),
    *(N_("installation"), N_("repair"), N_("order"), N_("invoice"), N_("receipt")),
    # topics and resolutions
    *(N_("late delivery"), N_("order delivery"), N_("damaged"), N_("complaint"), N_("settled")),
    *(N_("delivered"), N_("refunded"), N_("not settled"), N_("happened again")),
    # reasons
    *(N_("promise broken"), N_("promise at risk"), N_("promise recovered")),
    *(N_("mailbox shared"), N_("mail forwarded"), N_("customer asked")),
    *(N_("money"), N_("item"), N_("repair"), N_("waived fee"), N_("not our mistake"), N_("too much")),
    *(
        N_("another way"),
        N_("promise withdrawn"),
        N_("our mistake"),
        N_("mistake"),
        N_("weather"),
        N_("customer away"),
    ),
    *(N_("customer agreed"), N_("customer cancelled"), N_("consent denied"), N_("no address")),
    *(N_("invalid address"), N_("already told"), N_("taken back"), N_("staff shortage")),
    # why memberships and cards change
    *(N_("card lost"), N_("card stolen"), N_("card damaged"), N_("moved out"), N_("gift")),
    *(N_("correction"), N_("misuse")),
    # how two values agree, and why two are one or two
    *(N_("same"), N_("nickname"), N_("one slip"), N_("alike"), N_("short form"), N_("different")),
    *(N_("part of it"), N_("same region"), N_("day and month swapped"), N_("two slips")),
    *(N_("same mailbox name"), N_("swapped"), N_("namesake"), N_("one household"), N_("twins")),
    N_("parent and child"),
    *(N_("same person"), N_("entered twice"), N_("customer told us"), N_("two persons"), N_("match")),
    # how calls and contacts ended, and why a message reaches nobody
    *(N_("reached"), N_("no answer"), N_("voicemail"), N_("wrong number"), N_("declined")),
    *(N_("feedback"), N_("expired"), N_("too late")),
    # the steps by which it is decided whether a message is sent, what came of them, and what they looked at
    *(N_("measure"), N_("consent"), N_("address"), N_("quiet"), N_("expiry"), N_("promise"), N_("date")),
    *(
        N_("passed"),
        N_("deferred"),
        N_("stopped"),
        N_("quiet hours"),
        N_("paused"),
        N_("urgent"),
        N_("revised"),
    ),
    *(
        N_("unsaid"),
        N_("granted"),
        N_("denied"),
        N_("allowed"),
        N_("default"),
        N_("open time"),
        N_("stop time"),
        N_("stop noter"),
        N_("expire time"),
    ),
    *(N_("count"), N_("most"), N_("time zone"), N_("promise version"), N_("promise ended")),
    *(N_("promise recovered"), N_("promise at risk"), N_("outcome unknown"), N_("preferences")),
    *(N_("pressure"), N_("contact pressure"), N_("exempt")),
    *(N_("case"), N_("category"), N_("category count"), N_("category most"), N_("provider")),
    *(N_("fallback"), N_("call first"), N_("not called"), N_("policy"), N_("policy off")),
    *(N_("provider unavailable"), N_("provider busy"), N_("channel not served"), N_("cause gone")),
    *(N_("notice policy"), N_("version")),
    # how somebody proved how they are reached, and why that is withdrawn
    *(N_("code sent"), N_("called back"), N_("id card"), N_("bounced"), N_("number reassigned")),
    # what is looked for, and kinds of entries
    *(N_("customers"), N_("cases"), N_("promises"), N_("notices"), N_("goodwill"), N_("purchases")),
    *(N_("contacts"), N_("messages"), N_("points")),
    # value bands, and states of promises, cases, work and messages
    *(N_("standard"), N_("silver"), N_("gold"), N_("platinum")),
    *(N_("postal code"), N_("relationship manager"), N_("owner"), N_("department"), N_("kind")),
    *(N_("reference"), N_("topic"), N_("reason"), N_("resolution"), N_("template"), N_("summary")),
    *(N_("amount"), N_("channel"), N_("direction"), N_("purpose"), N_("state"), N_("text")),
    # why work is handed over, or waits
    *(N_("next step"), N_("other department"), N_("supplier")),
    # facts
    *(N_("Agent created"), N_("Agent updated"), N_("Purpose created"), N_("Purpose updated")),
    *(N_("Case assigned"), N_("Case opened"), N_("Case reopened"), N_("Case resolved"), N_("Case updated")),
    *(N_("Promise made"), N_("Promise at risk"), N_("Promise kept")),
    *(N_("Purchase corrected"), N_("Customer value changed")),
)
# What a case is to another, and that to it.
LINKS = {
    "RELATED": (N_("has to do with"), N_("has to do with")),
    "FOLLOWS": (N_("the same again, after"), N_("came up again as")),
    "CAUSED_BY": (N_("brought about by"), N_("brought about")),
    "MERGED_INTO": (N_("is one with, and read there"), N_("is one with")),
    "SPLIT_FROM": (N_("found in"), N_("in it was found")),
}


def spoken(name: str) -> str:
    """The code of a value of an enum: `IN_PERSON` is `in-person`."""
    return name.lower().replace("_", "-")


CHANNELS = {spoken(name): name for name in (each.removeprefix("CHANNEL_") for each in Channel.keys()[1:])}


def said(code: str) -> str:
    """`late-delivery` is said `late delivery`."""
    return CODES.get(code, code.replace("-", " ").replace("_", " "))


def last(name: str) -> str:
    """The last part of a resource's name: `departments/delivery` is `delivery`."""
    return name.rpartition("/")[2]


def split(camel: str) -> str:
    """`PromiseAtRisk` is `Promise at risk`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", camel).lower()
    return words[:1].upper() + words[1:]
