"""A broker lost and found: what happened meanwhile is known where it happened, and told once it can be."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.customer.v1 import view_pb2
from rapport_tools.cli import cluster
from rapport_tools.cli.output import age
from rapport_tools.demo.acts.order import forecast, mails, promises, take_order, told
from rapport_tools.demo.acts.speaking import is_called_first, speak, waiting
from rapport_tools.demo.changes import named, state_of
from rapport_tools.demo.stage import ALICE, DORA, Act, LeftOut, Stage, in_days
from rapport_tools.local.home import Home

UNIT = "NATS"


def play(stage: Stage) -> None:
    """A delay is forecast while no event can be told."""
    broker = _own_broker()
    item, promise = take_order(stage)
    stage.step(f"The customer orders again, {named(item.reference)}: delivery promised in three days.")
    with _frozen(broker):
        _forecast_unheard(stage, item, promise)
    _catch_up(stage, promise, time.monotonic())


ACT = Act("A broker lost and found", play, "the gap between the forecast and what followed is the broker's")


def _forecast_unheard(stage: Stage, item: WorkItem, promise: str) -> None:
    """What needs no event goes on, and the view says what it does not know."""
    began = time.monotonic()
    forecast(stage, DORA, item, "carrier-delay", in_days(5))
    answered_ms = (time.monotonic() - began) * 1000
    known = promises(stage, ALICE).GetPromise(GetPromiseRequest(name=promise))
    stage.step(
        f"{UNIT} stops answering. Dora forecasts five days: committed, and answered in {answered_ms:.0f} ms."
        f" For cases the promise is {state_of(known)}; the view has not heard of it.",
        stage.glance(),
    )
    late = stage.until(lambda: _late(stage.glance()), "the view to say that it is not current")
    stage.step(
        f"The view says so: {late}. So does the desk. Nothing is lost, nobody has to do anything.",
        stage.glance(),
    )
    stage.pause(f"{UNIT} answers again")


def _catch_up(stage: Stage, promise: str, back: float) -> None:
    """Everything that was committed is told, once. `back`: when that became possible."""
    stage.until(lambda: _is_told(stage.glance(), promise), "the view to hear that the promise is at risk")
    heard_s = time.monotonic() - back
    stage.step(
        f"{UNIT} answers again. {heard_s:.1f} s later the view knows that the promise is at risk.",
        stage.glance(),
    )
    if is_called_first(stage, promise):
        [call] = stage.until(partial(waiting, stage), "the call")
        stage.names["call"] = call.name
        speak(stage, call)
        stage.step(
            "She was let down twice lately: a person tells her first. Alice calls; the message follows."
        )
    told(stage, promise)
    told_s = time.monotonic() - back
    stage.until(lambda: not _late(stage.glance()), "the view to be current again")
    stage.step(
        f"The customer was told {told_s:.1f} s after {UNIT} was back, by {mails(stage)} mail."
        " The view is current again."
    )


def _own_broker() -> int:
    """The process of the stack's own broker. LeftOut where it is none of ours."""
    if cluster.is_meant():
        raise LeftOut(
            "It stops the broker for some seconds, and the one of a cluster is not the demo's to stop."
        )
    units = Home.current().read_status().get("units", [])
    pids = [int(unit["pid"]) for unit in units if unit["name"] == UNIT and unit["pid"]]
    if not pids:
        raise LeftOut("It stops the broker for some seconds, and this stack's broker is somebody else's.")
    return pids[0]


@contextmanager
def _frozen(pid: int) -> Iterator[None]:
    """A process that keeps its sockets and answers nothing, for the time of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # the stack was stopped meanwhile
            os.kill(pid, signal.SIGCONT)


def _late(view: view_pb2.CustomerView) -> str:
    """What the view says of cases when it is not current; empty when it is."""
    [cases] = [each for each in view.freshness if each.service == "services/cases"]
    state = state_of(cases)
    since = age(cases.age.ToTimedelta().total_seconds())
    return "" if state == "fresh" else f"cases is {state}, as of {since} ago"


def _is_told(view: view_pb2.CustomerView, promise: str) -> bool:
    """Whether the view holds that a promise is at risk, whatever has become of it since."""
    return any(
        entry.resource == promise and entry.event_type.endswith(".PromiseAtRisk")
        for entry in view.latest_timeline_entries
    )
