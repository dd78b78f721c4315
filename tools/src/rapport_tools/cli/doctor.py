"""`rapport doctor`: what is wrong with the stack of this home, or in a cluster, and what to do about it."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC

import grpc
import typer

from rapport.common.v1 import states_pb2
from rapport.notifications.v1.notice_job_pb2 import NoticeJob
from rapport.notifications.v1.notice_job_service_pb2 import ListNoticeJobsRequest
from rapport.notifications.v1.notice_job_service_pb2_grpc import NoticeJobServiceStub
from rapport.notifications.v1.provider_pb2 import Provider
from rapport.notifications.v1.provider_service_pb2 import ListProvidersRequest
from rapport.notifications.v1.provider_service_pb2_grpc import ProviderServiceStub
from rapport.operations.v1.operations_pb2 import Backlog
from rapport.operations.v1.operations_service_pb2 import GetBacklogRequest
from rapport_imports.wording import counted, line
from rapport_testing.engines.ports import HTTP_OFFSET, PORT_BASE, is_free, port_base, taken
from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.operations import operations
from rapport_tools.cli.outbox import waiting_s
from rapport_tools.cli.output import AsJson, age, say, write_json
from rapport_tools.cli.readiness import FROZEN, states
from rapport_tools.cli.session import Session
from rapport_tools.local.home import Home

app = typer.Typer()

RECENT_S = 600.0
OUTBOX_OLD_S = 30.0


_MENDING = {  # by why a message to many cannot go on
    "invalid-words": "Mend its template: what is new has a default wherever it stands.",
    "invalid-filter": "Its filter is none any more: begin another.",
    "customers-not-asked": "Wait until customers can be asked.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong and what to do."""

    what: str
    do: str


@app.command()
def doctor(as_json: bool = AsJson) -> None:
    """Say what is wrong and what to do. Exits with 1 when something is, with 3 when the stack is down.

    Of a cluster it says what waits or was given up on; what a cluster lacks, `rapport deploy check` says.
    """
    home = Home.current()
    down = not cluster.is_meant() and home.supervisor() is None
    if cluster.is_meant():
        findings = list(_about_messages())
    else:
        findings = list(_about_down(home) if down else _about_running(home))
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{line(finding.what)}\n    {line(cluster.advice(finding.do))}")
        if not findings:
            say("Nothing is wrong.")
    if findings:
        raise typer.Exit(Exit.UNREACHABLE if down else Exit.REFUSED)


def _about_down(home: Home) -> Iterator[Finding]:
    from rapport_tools.local.installed import load_services

    yield Finding(f"No stack is running in {home.path}.", "Start it with `rapport up`.")
    shift = port_base({**home.read_env(), **os.environ}) - PORT_BASE
    services = load_services()
    for service in services:
        for port in (service.port + shift, service.port + shift + HTTP_OFFSET):
            if not is_free(port):
                yield Finding(*taken(port, service.name, [each.port for each in services]))


def _about_running(home: Home) -> Iterator[Finding]:
    env, found = home.read_env(), home.read_status()
    units = found.get("units", [])
    for unit, state in zip(units, states(units), strict=True):
        if state == FROZEN:
            yield Finding(
                f"{unit['name']} is frozen by a signal.", f"`kill -CONT {unit['pid']}` lets it go on."
            )
        elif state != "ready":
            yield Finding(f"{unit['name']} is {state}.", f"See `rapport logs {unit['log']}`.")
        elif time.time() - unit["restarted_at"] < RECENT_S:
            yield Finding(
                f"{unit['name']} ended and was started again less than 10 minutes ago.",
                f"See `rapport logs {unit['log']}`.",
            )
    if "RAPPORT_PEERS" in env:
        yield from _about_messages()


def _about_messages() -> Iterator[Finding]:
    session = Session.open()
    for name in session.peers:
        try:
            request = GetBacklogRequest(name=f"services/{name}/backlog")
            backlog = operations(session, name).GetBacklog(request, timeout=3)
        except grpc.RpcError as error:
            what = f"{name} cannot say what waits ({error.code().name})."
            yield Finding(what, f"See `rapport logs {name}`.")
        else:
            yield from troubles(name, backlog)
            if name == "notifications":
                yield from _about_notices(session)


def _about_notices(session: Session) -> Iterator[Finding]:
    providers = session.stub(ProviderServiceStub, "notifications")
    jobs = session.stub(NoticeJobServiceStub, "notifications")
    try:
        found = providers.ListProviders(ListProvidersRequest(), timeout=3)
        listed = jobs.ListNoticeJobs(ListNoticeJobsRequest(filter="state = BLOCKED"), timeout=3)
    except grpc.RpcError as error:
        what = f"notifications cannot say how providers and messages to many are ({error.code().name})."
        yield Finding(what, "See `rapport logs notifications`.")
    else:
        yield from unavailable(found.providers)
        yield from blocked(listed.notice_jobs)


def unavailable(providers: Iterable[Provider]) -> Iterator[Finding]:
    """Which take no messages to customers."""
    for each in providers:
        if each.state == Provider.STATE_AVAILABLE:
            continue
        provider = each.name.removeprefix("providers/")
        waiting = counted(each.waiting_count, "notice")
        since = age(time.time() - each.state_time.ToDatetime(UTC).timestamp())
        what = f"{provider} has taken no messages for {since} ({each.last_error_code}): {waiting} waiting."
        call = f"""rapport call ProviderService.TryProvider '{{"name": "{each.name}"}}'"""
        yield Finding(what, f"Mend it. It is tried again within 15 minutes, and at once by `{call}`.")


def blocked(jobs: Iterable[NoticeJob]) -> Iterator[Finding]:
    """Which messages to many cannot go on."""
    for each in jobs:
        since = age(time.time() - each.update_time.ToDatetime(UTC).timestamp())
        what = f"{each.name} ({each.template}) has not gone on for {since}: {each.reason_code}."
        call = 'rapport call NoticeJobService.{}NoticeJob \'{{"name": "' + each.name + "\"}}'"
        mend = _MENDING.get(each.reason_code, "Mend that.")
        yield Finding(
            what, f"{mend} `{call.format('Resume')}` has it go on, `{call.format('Cancel')}` ends it."
        )


def troubles(service: str, backlog: Backlog) -> Iterator[Finding]:
    """What is wrong with what waits."""
    if (oldest_s := waiting_s(backlog)) > OUTBOX_OLD_S:
        facts = counted(backlog.unpublished_fact_count, "fact")
        what = f"{facts} of {service}: not published for {age(oldest_s)}."
        yield Finding(what, f"See `rapport logs {service}`: the relay says what stops it.")
    if backlog.overdue_timer_count:
        what = f"{counted(backlog.overdue_timer_count, 'timer')} of {service}: due for more than a minute."
        yield Finding(what, f"See `rapport logs {service}`: their handler says what stops it.")
    yield from _set_aside(service, backlog)
    yield from _work(service, backlog)


def _set_aside(service: str, backlog: Backlog) -> Iterator[Finding]:
    for each in backlog.set_aside:
        consumer = each.consumer.rpartition("/")[2]
        events = counted(each.event_count, "event")
        if each.state == states_pb2.SET_ASIDE_STATE_DEAD:
            what = f"{consumer} gave up on {events} ({each.error})."
            do = f"`rapport dead-letters list {consumer}`, mend the cause, then `... replay {consumer}`."
            yield Finding(what, do)
        elif each.error:
            what = f"{consumer} has set aside {events} ({each.error})."
            yield Finding(what, f"It tries them again by itself. What fails is in `rapport logs {service}`.")
        else:
            what = f"{consumer} keeps {events} of a type that {service} does not know."
            yield Finding(what, f"The release of {service} that does applies them.")


def _work(service: str, backlog: Backlog) -> Iterator[Finding]:
    for each in backlog.work:
        kind = each.kind
        if each.alarm_count:
            what = f"{service}: {each.alarm_count} {kind} wait for us to mend something: the other side says"
            do = f"Mail: our login, sender, quota. A service: `rapport logs {service}` says what it told."
            yield Finding(f"{what} {each.alarm_code}.", do)
        if each.unknown_count:
            count = each.unknown_count
            what = f"{service}: Of {count} {kind} of the last day nobody knows whether they were done."
            yield Finding(what, "Their answers were lost. Ask the other side, by the key of the attempt.")
        if each.overdue_count:
            what = f"{service}: {each.overdue_count} {kind} are due for more than a minute."
            do = "They come faster than they can be done, or nobody does them: see the logs."
            yield Finding(what, do)
