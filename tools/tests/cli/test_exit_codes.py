import asyncio
import fcntl
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import grpc
import pytest

from chassis.errors import FailedPrecondition
from chassis.grpc.status import status
from rapport.cases.v1 import case_pb2, case_service_pb2, case_service_pb2_grpc
from rapport_testing.engines.ports import free_port
from rapport_tools.cli.import_file import _currency
from rapport_tools.cli.main import build, run
from rapport_tools.local.home import Home

Rapport = Callable[..., tuple[int, str, str]]
CASE = "cases/0198c0de-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    made = Home(tmp_path)
    made.create()
    return made


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rapport:
    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["rapport", *args])
        code = run(build())
        written = capsys.readouterr()
        return code, written.out, written.err

    return call


class Cases(case_service_pb2_grpc.CaseServiceServicer):
    """Answers one case, and refuses to close it."""

    async def GetCase(self, request: case_service_pb2.GetCaseRequest, context: Any) -> case_pb2.Case:
        metadata = dict(context.invocation_metadata())
        assert metadata["authorization"].startswith("Bearer ")
        assert context.time_remaining() is not None
        if request.name != CASE:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} was not found.")
        return case_pb2.Case(name=CASE)

    async def ResolveCase(self, request: case_service_pb2.ResolveCaseRequest, context: Any) -> case_pb2.Case:
        assert request.request_id
        refusal = FailedPrecondition("WORK_ITEM_OPEN", "Every work item must be finished first.")
        await context.abort_with_status(status(refusal, "cases.rapport"))
        raise AssertionError


@pytest.fixture
def running(home: Home) -> Iterator[Callable[[str], None]]:
    """Makes the home look like that of a running stack with these addresses."""
    with home.acquire():
        yield lambda address: home.write_env(
            {"RAPPORT_PEERS": json.dumps({"cases": address, "customer": address})}
        )


def test_commands_that_need_a_stack_say_so_when_there_is_none(
    rapport: Rapport,
) -> None:
    commands = ["status", "call CaseService.GetCase", "traces list", "events tail", "dead-letters list"]
    for command in [*commands, "outbox status", "explain promises/1", "consumers", "timers", "work cases"]:
        code, written, error = rapport(*command.split())
        assert (code, written) == (3, ""), command
        assert error.startswith("rapport: No stack is running in "), command


@pytest.mark.parametrize(
    "command", ["fly", "call", "token --as king:alice", "call Cases.Fly", "outbox republish"]
)
def test_wrong_use_is_2(rapport: Rapport, command: str) -> None:
    code, written, error = rapport(*command.split())
    assert (code, written) == (2, "")
    assert error


def test_a_token_is_written_alone_so_that_a_shell_can_use_it(
    rapport: Rapport,
) -> None:
    code, written, _ = rapport("token", "--as", "agent:alice", "--department", "billing", "--ttl", "60")
    assert code == 0
    assert written.count(".") == 2
    assert written.count("\n") == 1


def test_an_empty_listing_is_an_empty_json_list(rapport: Rapport) -> None:
    assert rapport("mail", "list", "--json") == (0, "[]\n", "")
    code, _, error = rapport("mail", "show", "nothing")
    assert code == 1
    assert error == "rapport: There is no message nothing. See `rapport mail list`.\n"


async def test_a_call_carries_identity_and_deadline_and_its_answer_is_json(
    rapport: Rapport,
    running: Callable[[str], None],
    fake_peer: Callable[..., Awaitable[str]],
) -> None:
    running(await fake_peer(Cases()))
    code, written, _ = await asyncio.to_thread(
        rapport, "call", "CaseService.GetCase", json.dumps({"name": CASE})
    )
    assert code == 0
    assert json.loads(written) == {"name": CASE}


async def test_what_a_rule_refuses_is_1_with_the_documented_reason(
    rapport: Rapport,
    running: Callable[[str], None],
    fake_peer: Callable[..., Awaitable[str]],
) -> None:
    running(await fake_peer(Cases()))
    code, written, error = await asyncio.to_thread(
        rapport, "call", "rapport.cases.v1.CaseService/ResolveCase"
    )
    assert (code, written) == (1, "")
    assert error == "rapport: WORK_ITEM_OPEN: Every work item must be finished first.\n"


async def test_a_request_that_does_not_fit_the_contract_is_2(
    rapport: Rapport,
    running: Callable[[str], None],
    fake_peer: Callable[..., Awaitable[str]],
) -> None:
    running(await fake_peer(Cases()))
    for body in ('{"nme": "x"}', "no json", "[]"):
        code, _, error = await asyncio.to_thread(rapport, "call", "CaseService.GetCase", body)
        assert code == 2
        assert error.count("\n") == 1


async def test_a_service_that_does_not_answer_is_3(rapport: Rapport, running: Callable[[str], None]) -> None:
    running(f"127.0.0.1:{free_port()}")
    code, _, error = await asyncio.to_thread(rapport, "call", "CaseService.GetCase")
    assert code == 3
    assert error.startswith("rapport: UNAVAILABLE")


@pytest.mark.parametrize("base", ["abc", "70000", "9801", "-1", "80", "7000.5"])
def test_a_port_base_that_is_none_is_refused(rapport: Rapport, monkeypatch: Any, base: str) -> None:
    monkeypatch.setenv("RAPPORT_PORT_BASE", base)
    for command in ("up", "doctor"):
        code, _, told = rapport(command)
        assert (code, told) == (2, "rapport: RAPPORT_PORT_BASE must be a number from 1024 to 9800.\n")


def test_a_port_base_whose_pages_no_browser_opens_is_refused(rapport: Rapport, monkeypatch: Any) -> None:
    monkeypatch.setenv("RAPPORT_PORT_BASE", "9000")
    code, _, told = rapport("up")
    assert code == 2
    assert "must be another than 9000: browsers refuse a port of its pages" in told


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("RAPPORT_DATABASE_URL", "RAPPORT_UP_DATABASE_URL"),
        ("RAPPORT_DATABASE_OWNER_URL", "RAPPORT_UP_DATABASE_URL"),
        ("RAPPORT_NATS_URL", "RAPPORT_UP_NATS_URL"),
        ("RAPPORT_NATS_ADMIN_URL", "RAPPORT_UP_NATS_URL"),
        ("RAPPORT_DATABASE_URL_FILE", "RAPPORT_UP_DATABASE_URL"),
    ],
)
def test_a_server_of_one_service_is_not_taken_for_the_whole_stacks(
    rapport: Rapport, monkeypatch: Any, name: str, instead: str
) -> None:
    monkeypatch.setenv(name, "x://cases:secret@127.0.0.1:9/cases")
    code, _, told = rapport("up")
    assert code == 2
    assert told.startswith(f"rapport: {name} is of one service:")
    assert instead in told
    assert "secret" not in told


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("DATABASE", "postgresql://u:secret@127.0.0.1:notaport/x"),
        ("DATABASE", "postgresql://u:secret@127.0.0.1:1/x"),
        ("NATS", "secret"),
        ("NATS", "nats://u:secret@127.0.0.1:1"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_line_before_anything_starts(
    rapport: Rapport, monkeypatch: Any, home: Home, server: str, url: str
) -> None:
    monkeypatch.setenv(f"RAPPORT_UP_{server}_URL", url)
    monkeypatch.setattr("rapport_tools.local.external.CONNECT_TIMEOUT_S", 0.5)
    code, out, told = rapport("up")
    assert (code, told.count("\n")) == (2, 1)
    assert told.startswith(f"rapport: RAPPORT_UP_{server}_URL: ")
    assert "secret" not in out + told
    assert not {each.name for each in home.path.iterdir()} & {"postgres", "nats"}


@pytest.mark.parametrize("replicas", ["0", "two", "10", "-1"])
def test_a_number_of_replicas_that_is_none_is_refused(
    rapport: Rapport, monkeypatch: Any, replicas: str
) -> None:
    monkeypatch.setenv("RAPPORT_LOCAL_REPLICAS", replicas)
    code, _, told = rapport("up")
    assert (code, told) == (2, "rapport: RAPPORT_LOCAL_REPLICAS must be a number from 1 to 9.\n")


def test_a_consumer_that_is_none_is_told_those_that_are(rapport: Rapport, home: Home) -> None:
    with home.acquire():
        home.write_env({"RAPPORT_PEERS": "{}"})
        code, _, told = rapport("dead-letters", "list", "customer-vew")
    assert code == 2
    assert "'customer-vew' is no consumer" in told
    assert "cases-aliases, cases-calls, cases-contacts" in told


def test_clean_removes_a_stack_and_nothing_else(rapport: Rapport, home: Home, tmp_path: Path) -> None:
    assert rapport("clean")[0] == 0
    assert not home.path.exists()
    assert rapport("clean")[:2] == (0, "There is no data.\n")
    home.path.mkdir()
    (home.path / "thesis").touch()
    code, _, told = rapport("clean")
    assert (code, "no folder of a stack" in told) == (2, True)
    assert (home.path / "thesis").exists()


@pytest.mark.parametrize("other", ["passwords", "thesis", "services.json"])
def test_clean_leaves_a_folder_that_holds_anything_else(rapport: Rapport, home: Home, other: str) -> None:
    (home.path / other).mkdir()
    (home.keys / "signing.pem").touch()
    code, _, told = rapport("clean")
    assert (code, f"holds what is of no stack ({other}): nothing is removed" in told) == (2, True)
    assert (home.keys / "signing.pem").exists()


def test_a_home_that_is_named_by_nothing_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_HOME", "")
    assert Home.current().path == Path(".rapport").resolve()


def test_whoever_looks_whether_a_stack_runs_does_not_keep_one_from_starting(home: Home) -> None:
    home.acquire().close()
    with (home.path / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        Timer(0.2, looking.close).start()
        home.acquire().close()


def test_a_secret_that_a_full_disk_left_empty_is_made_again(home: Home) -> None:
    (home.keys / "roles").touch()
    made = home.secret("roles")
    assert len(made) == 32
    assert home.secret("roles") == made


def test_amounts_for_a_cluster_are_not_in_the_currency_of_a_stack_here(
    rapport: Rapport, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_env({"RAPPORT_CURRENCY": "EUR"})
    monkeypatch.setenv("RAPPORT_PORT_FORWARD", "crm")
    monkeypatch.delenv("RAPPORT_CURRENCY", raising=False)
    assert _currency() == ""
    monkeypatch.setenv("RAPPORT_CURRENCY", "CHF")
    assert _currency() == "CHF"
    monkeypatch.delenv("RAPPORT_CURRENCY")
    bought = home.path / "bought.csv"
    bought.write_text("customer,date,amount,reference\n7,2026-03-02,12.00,A1\n")
    code, _, told = rapport("--port-forward", "crm", "import", "purchases", str(bought))
    assert (code, told.startswith("rapport: --currency: must say what amounts")) == (2, True)
