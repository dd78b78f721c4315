"""Who has nothing of ours but the released contracts runs the story: in TypeScript, and by `buf curl`."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sysconfig import get_paths
from typing import Any
from uuid import uuid4

import pytest

from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome
from rapport_tools.local.issuer import Issuer
from tests.contracts.test_other_languages import NODE, needs_node, run
from tests.e2e.outcome import assert_told_once
from tests.e2e.stack import Stack

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "proto" / "released.binpb"
BUF = Path(sys.executable).parent / "buf"
PEOPLE = {
    "everyone": ("agent:demo", "front-desk"),
    "alice": ("agent:alice", "front-desk"),
    "dora": ("department:dora", "delivery"),
}
TYPED = {
    "cases": ["case", "directory", "promise", "work_item"],
    "customer": ["customer", "view"],
    "notifications": ["notice"],
}


@pytest.fixture
def session(stack: Stack) -> Session:
    """Addresses of the services."""
    return Session.open()


@pytest.fixture
def tokens(session: Session) -> dict[str, str]:
    """Those of whoever is in the story."""
    issuer = Issuer(session.home)
    return {name: issuer.token_as(*who) for name, who in PEOPLE.items()}


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """The application for Node.js: types from the contracts, and the story compiled strictly against them."""
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    shutil.copy(NODE / "story.ts", tmp_path)
    wanted = [f"rapport/{of}/v1/{name}_service.proto" for of, names in TYPED.items() for name in names]
    folders = [f"--includeDirs={ROOT / 'proto'}", f"--includeDirs={get_paths()['purelib']}"]
    like = ["--keepCase", "--enums=String", "--longs=Number", "--defaults", "--outDir=types"]
    tools = tmp_path / "node_modules" / ".bin"
    run(tmp_path, tools / "proto-loader-gen-types", *folders, *like, "--grpcLib=@grpc/grpc-js", *wanted)
    strictly = ["--strict", "--target", "es2022", "--module", "commonjs", "--skipLibCheck"]
    run(tmp_path, tools / "tsc", *strictly, "story.ts")
    return tmp_path / "story.js"


@needs_node
def test_an_application_in_typescript_runs_the_story(
    session: Session, tokens: dict[str, str], application: Path
) -> None:
    command = ["node", application, json.dumps(session.addresses()), json.dumps(tokens), RELEASED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert_told_once(Outcome(**json.loads(done.stdout)))


def test_buf_curl_runs_the_story(session: Session, tokens: dict[str, str]) -> None:
    def call(who: str, method: str, **request: Any) -> Any:
        service, _, name = method.partition(".")
        url = f"http://{session.address(service)}/rapport.{service}.v1.{name}"
        how = ["--schema", RELEASED, "--protocol", "grpc", "--http2-prior-knowledge", "--timeout", "20s"]
        identity = ["-H", f"authorization: Bearer {tokens[who]}"]
        command = [BUF, "curl", *how, *identity, "-d", json.dumps(request), url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert_told_once(story(call))


def story(call: Callable[..., Any]) -> Outcome:
    """The story, each step as JSON; what changes something is done once."""

    def write(who: str, method: str, **request: Any) -> Any:
        return call(who, method, **request, requestId=str(uuid4()))

    def in_days(days: int) -> str:
        return (datetime.now(UTC) + timedelta(days=days)).isoformat()

    def found(ask: Callable[[], Any]) -> Any:
        return asyncio.run(eventually(ask, 60))

    person = {"givenName": "Nora", "familyName": "Winter"}
    email = {"type": "TYPE_EMAIL", "value": f"nora.winter.{uuid4().hex[:8]}@example.com"}
    alice = {"name": "agents/alice", "displayName": "Alice Brandt", "phone": "+49 30 901820"}
    alice["department"] = "departments/front-desk"
    write("everyone", "cases.DirectoryService/UpdateAgent", agent=alice, allowMissing=True)
    made = {"person": person, "identifiers": [email]}
    customer = write("everyone", "customer.CustomerService/CreateCustomer", customer=made)["name"]
    manager = {"name": customer, "relationshipManager": "agents/alice"}
    write("everyone", "customer.CustomerService/AssignRelationshipManager", **manager)
    opened = {"customer": customer, "topic": "order-delivery", "owner": "agents/alice"}
    case = write("alice", "cases.CaseService/OpenCase", case=opened)["name"]
    delivery = {"department": "departments/delivery", "reference": f"orders/{uuid4().hex[:8]}"}
    wanted = {"case": case, "kind": "deliver-order", **delivery}
    item = write("alice", "cases.WorkItemService/CreateWorkItem", workItem=wanted)["name"]
    given = {"customer": customer, "case": case, "workItem": item, "kind": "delivery", "dueTime": in_days(3)}
    promise = write("alice", "cases.PromiseService/MakePromise", promise=given | delivery)["name"]
    late = {"name": item, "forecastFinishTime": in_days(5), "reasonCode": "carrier-delay"}
    write("dora", "cases.WorkItemService/ForecastWorkItem", **late)

    def granted() -> Any:
        view = call("everyone", "customer.ViewService/GetCustomerView", name=f"{customer}/view")
        return [each["goodwill"] for each in view.get("loyalty", {}).get("goodwill", [])]

    def told() -> Any:
        about = {"filter": f'promise = "{promise}"'}
        notices = call("everyone", "notifications.NoticeService/ListNotices", **about)["notices"]
        return notices if all(each["state"] == "NOTICE_STATE_SENT" for each in notices) else None

    [goodwill] = found(granted)
    notices = [each["name"] for each in found(told)]
    return Outcome(customer, case, promise, notices, goodwill)
