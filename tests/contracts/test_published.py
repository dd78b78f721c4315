"""The recorded samples are like what services publish when every RPC is called: nothing is invented."""

import re
from importlib import import_module
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from chassis.events.registry import events
from deploy.services import TELLING as SERVICES
from rapport_tools.cli import contracts
from tests.contracts.record import recorded
from tests.contracts.test_bad_input import methods, path_to
from tests.contracts.valid import REQUESTS, learn, prepare, request_of

# What no RPC alone brings about: it takes time, another service, a mail server or what is under way.
BROUGHT_ABOUT_OTHERWISE = {
    "GoodwillRequestExpired", "RedemptionExpired", "PointsExpiring", "VoucherExpired",
    "TierUpgraded", "TierDowngraded", "TierDowngradeExpected",
    "CustomerConverted", "CustomerDeleted",
    "PromiseBroken", "PromiseRecovered", "ClockBreached", "ClockUpdated", "ClockWarned",
    "EscalationCancelled", "EscalationRaised",
    "MatchCandidateCreated", "MatchParametersActivated", "MatchParametersCreated",
    "NoticeSuppressed", "NoticeSent", "NoticeDelivered", "NoticeUnknown", "NoticeFailed",
    "NoticeCallRequested", "NoticeJobEnded",
}  # fmt: skip


def form(text: str) -> str:
    """What kind of text it is: a resource name by its collections, a code by its case, or words."""
    if re.fullmatch(r"[a-z][A-Za-z]*/.+", text):
        return "/".join(part if i % 2 == 0 else "*" for i, part in enumerate(text.split("/")))
    if re.fullmatch(r"[A-Z][A-Z0-9_]*", text):
        return "UPPER_CODE"
    return "code" if re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", text) else "words"


def forms(message: Message) -> dict[str, set[str]]:
    """The forms of the texts that a message holds, by field."""
    return {
        field.name: {form(text) for text in ([value] if isinstance(value, str) else value)}
        for field, value in message.ListFields()
        if field.type == field.TYPE_STRING
    }


@pytest.mark.parametrize("name", SERVICES)
async def test_samples_have_the_form_of_what_a_run_of_every_rpc_publishes(
    start: Any, issuer: Any, peers: dict[str, str], name: str
) -> None:
    running = await start(import_module(f"{name}.service").service, peers=peers, smtp_host="127.0.0.1")
    await prepare(name, running.db)
    metadata = [("authorization", f"Bearer {issuer.token()}")]
    by_name = {method.name: method for method in methods(name) if not method.server_streaming}
    known: dict[str, str] = {}
    async with grpc.aio.insecure_channel(running.address) as channel:
        for short, fields in REQUESTS[name]:
            if (method := by_name.get(short)) is None:
                continue
            request = request_of(contracts.message_class(method.input_type), fields, known)
            call = channel.unary_unary(path_to(method))
            answer = await call(request.SerializeToString(), timeout=10, metadata=metadata)
            learn(short, contracts.message_class(method.output_type).FromString(answer), known)
    published = await running.published()
    unlike = {}
    for fact in published:
        samples = [forms(type(fact.data).FromString(path.read_bytes())) for path in recorded(fact.type)]
        for field, found in forms(fact.data).items():
            if not found <= set().union(*(sample.get(field, set()) for sample in samples)):
                unlike[f"{fact.type}.{field}"] = found
    assert unlike == {}
    told = {full.rsplit(".", 1)[1] for full in events() if full.split(".")[1] == name}
    assert told - {fact.type.rsplit(".", 1)[1] for fact in published} <= BROUGHT_ABOUT_OTHERWISE
