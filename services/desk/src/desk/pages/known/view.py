"""What the page of what is known says: a pure function of what the customer service answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.api.messages import moment
from desk.auth.sessions import Viewer
from desk.pages.actions.kinds.identifiers import SHARE, UNSHARE, VERIFY, WITHDRAW
from desk.pages.actions.kinds.relationships import END, RELATE, REMOVE, is_to
from desk.pages.actions.offering import offered
from desk.pages.customer.loading import Names
from desk.pages.customer.page import Card
from desk.pages.customer.things import handle, zone_because
from desk.pages.known.values import Values
from desk.pages.services import Part, Parts
from desk.ui.speech import Speech
from rapport.customer.v1.attribute_service_pb2 import ListAttributeValuesResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.relationship_pb2 import Relationship
from rapport.customer.v1.relationship_service_pb2 import ListRelationshipsResponse


def title(customer: Customer, say: Speech) -> str:
    return customer.display_name or say("A customer without a name")


def page(customer: Customer, parts: Parts, viewer: Viewer, names: Names, say: Speech) -> dict[str, Card]:
    """The cards of the page by name, of whatever was answered."""
    make = _Maker(customer, parts, viewer, names, say)
    return {
        "identifiers": make.identifiers(),
        "relationships": make.relationships(),
        "values": make.values(),
    }


@dataclass(frozen=True)
class _Maker:
    customer: Customer
    parts: Parts
    viewer: Viewer
    names: Names
    say: Speech

    def _offered(self, *actions: Any, on: str = "") -> Any:
        return offered(self.viewer, self.customer.name, *actions, on=on)

    def identifiers(self) -> Card:
        return Card(rows=[self._identifier(each) for each in self.customer.identifiers])

    def _identifier(self, each: Identifier) -> Card:
        is_proved = each.HasField("verification")
        proof = WITHDRAW if is_proved else VERIFY
        return Card(
            handle=handle(each, self.say),
            system=self.say.titled(each.system) if each.system else "",
            proof=self._proof(each) if is_proved else "",
            acts=self._offered(proof, UNSHARE if each.shared else SHARE, on=each.name),
        )

    def _proof(self, each: Identifier) -> str:
        proved = each.verification
        return self.say(
            "verified {day} by {who}: {how}",
            day=self.say.on(moment(proved.verify_time)),
            who=self.names(proved.verifier),
            how=self.say.code(proved.method),
        )

    def relationships(self) -> Card:
        page = self.parts.of("relationships", ListRelationshipsResponse)
        known = self.parts.of("others", dict[str, Customer])
        rows = [self._relationship(each, known) for each in page.relationships]
        return Card(
            trouble=self._trouble(self.parts["relationships"], self.parts["others"]),
            rows=sorted(rows, key=lambda row: row.is_over),
            more=bool(page.next_page_token),
            acts=self._offered(RELATE),
        )

    def _relationship(self, each: Relationship, known: Mapping[str, Customer]) -> Card:
        """Seen from the customer of the page, whichever of the two they are, by any of their names."""
        mine = known.get(each.customer, Customer(name=each.customer)).name == self.customer.name
        name = each.related_customer if mine else each.customer
        other, is_over = known.get(name), each.HasField("end_time")
        return Card(
            name=each.name,
            what=is_to(each.kind, not mine, self.say),
            other=other.name if other else name,
            who=title(other, self.say) if other else self.say("a customer"),
            role=each.role,
            since=self._when(each),
            is_over=is_over,
            acts=self._offered(*(() if is_over else (END,)), REMOVE, on=each.name),
        )

    def values(self) -> Card:
        listed = self.parts.of("values", ListAttributeValuesResponse).attribute_values
        because = zone_because(self.customer, self.say)
        zone = Card(value=self.customer.effective_time_zone, by=because) if because else None
        made = Values(self.customer.name, self.viewer, self.names, self.say, zone)
        return made.card(listed, self._trouble(self.parts["values"]))

    def _when(self, each: Relationship) -> str:
        say, told = self.say, []
        if each.HasField("start_time"):
            told.append(say("since {day}", day=say.on(moment(each.start_time))))
        if each.HasField("end_time"):
            told.append(say("until {day}", day=say.on(moment(each.end_time))))
        return ", ".join(told)

    def _trouble(self, *parts: Part[Any]) -> str:
        return next((self.say.refusal(each.refusal) for each in _refused(parts)), "")


def _refused(parts: Iterable[Part[Any]]) -> Iterable[Any]:
    return (each for each in parts if each.refusal is not None)
