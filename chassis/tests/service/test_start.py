"""What a service needs to start, and how it says what is missing."""

import json
import re
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chassis.events.provision import provision
from chassis.settings import Sources, load
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually

NOWHERE = "127.0.0.1:9"
SAMPLE = Path(__file__).parent / "sample.py"


async def test_each_wrong_setting_is_one_line_that_names_its_variable(run):
    process = await run(
        RAPPORT_DATABASE_URL="mysql://root:hunter2@db/app",
        RAPPORT_JWKS_URL="ftp://issuer",
        RAPPORT_POOL_SIZE="many",
        RAPPORT_PEERS="customer=localhost",
        RAPPORT_LOG_LEVEL="loud",
    )
    assert await process.exit_code() == 2
    lines = process.said().splitlines()
    named = ["DATABASE_URL", "JWKS_URL", "PEERS", "POOL_SIZE", "LOG_LEVEL"]
    assert sorted(line.split(":")[0] for line in lines) == sorted(f"RAPPORT_{name}" for name in named)
    assert all("It is: " in line for line in lines)
    assert "hunter2" not in process.said()


def test_absent_settings_are_named(tmp_path):
    services = subprocess.run(
        [sys.executable, "-m", "loyalty"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert services.returncode == 2
    for name in ("RAPPORT_DATABASE_URL", "RAPPORT_NATS_URL", "RAPPORT_JWKS_URL", "RAPPORT_ISSUER"):
        assert re.search(f"^{name}: Field required", services.stderr, re.MULTILINE)
    assert "Traceback" not in services.stderr


def test_a_setting_that_nobody_described_is_named_nevertheless(monkeypatch, capsys):
    class Settings(Sources):
        depot: str

    monkeypatch.delenv("RAPPORT_DEPOT", raising=False)
    with pytest.raises(SystemExit):
        load(Settings)
    assert capsys.readouterr().err == "RAPPORT_DEPOT: Field required\n"


@pytest.mark.parametrize(
    ("setting", "url", "what"),
    [
        ("RAPPORT_DATABASE_URL", f"postgresql://app:hunter2@{NOWHERE}/app", "the database"),
        ("RAPPORT_NATS_URL", f"nats://app:hunter2@{NOWHERE}", "the broker"),
    ],
)
async def test_what_cannot_be_reached_is_waited_for_and_then_given_up(run, setting, url, what):
    process = await run(**{setting: url, "RAPPORT_STARTUP_TIMEOUT_S": "2", "SAMPLE_CONNECT_TIMEOUT_S": "0.5"})

    def waiting() -> bool:
        status, body = process.get("/health/ready")
        return status == 503 and json.loads(body)["problems"][0].startswith(f"{what} at {NOWHERE}")

    await eventually(waiting, 30)
    assert process.get("/health/live")[0] == 200
    assert await process.exit_code() == 3
    assert len(process.events("waiting")) == 1
    assert f"loyalty: {what} at {NOWHERE}" in process.said()
    assert "giving up after 2 s" in process.said()
    assert "hunter2" not in process.said()
    assert "Traceback" not in process.said()


async def test_what_is_not_provisioned_yet_is_waited_for(run, infrastructure):
    process = await run(provisioned=False)

    def waiting() -> bool:
        status, body = process.get("/health/ready")
        return status == 503 and "stream LOYALTY does not exist" in json.loads(body)["problems"][0]

    await eventually(waiting, 30)
    assert process.get("/health/live")[0] == 200
    await provision(infrastructure.nats_url, runpy.run_path(str(SAMPLE))["service"].declaration())
    await process.until_ready()


async def test_without_streams_it_says_which_ones_and_what_to_do(run):
    process = await run(provisioned=False, RAPPORT_STARTUP_TIMEOUT_S="1")
    assert await process.exit_code() == 1
    said = process.said()
    assert "stream LOYALTY does not exist" in said
    assert "consumer loyalty-promises on stream CASES does not exist" in said
    assert "python -m loyalty provision" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("setting", ["RAPPORT_GRPC_PORT", "RAPPORT_HTTP_PORT"])
async def test_a_taken_port_is_named(run, setting):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        process = await run(**{setting: str(port)})
        assert await process.exit_code() == 1
    assert str(port) in process.said()
    assert "Traceback" not in process.said()


async def test_variables_of_another_database_server_change_nothing(run):
    process = await run(
        PGHOST="nowhere.invalid",
        PGPORT="9",
        PGUSER="somebody",
        PGPASSWORD="hunter2",
        PGDATABASE="another",
        PGSSLMODE="verify-full",
        PGTARGETSESSIONATTRS="standby",
        PGOPTIONS="-c default_transaction_read_only=on",
        PGSERVICE="another",
    )
    await process.until_ready()


async def test_a_role_that_owns_the_tables_refuses_to_serve(run, infrastructure):
    """It could switch off what keeps the audit as it is."""
    url = urlsplit((await run()).settings["RAPPORT_DATABASE_URL"])
    owning = infrastructure.database_url(url.path[1:])
    process = await run(RAPPORT_DATABASE_URL=owning, RAPPORT_STARTUP_TIMEOUT_S="1")
    assert await process.exit_code() == 1
    assert "the role postgres owns the tables" in process.said()
    assert "RAPPORT_DATABASE_OWNER_URL" in process.said()
    assert "Traceback" not in process.said()


@pytest.mark.parametrize("owner", ["", "postgresql://loyalty:x@127.0.0.1:9/x"])
def test_a_migration_needs_another_role_than_the_service(owner):
    told = {
        "PATH": "/usr/bin:/bin",
        "RAPPORT_DATABASE_URL": "postgresql://loyalty:y@127.0.0.1:9/x",
        "RAPPORT_DATABASE_OWNER_URL": owner,
        "RAPPORT_NATS_URL": "nats://x",
        "RAPPORT_JWKS_URL": "file:///x",
        "RAPPORT_ISSUER": "x",
    }
    command = [sys.executable, "-m", "loyalty", "migrate"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("RAPPORT_DATABASE_OWNER_URL: must name another role")
    assert "Traceback" not in done.stderr


async def test_a_peer_without_an_address_refuses_to_start(run):
    process = await run(SAMPLE_CALLS_CUSTOMER="1", RAPPORT_PEERS='{"cases": "dns:///cases:7002"}')
    assert await process.exit_code() == 2
    assert "RAPPORT_PEERS: loyalty calls customer and is given no address of it" in process.said()
    assert "Traceback" not in process.said()


async def test_a_method_without_a_permission_refuses_to_start(run):
    process = await run(SAMPLE_OPEN_TO_ALL="1")
    assert await process.exit_code() == 1
    assert "grpc.health.v1.Health.Check has no permission" in process.said()
