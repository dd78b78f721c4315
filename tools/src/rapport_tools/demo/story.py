"""The story in four acts. Each is a file of `acts`, and a trace."""

from dataclasses import dataclass, field
from typing import Any

from chassis.telemetry import tracing
from rapport.common.v1 import explanation_pb2
from rapport_tools.demo.acts import broker, call, departments, slip
from rapport_tools.demo.stage import Act, LeftOut, Stage

ACTS = [slip.ACT, departments.ACT, broker.ACT, call.ACT]


@dataclass
class Played:
    """What an act led to."""

    title: str
    names: dict[str, str | list[str]]  # of resources, by what they are
    refusals: list[str]  # the reasons, in order
    trace_id: str = ""
    left_out: str = ""  # why it was not played


@dataclass
class Outcome:
    """What the story led to: what became of the first act's promise, and why; and each act."""

    customer: str = ""
    case: str = ""
    promise: str = ""
    notices: list[str] = field(default_factory=list)
    goodwill: str = ""
    trace_id: str = ""
    explain: explanation_pb2.Explanation = field(default_factory=explanation_pb2.Explanation)
    acts: list[Played] = field(default_factory=list)


@dataclass
class Story(Stage):
    """The story of one customer.

    Without a customer it makes one: what one may get in goodwill within a month is limited, and the story can
    be told any number of times.
    """

    _acts: list[Played] = field(default_factory=list, init=False)

    def run(self) -> Outcome:
        """Play the first act alone, for whoever needs a promise that slipped."""
        self.play(slip.ACT)
        return self.outcome()

    def play(self, act: Act) -> Played:
        """Play one act and wait for its end. The first comes first; Failure when one lasts over a minute."""
        self.names, self.refusals = {}, []
        played = Played(act.title, self.names, self.refusals)
        with tracing.work_span("rapport demo", ""):
            played.trace_id = tracing.trace_id(tracing.traceparent())
            try:
                act.play(self)
            except LeftOut as why:
                played.left_out = str(why)
        self._acts.append(played)
        return played

    def outcome(self) -> Outcome:
        """What it has led to so far, the first act at least."""
        first = self._acts[0]
        names: dict[str, Any] = first.names
        explained = slip.explain(self, names["notices"][0])
        return Outcome(self.customer, **names, trace_id=first.trace_id, explain=explained, acts=self._acts)
