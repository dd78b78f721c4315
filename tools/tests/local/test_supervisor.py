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
from rapport_tools.local.supervisor import Supervisor, Unit

# Says that it is ready by a file, notes how it ends, and ends when asked.
OBEDIENT = """
import pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def end(*_):
    with (folder / "ended").open("a") as file:
        file.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
(folder / name).touch()
while True:
    time.sleep(0.01)
"""
STUBBORN = OBEDIENT.replace("sys.exit(0)", "pass")
BROKEN = "import sys; sys.exit('the settings are wrong')"


@pytest.fixture
async def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(said: list[str]) -> AsyncIterator[Supervisor]:
    supervised = Supervisor(lambda unit, text: said.append(f"{unit}: {text}"), lambda: None)
    yield supervised
    await supervised.stop()


@pytest.fixture
def unit(tmp_path: Path) -> Callable[..., Unit]:
    def make(name: str, script: str = OBEDIENT, **options: float) -> Unit:
        program = Program(name, [sys.executable, "-c", script, str(tmp_path), name], tmp_path / f"{name}.log")
        return Unit(program, (tmp_path / name).exists, **options)

    return make


def pid(unit: Unit) -> int:
    assert unit.process is not None
    return unit.process.pid


async def test_a_program_that_was_killed_is_started_again(
    supervisor: Supervisor, unit: Callable[..., Unit], said: list[str]
) -> None:
    one = unit("one")
    await supervisor.start([one])
    killed = pid(one)
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: one.restarts == 1 and one.state == "ready")
    assert pid(one) != killed
    assert said[0].startswith("one: one was killed by SIGKILL")
    assert "one: is back" in said


async def test_stages_are_stopped_in_the_reverse_order_of_their_start(
    supervisor: Supervisor, unit: Callable[..., Unit], tmp_path: Path
) -> None:
    for name in ("database", "broker", "service"):
        await supervisor.start([unit(name)])
    await supervisor.stop()
    assert (tmp_path / "ended").read_text().split() == ["service", "broker", "database"]


async def test_a_program_that_does_not_stop_in_time_is_killed(
    supervisor: Supervisor, unit: Callable[..., Unit], said: list[str]
) -> None:
    stubborn = unit("stubborn", STUBBORN, stop_timeout_s=0.2)
    await supervisor.start([stubborn])
    await supervisor.stop()
    assert not psutil.pid_exists(pid(stubborn))
    assert said == ["stubborn: did not stop within 0 s: killed"]


async def test_a_start_that_fails_tells_the_last_words_of_the_program(
    supervisor: Supervisor, unit: Callable[..., Unit]
) -> None:
    with pytest.raises(StackError, match="the settings are wrong"):
        await supervisor.start([unit("broken", BROKEN)])


async def test_a_start_that_gets_on_is_waited_for_however_slow(
    supervisor: Supervisor, unit: Callable[..., Unit]
) -> None:
    slow = "import time\nfor step in range(8): print(step, flush=True); time.sleep(0.2)\n" + OBEDIENT
    one = unit("one", slow, idle_timeout_s=0.6)
    await supervisor.start([one])
    assert one.state == "ready"


async def test_a_start_that_does_nothing_more_has_failed_with_its_last_words(
    supervisor: Supervisor, unit: Callable[..., Unit]
) -> None:
    stuck = "import time; print('waiting for a license', flush=True); time.sleep(60)"
    with pytest.raises(StackError, match=r"does nothing more(.|\n)*waiting for a license"):
        await supervisor.start([unit("stuck", stuck, idle_timeout_s=0.5)])


async def test_each_failure_in_a_row_makes_the_next_start_wait_longer(unit: Callable[..., Unit]) -> None:
    failing = unit("failing")
    assert [failing.backoff_s() for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]


async def test_nothing_survives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import pathlib, sys, time
        from rapport_testing.engines.process import Program
        folder = pathlib.Path({str(tmp_path)!r})
        argv = [sys.executable, "-c", {OBEDIENT!r}, str(folder), "child"]
        print(Program("child", argv, folder / "log").spawn().pid, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        await eventually((tmp_path / "child").exists)
        parent.kill()
        parent.wait()
    await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_a_child_is_beyond_the_reach_of_ctrl_c_in_the_terminal(
    supervisor: Supervisor, unit: Callable[..., Unit]
) -> None:
    one = unit("one")
    await supervisor.start([one])
    assert os.getpgid(pid(one)) == pid(one) != os.getpgid(0)
