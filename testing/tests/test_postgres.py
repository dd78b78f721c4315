import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from rapport_testing.engines import postgres
from rapport_testing.engines.postgres import Postgres, owner_of
from rapport_testing.engines.process import StackError
from rapport_tools.local.home import Home
from rapport_tools.local.infrastructure import Infrastructure


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres"), options={"fsync": "off"}) as running:
        yield running


async def test_a_service_reaches_its_own_database_and_no_other(server: Postgres) -> None:
    await server.create_database("billing")
    await server.create_database("delivery")
    own = await asyncpg.connect(server.url_for("billing"))
    assert await own.fetchval("SELECT current_user") == "billing"
    await own.close()
    foreign = server.url_for("billing").removesuffix("billing") + "delivery"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CONNECT"):
        await asyncpg.connect(foreign)


async def test_in_a_stack_neither_role_enters_the_administrators_databases(
    server: Postgres, tmp_path: Path
) -> None:
    stack = Infrastructure(Home(tmp_path), {}, {})
    stack._postgres = server
    await stack.create_database("sales")
    for url in (stack.database_url("sales"), stack.owner_url("sales")):
        await (await asyncpg.connect(url)).close()
        for other in ("postgres", "template1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CONNECT"):
                await asyncpg.connect(url.removesuffix("sales") + other)


async def test_making_a_database_again_keeps_what_is_in_it(server: Postgres) -> None:
    await server.create_database("kept")
    connection = await asyncpg.connect(server.url_for("kept", owner_of("kept")))
    await connection.execute("CREATE TABLE fact AS SELECT 42 AS answer")
    await server.create_database("kept")
    assert await connection.fetchval("SELECT answer FROM fact") == 42
    await connection.close()


async def test_a_wrong_password_is_refused(server: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url.replace(server.password, "guess"))


def test_the_server_never_runs_as_root(server: Postgres) -> None:
    assert server.process is not None
    assert psutil.Process(server.process.pid).uids().effective != 0


def test_the_password_is_for_its_owner_only(server: Postgres) -> None:
    assert stat.S_IMODE((server.folder / "password").stat().st_mode) == 0o600


async def test_data_survives_a_restart_even_after_a_kill(tmp_path: Path) -> None:
    with Postgres(tmp_path) as first:
        connection = await asyncpg.connect(first.url)
        await connection.execute("CREATE TABLE fact AS SELECT 42 AS answer")
        await connection.close()
        assert first.process is not None
        first.process.kill()
        first.process.wait()
    with Postgres(tmp_path) as second:
        connection = await asyncpg.connect(second.url)
        assert await connection.fetchval("SELECT answer FROM fact") == 42
        await connection.close()


def test_a_server_left_behind_is_ended_before_the_next_one_starts(tmp_path: Path) -> None:
    with Postgres(tmp_path) as left_behind:
        assert left_behind.process is not None
        Postgres(tmp_path).prepare()
        assert left_behind.process.wait(10) == 0


def test_data_of_another_major_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    server.data.mkdir()
    (server.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(StackError, match="dump it with the old version"):
        server.prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_it_runs_below_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(0o700)
    with Postgres(closed / "postgres") as server:
        assert server.is_ready()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
needs_setpriv = pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")


@needs_root
def test_root_runs_it_from_below_a_folder_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as /root in every container's image: programs and data are below it."""
    tmp_path.chmod(0o700)
    package = postgres._binaries().parents[1]
    for installed in package.parent.glob(f"{package.name}*"):  # the libraries lie beside it
        if installed.suffix != ".dist-info":
            shutil.copytree(installed, tmp_path / installed.name)
    binaries = tmp_path / postgres._binaries().relative_to(package.parent)
    monkeypatch.setattr(postgres, "_binaries", lambda: binaries)
    with Postgres(tmp_path / "postgres") as server:
        assert server.process is not None
        assert psutil.Process(server.process.pid).uids().effective != 0


@needs_root
@needs_setpriv
@pytest.mark.parametrize("without", ["-setpcap", "-dac_override", "-setuid,-setgid", "-chown"])
def test_root_without_a_capability_runs_it_all_the_same(tmp_path: Path, without: str) -> None:
    assert _start(tmp_path, f"--bounding-set={without}") == "up, up again"


@needs_root
@needs_setpriv
def test_root_without_any_capability_is_told_what_to_do(tmp_path: Path) -> None:
    told = _start(tmp_path, "--bounding-set=-all", "--inh-caps=-all")
    assert told.startswith("PostgreSQL refuses to run as root")
    assert "ordinary user" in told


def _start(folder: Path, *restrictions: str) -> str:
    """Start it twice in a process with `restrictions`; what that says."""
    script = """
import sys
from pathlib import Path
from rapport_testing.engines.postgres import Postgres, owner_of
from rapport_testing.engines.process import StackError
try:
    with Postgres(Path(sys.argv[1])):
        print("up", end=", ")
    with Postgres(Path(sys.argv[1])):
        print("up again")
except StackError as problem:
    print(problem)
"""
    command = ["setpriv", *restrictions, sys.executable, "-c", script, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
