"""Programs that are forked from one process are the supervisor's own, and like ones started alone."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from rapport_testing.engines.process import Program, StackError
from rapport_testing.wait import eventually
from rapport_tools.local import nursery
from rapport_tools.local.nursery import Nursery
from rapport_tools.local.supervisor import Supervisor, Unit

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a subreaper")
MODULE = """
import os, pathlib, signal, sys, time
import grpc
def end(*_):
    sys.exit(7)
if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    print(os.environ, sys.argv[1:], __spec__.name, flush=True)
    pathlib.Path(os.environ["READY"]).touch()
    while True:
        time.sleep(0.01)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Program]:
    """A program of a module of the test's, which a nursery made later can import."""
    (tmp_path / "child_of_a_nursery.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ONLY", "the supervisor's")

    def make(name: str, module: str = "child_of_a_nursery") -> Program:
        argv = [sys.executable, "-m", module, name, "--quick"]
        env = {"READY": str(tmp_path / name), "PYTHONPATH": str(tmp_path)}
        return Program(name, argv, tmp_path / f"{name}.log", env=env)

    return make


@pytest.fixture
async def supervisor(tmp_path: Path, program: Callable[..., Program]) -> AsyncIterator[Supervisor]:
    """Supervises two programs that one nursery started."""
    programs = [program("one"), program("two")]
    supervised = Supervisor(lambda *_: None, lambda: None)
    started = await Nursery(tmp_path / "nursery.log").start(programs)
    await supervised.start([Unit(each, (tmp_path / each.name).exists) for each in programs], started)
    yield supervised
    await supervised.stop()


async def test_a_forked_program_is_a_child_with_its_own_arguments_environment_log_and_group(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    for unit in supervisor.units:
        assert unit.process is not None
        assert psutil.Process(unit.process.pid).ppid() == os.getpid()
        assert os.getpgid(unit.process.pid) == unit.process.pid
        said = (tmp_path / f"{unit.name}.log").read_text()
        assert str([unit.name, "--quick"]) in said
        assert str(tmp_path / unit.name) in said
        assert "ONLY" not in said


async def test_a_forked_program_that_ends_is_started_again_alone(supervisor: Supervisor) -> None:
    one = supervisor.units[0]
    assert one.process is not None
    forked = one.process.pid
    os.kill(forked, signal.SIGKILL)
    await eventually(lambda: one.restarts == 1 and one.state == "ready")
    assert "child_of_a_nursery" in psutil.Process(one.process.pid).cmdline()


async def test_a_stop_asks_forked_programs_to_end_and_knows_how_they_did(supervisor: Supervisor) -> None:
    await supervisor.stop()
    assert [unit.process and unit.process.returncode for unit in supervisor.units] == [7, 7]


async def test_what_cannot_be_imported_is_told(program: Callable[..., Program], tmp_path: Path) -> None:
    (tmp_path / "chassis.py").write_text("raise ImportError('half installed')")
    with pytest.raises(StackError, match="half installed"):
        await Nursery(tmp_path / "nursery.log").start([program("one")])


async def test_nothing_forked_survives_a_supervisor_that_is_killed(
    program: Callable[..., Program], tmp_path: Path
) -> None:
    one = program("one")
    script = f"""
        import asyncio, pathlib, time
        from rapport_tools.local.nursery import Nursery
        from rapport_testing.engines.process import Program
        async def main():
            one = Program("one", {one.argv!r}, pathlib.Path({str(one.log)!r}), env={one.env!r})
            started = await Nursery(pathlib.Path({str(tmp_path / "nursery.log")!r})).start([one])
            print(started["one"].pid, flush=True)
            time.sleep(60)
        asyncio.run(main())
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(await asyncio.to_thread(parent.stdout.readline)))
        await eventually((tmp_path / "one").exists)
        parent.kill()
        parent.wait()
    await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_what_is_imported_before_the_fork_starts_no_thread_and_gives_each_child_trace_ids_of_its_own() -> (
    None
):
    script = f"""
        import importlib, os
        for module in {nursery.SHARED}:
            importlib.import_module(module)
        from chassis.telemetry import tracing
        assert len(os.listdir("/proc/self/task")) == 1
        for _ in range(3):
            if os.fork() == 0:
                print(tracing.decide("")[0], flush=True)
                os._exit(0)
            os.wait()
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    assert len(set(told)) == 3
