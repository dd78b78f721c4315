"""The people of a local stack, who sign in with a click. In production the identity provider has them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in: `agents/{id}`, with one of `roles.ROLES`, of `departments/{department}`."""

    id: str
    name: str
    role: str
    department: str
    does: str  # what they are there for


PEOPLE = {
    person.id: person
    for person in (
        Person("alice", "Alice", "agent", "front-desk", "Talks with customers: cases, promises, goodwill."),
        Person(
            "sam", "Sam", "supervisor", "front-desk", "Supervises: every department's cases and promises."
        ),
        Person("rita", "Rita", "relations", "relations", "Manages relationships: whose customer who is."),
        Person("dora", "Dora", "department", "delivery", "Works on delivery's items, and writes its part."),
        Person("bill", "Bill", "department", "billing", "Works on billing's items, as in the demo."),
        Person("nils", "Nils", "sre", "platform", "Runs the services: backlogs, dead letters, traces."),
        Person("ada", "Ada", "admin", "platform", "May do everything."),
    )
}
