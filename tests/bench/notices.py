"""Notices: what one costs from the event to the mail server, beside a loop that says the same.

The loop renders the same template with the same values, signs it and hands it in, one after another on one
connection. It is told of two: one of the libraries that a script would take, and one of the service's own
functions, against which is left what the service does around them: to decide, to do it once, and to keep and
tell what came of it. The ratios are of processor time.
"""

import functools
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiosmtplib
import dkim
import jinja2
import mjml
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chassis import ids
from chassis.api.addresses import Address
from chassis.events.nats import connect
from chassis.events.provision import provision
from chassis.events.registry import subject_of
from chassis.zones import time_zone
from loyalty.service import service as loyalty
from notifications.channels.message import Mail, Mailbox, compose
from notifications.channels.signing import Signer
from notifications.domain.template import Template, Text, Type
from notifications.service import service as notifications
from notifications.usecases.words import render
from rapport.loyalty.v1.loyalty_events_pb2 import TierUpgraded
from rapport.notifications.v1 import (
    notice_policy_pb2,
    notice_policy_service_pb2,
    template_pb2,
    template_service_pb2,
)
from rapport.notifications.v1.notice_policy_service_pb2_grpc import NoticePolicyServiceStub
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceStub
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually
from tests.bench.events import publish
from tests.bench.notices_around import ESSENTIAL, RECEIVED
from tests.bench.platform import Platform, Started, measured_here
from tests.bench.result import OF_LOOP, Result, median_and_spread

ROUNDS, NOTICES, WARM = 3, 100, 30
LIMIT_S = 240
SUBJECT = "You are {{ tier }} now"
BODY = """\
Dear {{ customer_name }},

Thank you for being with us: from today on you are {{ tier }}. What that means for you is on your own pages. \
You do not need to do anything.

If you would like to talk about it, please turn to me: {{ contact_reach }}. I know about this and will \
help you.

With kind regards,
{{ contact_name }}
"""
MJML = """\
<mjml>
  <mj-head><mj-title>You are {{ tier }} now</mj-title></mj-head>
  <mj-body>
    <mj-section background-color="#f4f4f4"><mj-column>
      <mj-text font-size="20px"><h1>You are {{ tier }} now</h1></mj-text>
    </mj-column></mj-section>
    <mj-section><mj-column>
      <mj-text><p>Dear {{ customer_name }},</p>
        <p>Thank you for being with us: from today on you are {{ tier }}. What that means for you is on your
        own pages. You do not need to do anything.</p></mj-text>
      <mj-button href="https://acme.example/pages">See what that means</mj-button>
      <mj-text><p>If you would like to talk about it, please turn to me: {{ contact_reach }}. I know about
        this and will help you.</p><p>With kind regards,<br />{{ contact_name }}</p></mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>
"""
_DOMAIN, _SELECTOR = "acme.example", "bench"


@dataclass(frozen=True)
class Sender:
    """A notifications service whose policy tells each customer of their new tier, and what is around it."""

    platform: Platform
    service: Started
    around: Started
    smtp_port: int
    key: bytes
    broker: Any

    async def received(self) -> int:
        """How much mail has come so far."""
        call = self.platform.stub(_received, self.around.address)
        return int(await call(b"", timeout=30))

    async def notices(self, count: int) -> tuple[float, float, float]:
        """Tell so many customers. Of each, in us: CPU of the service, of PostgreSQL, and time."""
        target = await self.received() + count
        before = self.service.cpu_s(), postgres_s(self.platform)
        began = time.perf_counter()
        await publish(self.broker, [_upgraded() for _ in range(count)], "loyalty")

        async def done() -> bool:
            return await self.received() >= target and not await self._unpublished()

        await eventually(done, LIMIT_S)
        took_s = time.perf_counter() - began
        after = self.service.cpu_s(), postgres_s(self.platform)
        used = (now - was for now, was in zip(after, before, strict=True))
        service_us, database_us = (1e6 * each / count for each in used)
        return service_us, database_us, 1e6 * took_s / count

    async def _unpublished(self) -> bool:
        async with self.platform.infrastructure.superuser(self.service.database_url) as connection:
            return bool(
                await connection.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)")
            )

    async def loop(self, count: int, message: Callable[[int, bytes], bytes]) -> float:
        """As many messages one after another, in this process. Of each its processor time, in us."""
        smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.smtp_port, use_tls=False, start_tls=False)
        await smtp.connect()
        with measured_here():
            began = time.process_time()
            for number in range(count):
                content = message(number, self.key)
                await smtp.sendmail("care@acme.example", ["maria.anders@example.com"], content)
            used_s = time.process_time() - began
        await smtp.quit()
        return 1e6 * used_s / count


def _received(channel: Any) -> Any:
    return channel.unary_unary(RECEIVED, None, None)


def _given(number: int) -> dict[str, str]:
    return {
        "customer_name": "Maria Anders",
        "contact_name": "Sam Reed",
        "contact_reach": "+49 30 1234 or sam@acme.example",
        "tier": f"gold {number}",
    }


def by_libraries(number: int, key: bytes) -> bytes:
    """The message as a script makes it: Jinja, MJML, the standard library's message, dkimpy."""
    given = _given(number)
    said = EmailMessage(policy=SMTP)
    said["From"], said["To"] = "Acme <care@acme.example>", "Maria Anders <maria.anders@example.com>"
    said["Reply-To"], said["Subject"] = "sam@acme.example", _SUBJECT.render(given)
    said["Date"], said["Message-ID"] = format_datetime(datetime.now(UTC)), f"<{uuid4()}@acme.example>"
    said.set_content(_BODY.render(given))
    said.add_alternative(mjml.mjml2html(_PAGE.render(given)), subtype="html")
    content = said.as_bytes()
    named = [name.lower().encode() for name in said]
    signature = dkim.sign(
        content, _SELECTOR.encode(), _DOMAIN.encode(), key,
        canonicalize=(b"relaxed", b"relaxed"), include_headers=named,
    )  # fmt: skip
    return bytes(signature) + content


def by_our_functions(number: int, key: bytes) -> bytes:
    """The message as the service makes it, and looks at it, by its own functions."""
    care, sam = Address("care@acme.example", False), Address("sam@acme.example", False)
    maria = Mailbox("Maria Anders", Address("maria.anders@example.com", False))
    words = render(_TEMPLATE, _TEXT, _given(number), _ZONE)
    mail = Mail(
        f"<{uuid4()}@acme.example>", Mailbox("Acme", care), maria, sam, words, "en", datetime.now(UTC)
    )
    return _signer(key).sign(compose(mail))


@functools.cache
def _signer(key: bytes) -> Signer:
    return Signer(_DOMAIN, _SELECTOR, key)


_ZONE = time_zone("Europe/Berlin") or UTC
_SUBJECT, _BODY = jinja2.Template(SUBJECT), jinja2.Template(BODY)
_PAGE = jinja2.Template(MJML, autoescape=True)
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
_TEMPLATE = Template(
    "tier", Type.INFORMATION, "purposes/service", "front-desk", "en", {"tier": True}, _BEGUN, _BEGUN
)
_TEXT = Text("tier", "en", "en", 1, SUBJECT, BODY, "", {}, _BEGUN, MJML)


def _upgraded() -> dict[str, Any]:
    at = datetime.now(UTC)
    name = f"programs/main/tierStandings/{uuid4()}"
    fact = TierUpgraded(
        tier_standing=name, customer=f"customers/{uuid4()}", program="programs/main", tier="gold"
    )
    return {
        "id": ids.uuid7(at),
        "subject": subject_of(TierUpgraded),
        "type": fact.DESCRIPTOR.full_name,
        "resource": name,
        "resource_version": 1,
        "data": fact.SerializeToString(),
        "time": at,
        "actor": "service:loyalty",
        "correlation_id": str(uuid4()),
        "causation_id": UUID(int=1),
        "traceparent": "",
    }


@asynccontextmanager
async def sender(platform: Platform, purpose: str = ESSENTIAL) -> AsyncIterator[Sender]:
    """A service with one template and one policy; with mail that is signed, and pages of customers."""
    key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    smtp_port = free_port()
    command = [sys.executable, "-m", "tests.bench.notices_around"]
    around = await platform.process(command, {"BENCH_SMTP_PORT": str(smtp_port)}, core=1)
    await provision(platform.infrastructure.nats_url, loyalty.declaration())
    service = await platform.service(
        notifications,
        peers={"customer": around.address, "cases": around.address},
        RAPPORT_SMTP_PORT=str(smtp_port),
        RAPPORT_SMTP_SECURITY="none",
        RAPPORT_MAIL_FROM="Acme <care@acme.example>",
        RAPPORT_DKIM_DOMAIN=_DOMAIN,
        RAPPORT_DKIM_SELECTOR=_SELECTOR,
        RAPPORT_DKIM_KEY=key.decode(),
        RAPPORT_CUSTOMER_PAGES_URL="https://care.acme.example",
    )
    await _policy(platform, service, purpose)
    broker = await connect(platform.infrastructure.nats_url, "loyalty")
    try:
        yield Sender(platform, service, around, smtp_port, key, broker)
    finally:
        await broker.close()


async def _policy(platform: Platform, service: Started, purpose: str) -> None:
    way_out = "" if purpose == ESSENTIAL else "\n{{ unsubscribe_link }}\n"
    said: dict[str, Any] = {"timeout": 60, "metadata": platform.identity}
    templates = platform.stub(TemplateServiceStub, service.address)
    policies = platform.stub(NoticePolicyServiceStub, service.address)
    template = template_pb2.Template(
        type=template_pb2.Template.TYPE_INFORMATION,
        purpose=purpose,
        default_language_code="en",
        variables=[template_pb2.Template.Variable(name="tier", impersonal=True)],
    )
    await templates.CreateTemplate(
        template_service_pb2.CreateTemplateRequest(template_id="tier", template=template), **said
    )
    mjml = MJML.replace(
        "</p></mj-text>\n    </mj-column>", f"</p><p>{way_out}</p></mj-text>\n    </mj-column>"
    )
    text = template_pb2.TemplateText(subject=SUBJECT, body=BODY + way_out, mjml=mjml if way_out else MJML)
    await templates.CreateTemplateText(
        template_service_pb2.CreateTemplateTextRequest(
            parent="templates/tier", template_text_id="en", template_text=text
        ),
        **said,
    )
    policy = notice_policy_pb2.NoticePolicy(
        event_type=TierUpgraded.DESCRIPTOR.full_name,
        template="templates/tier",
        variables={"tier": "event.tier"},
    )
    await policies.CreateNoticePolicy(
        notice_policy_service_pb2.CreateNoticePolicyRequest(notice_policy_id="tier", notice_policy=policy),
        **said,
    )


def postgres_s(platform: Platform) -> float:
    """The processor time of PostgreSQL, with that of its processes that have ended."""
    server = int((platform.infrastructure.postgres.data / "postmaster.pid").read_text().split()[0])
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = stat.read_text()
        except OSError:  # it has ended
            continue
        fields = told.rpartition(")")[2].split()
        if int(stat.parent.name) == server:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == server:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def notices(platform: Platform) -> list[Result]:
    """Events of a policy to messages at a mail server, and the loops in turns."""
    return [
        *await _of(platform, "notices, event to mail server", ESSENTIAL),
        *await _of(platform, "notices that can be left", "purposes/news"),
    ]


async def _of(platform: Platform, path: str, purpose: str) -> list[Result]:
    """Against a loop by libraries, which has the goal, and against one by our own functions."""
    loops = {"": by_libraries, ", of our functions": by_our_functions}
    ratios: dict[str, list[float]] = {name: [] for name in loops}
    looped: dict[str, list[float]] = {name: [] for name in loops}
    runs = []
    async with sender(platform, purpose) as sending:
        await sending.notices(WARM)
        for message in loops.values():
            await sending.loop(WARM, message)
        for _ in range(ROUNDS):
            for name, message in loops.items():
                looped[name].append(await sending.loop(NOTICES // 2, message))
            runs.append(await sending.notices(NOTICES))
            for name, found in looped.items():
                ratios[name].append(found[-1] / runs[-1][0])
    await platform.clear()
    service_us, database_us, took_us = (statistics.median(each) for each in zip(*runs, strict=True))
    cost = f"{service_us:.0f} us CPU each, PostgreSQL {database_us:.0f}; {1e6 / took_us:.0f}/s"
    results = []
    for name, found in ratios.items():
        middle, spread = median_and_spread(found)
        note = f"{spread}; {cost}; the loop {statistics.median(looped[name]):.0f} us"
        goal = 0.6 if not name and purpose == ESSENTIAL else None
        results.append(Result(path + name, middle, OF_LOOP, goal, None, note))
    return results
