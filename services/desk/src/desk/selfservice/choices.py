"""What a customer chooses of contact: purposes and channels as they stand, and what of it was changed."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from babel import Locale

from chassis.api.messages import enum_name, moment
from chassis.zones import places, time_zone
from desk.language.catalogues import CATALOGUES, N_
from desk.pages.actions.kinds.consents import waits
from desk.pages.preferring import CHANNELS
from desk.pages.wordings import Called, called, language_of, version_of
from desk.selfservice.asking import Own
from desk.ui.speech import Speech
from desk.ui.words import last, spoken
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.self_service_link_service_pb2 import (
    ResolveSelfServiceLinkResponse,
    SelfServiceConsent,
)
from rapport.customer.v1.wording_pb2 import Wording

# What every installation begins with, in its catalogues.
FIRST = (N_("Marketing"), N_("Advertising and offers."))
# What pages and messages of the first start are in, each as its readers call it.
LANGUAGES = {code: str(Locale(code).get_display_name()).capitalize() for code in CATALOGUES}


@dataclass(frozen=True)
class Choice:
    """One purpose, and of each channel its field and whether it is welcome."""

    id: str
    called: Called
    channels: Sequence[tuple[str, str, bool, str]]  # code, words, whether it is ticked, what a yes waits for
    welcome: (
        str  # the codes of the channels on which they said yes: what the form had, to tell what is changed
    )
    wording: str = ""  # the version of what they agree to, by its name
    text: str = ""  # what it says
    language: str = ""  # and in which language, BCP 47


def words_of(channel: channel_pb2.Channel.ValueType, say: Speech) -> str:
    """What a channel is called, in a sentence."""
    code = spoken(enum_name(channel_pb2.Channel.DESCRIPTOR, channel))
    return say(CHANNELS[code]) if code in CHANNELS else say.code(code)


def stoppable(purposes: Sequence[Purpose]) -> list[Purpose]:
    """What a customer may stop by a link."""
    return [each for each in purposes if not each.essential]


def choices(
    purposes: Sequence[Purpose],
    wordings: Mapping[str, Wording],
    linked: ResolveSelfServiceLinkResponse,
    say: Speech,
    fields: Mapping[str, str],
    offered: Container[str],
) -> list[Choice]:
    """What can be chosen; of purposes that have one, with the wording that is agreed to.

    Channels that are `offered`, and those by which they said yes: of others nothing is asked or said. What
    `fields` chose otherwise than the form had it stays chosen.
    """
    said = {last(each.name): each for each in linked.consents}
    stopped = linked.preferences.HasField("contact_stop")
    made = []
    for each in stoppable(purposes):
        purpose, channels, welcome = last(each.name), [], []
        for code, words in CHANNELS.items():
            known, typed = said.get(f"{purpose}.{code}"), _typed(fields, purpose, code)
            yes, waits_for = _chosen(each, known, say, stopped)
            if code not in offered and typed is None and not (known and yes):
                continue
            channels.append((code, say(words), yes if typed is None else typed, waits_for))
            welcome += [code] if yes else []
        agreed = _agreed(wordings.get(each.name))
        made.append(Choice(purpose, called(each, say), channels, " ".join(welcome), *agreed))
    return made


def _agreed(wording: Wording | None) -> tuple[str, ...]:
    return (version_of(wording), wording.text, language_of(wording)) if wording else ()


def _chosen(purpose: Purpose, said: Consent | None, say: Speech, stopped: bool) -> tuple[bool, str]:
    """Whether they said yes, or need not; and of a yes that has to be confirmed that it waits for that.

    Who `stopped` everything else has to say it.
    """
    if said is None:
        return not stopped and purpose.contact_default == Purpose.DEFAULT_ALLOWED, ""
    if waits(said, say.now):
        day = say.on(moment(said.confirm_expire_time))
        return True, say("holds once you confirm it, by {day}", day=day)
    return said.state == Consent.STATE_GRANTED, ""


def changed(fields: Mapping[str, str], purposes: Sequence[Purpose]) -> Iterator[SelfServiceConsent]:
    """What was chosen otherwise than the page had it: what nobody touched is not said."""
    for each in stoppable(purposes):
        purpose = last(each.name)
        for code in CHANNELS:
            if (granted := _typed(fields, purpose, code)) is not None:
                agreed = fields.get(f"wording-{purpose}", "") if granted else ""
                yield said(each.name, code, granted=granted, wording=agreed)


def _typed(fields: Mapping[str, str], purpose: str, code: str) -> bool | None:
    """What was chosen, where it is otherwise than the form had it."""
    if (before := fields.get(f"was-{purpose}")) is None:
        return None
    granted = f"want-{purpose}.{code}" in fields
    return None if granted == (code in before.split()) else granted


def said(purpose: str, channel: str, *, granted: bool, wording: str = "") -> SelfServiceConsent:
    """One answer, to a version of a wording."""
    return SelfServiceConsent(
        purpose=purpose,
        channel=channel_pb2.Channel.Value(f"CHANNEL_{channel.upper()}"),
        state=Consent.STATE_GRANTED if granted else Consent.STATE_DENIED,
        wording=wording,
    )


def language(chosen: str, before: Preferences, say: Speech) -> str:
    """The language that they chose; as it was where the page had it already, or it is none of ours."""
    changes = chosen in LANGUAGES and chosen != say.language.locale.language
    return chosen if changes else before.language_code


_UNSAID = {
    Customer.TIME_ZONE_SOURCE_SAID: N_("{zone}, as we noted it"),
    Customer.TIME_ZONE_SOURCE_COUNTRY: N_("{zone}, by your country"),
    Customer.TIME_ZONE_SOURCE_INSTALLATION: N_("{zone}, until you choose yours"),
}


def zones(own: Own) -> Iterator[tuple[str, str]]:
    """What can be chosen: that they say none, first, and where people live."""
    chosen = own.linked.preferences.time_zone
    unsaid = _UNSAID.get(own.linked.time_zone_source)
    yield "", own.say(unsaid, zone=own.linked.time_zone) if unsaid else own.say("not chosen")
    yield from ((each, each.replace("_", " ")) for each in sorted({*places(), *filter(None, [chosen])}))


def zone(chosen: str, before: Preferences) -> str:
    """The time zone that they chose; as it was where it is none."""
    return chosen if not chosen or time_zone(chosen) else before.time_zone
