"""What opens beside a page.

- `/why?of=promises/...`: the reason in words, the rule, what it looked at, the chain of causes;
- `/notices/{id}/message`: what a message to a customer said;
- `/customers/{id}/identifiers/{id}/reveal`: asks what for, then shows a masked value;
- `/keys`: what each key does, where.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from chassis.api.actors import what
from chassis.api.messages import moment, value_name
from chassis.context import current_call
from chassis.errors import NotFound, invalid
from chassis.zones import time_zone
from desk.language.catalogues import N_
from desk.pages.actions.kinds import ACTIONS
from desk.pages.actions.kinds.notice import rendered
from desk.pages.base import Look
from desk.pages.customer.entries import who_did
from desk.pages.customer.loading import PAGE_S, Names, named
from desk.pages.customer.things import called, things
from desk.pages.services import ask
from desk.ui import words
from desk.ui.speech import Speech
from rapport.common.v1.explanation_pb2 import Decision
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest, GetIdentifierRequest
from rapport.notifications.v1.notice_service_pb2 import GetNoticeRequest

router = APIRouter()
PURPOSES: Mapping[str, str] = {
    "call": N_("I call or write to them now"),
    "identity-check": N_("I make sure that it is them"),
    "correction": N_("It may be wrong"),
    "complaint": N_("They complained"),
}
ACTION_KEYS = {
    each.letter: each.label for each in sorted(ACTIONS.values(), key=lambda each: each.letter) if each.letter
}
# By the page that has it: what is no action on a customer does the like wherever there is such a thing.
KEYS: Mapping[str, Mapping[str, str]] = {
    N_("Everywhere"): {
        "Ctrl K": N_("Find a customer"),
        "Ctrl Enter": N_("Send the form"),
        "Esc": N_("Close what is open, and go back to where you were"),
        "H, ?": N_("All keys"),
    },
    N_("A customer, and my work"): {
        **ACTION_KEYS,
        "C": N_("Call the customer: shows the number"),
        "Q": N_("Take the next"),
        "Z": N_("Undo, while it is offered"),
    },
    N_("Lists"): {"V": N_("Show more")},
    N_("Jobs over many cases"): {
        "L": N_("Find a case, on the page of cases"),
        "Y": N_("See whom it concerns, then do it"),
        "X": N_("Stop it"),
    },
    N_("To assign"): {
        "1-9": N_("Choose the first, second, third..."),
        "L": N_("Look for somebody"),
        "Y": N_("Try again"),
        "X": N_("Drop"),
    },
    N_("Same person?"): {
        "L": N_("Look at the first"),
        "1": N_("They are one person"),
        "2-6": N_("They are two persons, for the reason on the button"),
        "Y": N_("Ask again about two who were said to be two"),
        "V": N_("The next one"),
    },
    N_("A call"): {
        "C": N_("Call the customer: shows the number"),
        "1-6": N_("What became of it, as the button says"),
    },
    N_("Operations"): {
        "1-9": N_("Choose the first, second, third..."),
        "L": N_("Look at what needs somebody first"),
        "Y": N_("Replay"),
        "X": N_("Drop"),
    },
}
_MOMENT = re.compile(r"(?:\bon )?([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: UTC|Z)")
_EXACT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AGENT = re.compile(r"\bagents/[\w-]+")
_NAME = re.compile(
    r"\b(?:agents|departments|services|customers|cases|promises|notices|goodwill|workItems|purchases)/[\w/-]*\w"
)
_CODE = re.compile(r"\(([a-z0-9]+(?:-[a-z0-9]+)+)\)")


@router.get("/why")
async def why(look: Look, of: str) -> Response:
    """The explanation, as a fragment for the panel."""
    told = await look.services.explain(of)
    if told is None:
        raise NotFound(of)
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
    return look.answer(
        "pages/aside/why.html",
        told=told,
        summary=_summary(told.summary, known, names, say),
        rule=rule,
        inputs=inputs,
        decisions=[_step(each, known, names, say) for each in told.decisions],
        causes=causes,
    )


@router.get("/notices/{notice}/message")
async def message(look: Look, notice: str) -> Response:
    """Its subject and text, made of what it was made of. A fragment for the panel."""
    services = look.services
    told = await services.notices.GetNotice(GetNoticeRequest(name=f"notices/{notice}"))
    customer = await services.customers.GetCustomer(GetCustomerRequest(name=told.customer))
    text = await rendered(services, customer, told.template, told.variables, told.language_code)
    sent = look.say.moment(moment(told.send_time)) if told.HasField("send_time") else ""
    is_as_sent = sha256(f"{text.subject}\n\n{text.body}".encode()).hexdigest() == told.content_hash
    is_other = told.content_hash != "" and not is_as_sent
    return look.answer("pages/aside/message.html", text=text, sent=sent, is_other=is_other)


@router.get("/customers/{uuid}/identifiers/{identifier}/reveal")
async def reveal(look: Look, uuid: str, identifier: str) -> Response:
    """What for."""
    action = look.request.url.path
    asked_for = [(code, look.say(told)) for code, told in PURPOSES.items()]
    return look.answer("pages/aside/reveal.html", action=action, purposes=asked_for, value="", href="")


@router.post("/customers/{uuid}/identifiers/{identifier}/reveal")
async def revealed(look: Look, request: Request, uuid: str, identifier: str) -> Response:
    """The value, read for the purpose, which the customer service audits."""
    purpose = str((await request.form()).get("purpose", ""))
    if purpose not in PURPOSES:
        raise invalid("purpose", "INVALID_CODE", f"must be one of {', '.join(PURPOSES)}")
    current_call.set(replace(current_call.get(), purpose=purpose))
    name = f"customers/{uuid}/identifiers/{identifier}"
    found = await look.services.customers.GetIdentifier(GetIdentifierRequest(name=name))
    value = found.normalized_value or found.value
    scheme = {"PHONE": "tel", "EMAIL": "mailto"}.get(value_name(found, "type"), "")
    href = f"{scheme}:{value}" if scheme else ""
    told = {"action": "", "purposes": [], "value": value, "href": href}
    return look.answer("pages/aside/reveal.html", 200, {"X-Form": "1"}, **told)


@router.get("/keys")
async def keys(look: Look) -> Response:
    """All of them: as a fragment for the panel, or as a page."""
    return look.answer(f"pages/aside/{'keys' if look.is_fragment else 'keys_page'}.html", pages=KEYS)


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
