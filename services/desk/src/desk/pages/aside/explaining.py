"""An explanation as people read it: the reason in words, what it looked at, each step, and what led to it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.api.actors import what
from chassis.api.messages import moment, value_name
from chassis.zones import time_zone
from desk.pages.base import Looking
from desk.pages.customer.entries import who_did
from desk.pages.customer.loading import PAGE_S, Names, named
from desk.pages.customer.things import called, things
from desk.pages.services import ask
from desk.ui import words
from desk.ui.speech import Speech
from rapport.common.v1.explanation_pb2 import Decision, Explanation

_MOMENT = re.compile(r"(?:\bon )?([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: UTC|Z)")
_EXACT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AGENT = re.compile(r"\bagents/[\w-]+")
_NAME = re.compile(
    r"\b(?:agents|departments|services|customers|cases|promises|notices|goodwill|workItems|purchases)/[\w/-]*\w"
)
_CODE = re.compile(r"\(([a-z0-9]+(?:-[a-z0-9]+)+)\)")


async def explained(look: Looking, told: Explanation) -> Mapping[str, Any]:
    """What a page shows of it: `summary`, `rule`, `inputs`, `decisions` and `causes`."""
    say, names = look.say, Names(look.viewer, look.memory)
    agents = {*_AGENT.findall(told.summary), *(each.actor for each in told.causes)}
    asked = named(look.services, told.customer) if told.customer else {}
    parts = await ask(PAGE_S, names=names.learn(look.services, agents, PAGE_S), **asked)
    known = things(parts, say)
    causes = [_cause(each, known, names, say) for each in _told_once(told.causes)]
    rule = say.code(words.last(told.rule)) if told.rule else ""
    if told.rule_version:
        rule = say("{rule}, version {version}", rule=rule, version=told.rule_version)
    inputs = [
        (say.titled(name), _value(value, known, names, say))
        for name, value in sorted(told.inputs.items())
        if value
    ]
    return {
        "summary": _summary(told.summary, known, names, say),
        "rule": rule,
        "inputs": inputs,
        "decisions": [_step(each, known, names, say) for each in told.decisions],
        "causes": causes,
    }


def _told_once(causes: Sequence[Any]) -> Sequence[Any]:
    """Without the requests that say what the fact after them says: newer ones are first."""
    newer = [None, *causes]
    return [
        each
        for after, each in zip(newer, causes, strict=False)
        if not (each.method and after is not None and after.event_type and after.actor == each.actor)
    ]


def _cause(cause: Any, known: Mapping[str, str], names: Names, say: Speech) -> Mapping[str, str]:
    fact = what(cause).replace("/", ".").rpartition(".")[2]
    thing = called(known, cause.resource, fact)
    return {
        "what": f"{say.fact(fact)}: {thing}" if thing else say.fact(fact),
        "who": who_did(cause.actor, "", names, say, fact),
        "when": say.moment(moment(cause.occur_time)),
        "trace": cause.trace_id,
    }


def _step(step: Decision, known: Mapping[str, str], names: Names, say: Speech) -> Mapping[str, Any]:
    """One step of a decision: what was asked, what came of it and why, and what it looked at."""
    return {
        "step": say.titled(step.step),
        "outcome": say.code(value_name(step, "outcome").lower()),
        "reason": say.code(step.reason_code) if step.reason_code else "",
        "inputs": [
            f"{say.code(name.replace('_', '-'))}: {_value(value, known, names, say)}"
            for name, value in sorted(step.inputs.items())
        ],
        "when": say.moment(moment(step.decide_time)) if step.HasField("decide_time") else "",
    }


def _summary(text: str, known: Mapping[str, str], names: Names, say: Speech) -> str:
    """A service's words, with its moments where the reader is, and names and codes as people say them."""
    there = _MOMENT.sub(lambda at: say.moment(datetime.fromisoformat(f"{at[1]}T{at[2]}+00:00")), text)
    called = _NAME.sub(lambda name: _called(name[0], known, names, say), there)
    return _CODE.sub(lambda code: f"({say.code(code[1])})", called)


def _called(name: str, known: Mapping[str, str], names: Names, say: Speech) -> str:
    """What a resource is called; of one that is not known here what it is: ids say nothing to people."""
    if name.startswith("agents/"):
        return names(name)
    collection, _, end = name.partition("/")
    if _UUID.search(name):
        return known.get(name) or say("another of the {things}", things=say.code(collection))
    return say.titled(end) if collection in ("departments", "services") else say.code(words.last(name))


def _value(value: str, known: Mapping[str, str], names: Names, say: Speech) -> str:
    """What the rule looked at, as people say it."""
    if _EXACT.fullmatch(value):
        return say.moment(datetime.fromisoformat(value))
    if time_zone(value):
        return value
    if " " in value:
        return _summary(value, known, names, say)
    return _called(value, known, names, say) if "/" in value else say.code(value)
