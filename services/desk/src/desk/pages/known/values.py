"""The card that says of each value of a customer where it comes from, and why it stands and not another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chassis.api.messages import moment
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.kinds.customer import CORRECT
from desk.pages.actions.kinds.values import PIN, RELEASE
from desk.pages.actions.offering import offered
from desk.pages.customer.loading import Names
from desk.pages.customer.page import Card
from desk.pages.customer.things import attribute, is_of_profile, value_of
from desk.ui.speech import Speech
from desk.ui.words import last
from rapport.customer.v1.attribute_pb2 import Attribute, AttributeValue, Observation

ZONE = "profile.time-zone"
_RULES: Mapping[int, str] = {
    Attribute.RULE_LATEST: N_("the latest stands"),
    Attribute.RULE_TRUSTED_SOURCE: N_("the most trusted source stands"),
    Attribute.RULE_MANUAL: N_("a person may say which stands"),
}
_STANDS: Mapping[int, str] = {
    AttributeValue.REASON_ONLY: N_("Nobody says otherwise"),
    AttributeValue.REASON_TRUSTED: N_("Its source is the most trusted"),
    AttributeValue.REASON_LATER: N_("It is the latest"),
    AttributeValue.REASON_SURER: N_("It is as late as another, and surer"),
    AttributeValue.REASON_ORDER: N_("Another is as good: the order of sources decides"),
    AttributeValue.REASON_SURVIVOR: N_("It is of the record whose name stayed"),
}
_COMES_AFTER: Mapping[int, str] = {
    AttributeValue.REASON_PINNED: N_("Another is pinned"),
    AttributeValue.REASON_TRUSTED: N_("Its source is trusted less"),
    AttributeValue.REASON_LATER: N_("Older"),
    AttributeValue.REASON_SURER: N_("Less sure"),
    AttributeValue.REASON_ORDER: N_("As good: the order of sources decides"),
    AttributeValue.REASON_SURVIVOR: N_("Of the other record"),
}


def people(values: Iterable[AttributeValue]) -> set[str]:
    """Who recorded or pinned something of these."""
    of = {each.recorder for value in values for each in (value.standing, *value.others)}
    return {*of, *(value.pinner for value in values)}


@dataclass(frozen=True)
class Values:
    """Makes the card, for one viewer."""

    customer: str
    viewer: Viewer
    names: Names
    say: Speech
    zone: Card | None = None  # their time zone, and why it is that, where nobody said one

    def card(self, values: Iterable[AttributeValue], trouble: str) -> Card:
        """Those of the profile first, then departments'; and the time zone, which everybody has."""
        listed = {each.attribute: each for each in values}
        if self.zone and not trouble:
            name = f"{self.customer}/attributeValues/{ZONE}"
            listed.setdefault(f"attributes/{ZONE}", AttributeValue(name=name, attribute=f"attributes/{ZONE}"))
        rows = sorted(listed.values(), key=lambda each: not is_of_profile(each.attribute))
        return Card(
            rows=[self._row(each) for each in rows],
            trouble=trouble,
            acts=offered(self.viewer, self.customer, CORRECT) if rows else (),
        )

    def _row(self, each: AttributeValue) -> Card:
        pins = each.rule == Attribute.RULE_MANUAL and not is_of_profile(each.attribute)
        actions = [PIN] * pins + [RELEASE] * bool(each.pinner)
        return Card(
            id=last(each.name),
            name=each.name,
            what=attribute(each, self.say),
            stands=self._candidate(each.standing, each) if each.HasField("standing") else self._unsaid(each),
            because=self._because(each),
            rule=self.say(_RULES.get(each.rule, "")),
            others=[self._candidate(other, each) for other in each.others],
            withheld=each.withheld,
            acts=offered(self.viewer, self.customer, *([] if each.withheld else actions), on=each.name),
        )

    def _unsaid(self, each: AttributeValue) -> Card | None:
        return self.zone if last(each.attribute) == ZONE else None

    def _because(self, each: AttributeValue) -> str:
        if each.standing.reason == AttributeValue.REASON_PINNED:
            day = self.say.on(moment(each.pin_time)) if each.HasField("pin_time") else ""
            return self.say("Pinned {day} by {who}", day=day, who=self.names(each.pinner))
        return self.say(_STANDS.get(each.standing.reason, ""))

    def _candidate(self, each: AttributeValue.Candidate, of: AttributeValue) -> Card:
        return Card(
            value=value_of(each.value, of.attribute, self.say),
            by=told_by(each, self.names, self.say),
            because=self.say(_COMES_AFTER.get(each.reason, "")),
        )

    def history(self, observed: Iterable[Observation], value: AttributeValue) -> list[Card]:
        """What was said of one attribute, newest first."""
        return [
            Card(
                when=self.say.short(moment(each.observe_time)),
                exactly=self.say.exactly(moment(each.observe_time)),
                value=value_of(said.value, value.attribute, self.say),
                withheld=said.withheld,
                by=told_by(each, self.names, self.say),
            )
            for each in observed
            for said in each.values
            if said.attribute == value.attribute
        ]


def told_by(each: AttributeValue.Candidate | Observation, names: Names, say: Speech) -> str:
    """Who said it: `web form, billing, Alice Brandt, 3 October, 80% sure`; no source of a person's own."""
    if not each.source:
        return say("nobody is known to have said so")
    source = "" if each.source == last(each.recorder) else say.code(each.source)
    told = [source, say.code(last(each.department)), names(each.recorder)]
    if each.HasField("observe_time"):
        told.append(say.on(moment(each.observe_time)))
    told.append(say("{percent} sure", percent=say.percent(each.confidence)))
    return ", ".join(dict.fromkeys(filter(None, told)))
