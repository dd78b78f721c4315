"""What the pages say of topics and of what departments have to know of work."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chassis.api.messages import value_name
from desk.auth.sessions import Viewer
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.topic_pb2 import Topic

WRITE = "cases.topics.write"


@dataclass(frozen=True)
class Line:
    """A topic, below the one above it."""

    name: str  # `topics/{topic}`
    title: str
    depth: int  # how many are above it
    department: str
    owner: str  # who owns cases about it where nobody says so; empty: who the one above it says
    has_left: bool  # that owner serves customers no more
    harm: str
    skills: str
    may: bool  # whether the viewer may change it


@dataclass(frozen=True)
class Needed:
    """What a department has to know of a kind of work."""

    department: str
    kind: str
    fields: str


def lines(
    topics: Iterable[Topic], agents: Mapping[str, Agent], viewer: Viewer, say: Speech
) -> Sequence[Line]:
    """Every topic, each after the one above it; by what they are called."""
    listed = sorted(topics, key=lambda each: each.display_name.casefold())
    return [_line(each, depth, agents, viewer, say) for each, depth in _tree(listed)]


def _tree(topics: Sequence[Topic]) -> Iterator[tuple[Topic, int]]:
    """Depth first. One whose topic above is not among them is at the top."""
    names = {each.name for each in topics}
    below: dict[str, list[Topic]] = {}
    for each in topics:
        below.setdefault(each.parent_topic if each.parent_topic in names else "", []).append(each)

    def walk(above: str, depth: int) -> Iterator[tuple[Topic, int]]:
        for each in below.get(above, ()):
            yield each, depth
            yield from walk(each.name, depth + 1)

    return walk("", 0)


def _line(each: Topic, depth: int, agents: Mapping[str, Agent], viewer: Viewer, say: Speech) -> Line:
    owner = agents.get(each.default_owner)
    harm = value_name(each, "default_harm")
    return Line(
        each.name,
        each.display_name,
        depth,
        say.named(each.department),
        (owner.display_name if owner else words.last(each.default_owner)),
        owner is not None and owner.inactive,
        say.code(f"harm-{words.spoken(harm)}") if harm else "",
        ", ".join(say.code(skill) for skill in each.required_skills),
        viewer.may_change(WRITE, each.department),
    )


def needed(departments: Iterable[Department], say: Speech) -> Sequence[Needed]:
    """What departments have to know of work, by what they declared."""
    return [
        Needed(
            say.named(each.name),
            say.titled(kind.kind),
            ", ".join(field.display_name or say.code(field.field) for field in kind.required_fields),
        )
        for each in departments
        for kind in each.work_kinds
        if kind.required_fields
    ]
