"""What `rapport up` does in the terminal: progress, addresses, what happens, and an orderly end."""

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from rapport_imports.wording import line as one_line
from rapport_testing.engines.process import StackError
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.terminal import Terminal
from rapport_tools.local.external import reach
from rapport_tools.local.home import Home
from rapport_tools.local.logs import Follower, event_of, level_of, readable
from rapport_tools.local.nursery import Nursery
from rapport_tools.local.people import PEOPLE
from rapport_tools.local.stack import Stack

SHOWN = {"warning", "error", "critical"}
AGAIN_AFTER_S = 30.0  # the log has every line; in an outage a terminal needs one of each kind
ENTER_TRIES, ENTER_AGAIN_S = 5, 1.0
TWICE_S = 1.0  # a wrapper such as `timeout` may pass one request on twice at once


def run(home: Home, traces: bool, nursery: Nursery | None) -> int:
    """Run a stack until SIGINT or SIGTERM. Returns the exit code."""
    console = Terminal()
    environ = dict(os.environ)
    if not traces:
        environ["OTEL_SDK_DISABLED"] = "true"
    with home.acquire():
        return asyncio.run(_run(console, home, environ, nursery))


async def _run(console: Terminal, home: Home, environ: dict[str, str], nursery: Nursery | None) -> int:
    began = time.monotonic()
    stopping = asyncio.get_running_loop().create_future()

    def say(unit: str, text: str) -> None:
        for line in text.splitlines():
            console.print(f"{time.strftime('%H:%M:%S')} {unit:<14} {line}", markup=False)

    with _progress(console) as progress:
        stack = Stack(home, environ, progress, say, nursery)
        await reach(environ)
        _on_signals(stopping, stack)
        starting = asyncio.create_task(stack.start())
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        problem = starting.exception() if starting.done() else None
    if problem is None and starting.done():
        _welcome(console, stack, time.monotonic() - began)
        with_it = [asyncio.create_task(_follow(console, stack)), asyncio.create_task(_enter(console, stack))]
        await stopping
        for task in with_it:
            task.cancel()
    if isinstance(problem, StackError):
        console.print(str(problem), markup=False, style="red")
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    with _progress(console) as progress:
        by_key = stopping.done() and stopping.result() is signal.SIGINT
        progress("stopping (Ctrl-C again to end at once)" if by_key else "stopping")
        await stack.stop()
    if problem is None:
        console.print("Stopped. Data is kept.")
        return Exit.DONE
    if not isinstance(problem, StackError):
        raise problem
    return Exit.REFUSED


def _on_signals(stopping: "asyncio.Future[signal.Signals]", stack: Stack) -> None:
    first = 0.0

    def asked(by: signal.Signals) -> None:
        nonlocal first
        if not stopping.done():
            first = time.monotonic()
            stopping.set_result(by)
        elif time.monotonic() - first > TWICE_S:
            stack.kill()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal was closed
        asyncio.get_running_loop().add_signal_handler(number, asked, number)


@contextlib.contextmanager
def _progress(console: Terminal) -> Iterator[Callable[[str], None]]:
    """One changing line on a terminal, a line for each step elsewhere."""
    if console.is_terminal:
        with console.status("") as status:
            yield status.update
    else:
        yield partial(console.print, markup=False)


async def _enter(console: Terminal, stack: Stack) -> None:
    """Have who signs in with a click in the directory of colleagues, and what they work with."""
    from rapport_tools.cli.session import Session  # with all of gRPC, which a start does not wait for
    from rapport_tools.local import seed

    for write, missing in (
        # Without them, pages have codes for names.
        (seed.colleagues, "Who signs in is not in the directory of colleagues"),
        (seed.authority, "Nobody at the front desk is above others"),
        (seed.message, "There is no message that people may send"),
    ):
        for tries_left in reversed(range(ENTER_TRIES)):
            try:
                await asyncio.to_thread(write, await asyncio.to_thread(Session.open))
                break
            except Exception as error:  # a service may be starting again at that moment
                if tries_left:
                    await asyncio.sleep(ENTER_AGAIN_S)
                else:
                    console.print(f"{missing}: {error}", markup=False)
    stack.furnished()


async def _follow(console: Terminal, stack: Stack) -> None:
    """Show what services warn of, each kind once in a while, and keep all logs from growing for ever."""
    shown: dict[tuple[str, str], float] = {}
    followers = [Follower(log) for log in stack.logs]
    while True:
        try:
            for follower in followers:
                for line in follower.read():
                    key, now = (follower.path.stem, event_of(line)), time.monotonic()
                    if level_of(line) in SHOWN and now - shown.get(key, -AGAIN_AFTER_S) >= AGAIN_AFTER_S:
                        shown[key] = now
                        console.print(one_line(readable(key[0], line)), markup=False, soft_wrap=True)
                follower.bound()
        except OSError as error:  # a full disk
            console.print(f"Logs are not read: {error}", markup=False)
            await asyncio.sleep(AGAIN_AFTER_S)
        await asyncio.sleep(0.5)


def _welcome(console: Terminal, stack: Stack, seconds: float) -> None:
    env = stack.home.read_env()
    console.print(f"\n[bold green]Rapport is up[/] after {seconds:.1f} s. Ctrl-C stops it; data is kept.\n")
    for service in stack.services:
        if site := stack.site(service):
            console.print(f"  {service.name:<14} [bold]{site}[/]")
    if any(stack.site(service) for service in stack.services):
        people = ", ".join(f"{person.name} ({person.role})" for person in PEOPLE.values())
        console.print(f"  {'':<14} sign in with a click: {people}\n")
    for service in stack.services:
        health = f"http://{stack.http_address(service)}"
        console.print(f"  {service.name:<14} gRPC {stack.address(service)}   HTTP {health}")
    console.print(f"  {'PostgreSQL':<14} {_host(env['RAPPORT_LOCAL_POSTGRES_URL'])}")
    console.print(f"  {'NATS':<14} {_host(env['RAPPORT_LOCAL_NATS_URL'])}")
    console.print(f"  {'mail':<14} {env['RAPPORT_LOCAL_SMTP']}   rapport mail list")
    look = "   rapport traces list" if "RAPPORT_LOCAL_TRACES_URL" in env else ""
    console.print(f"  {'traces':<14} {env['RAPPORT_LOCAL_OTLP_ENDPOINT']}{look}")
    console.print(f"\n  Everything, with passwords: {stack.home.env_file}\n")
    activate, home = (shlex.quote(each) for each in (f"{sys.prefix}/bin/activate", str(stack.home.path)))
    console.print(
        "Try it in another terminal (more is in the README, under “Calling it”):\n"
        f"  source {activate}; export RAPPORT_HOME={home}\n"
        "  rapport status; rapport call CustomerService.ListCustomers; rapport --help",
        markup=False,
        soft_wrap=True,
    )


def _host(url: str) -> str:
    return url.rpartition("://")[2].rpartition("@")[2]
