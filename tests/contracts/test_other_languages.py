"""The folder `proto/`, checked out alone, is enough for a team that writes in another language."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from sysconfig import get_paths
from typing import Any
from zipfile import ZipFile

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from customer.service import service as customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport_tools.cli import contracts
from tests.contracts.test_samples import NOWHERE

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
NODE = Path(__file__).parent / "node"
PROTOC = [sys.executable, "-m", "grpc_tools.protoc"]
needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (NODE / "node_modules").exists(),
    reason="needs Node.js and `npm ci --ignore-scripts --prefix tests/contracts/node`",
)


@pytest.fixture
def proto(tmp_path: Path) -> Path:
    """The folder as it is committed, in an empty one."""
    extract(tmp_path, "HEAD", "proto")
    return tmp_path / "proto"


def extract(folder: Path, commit: str, *paths: str) -> None:
    """Put the files of a commit into a folder, all of them or those below some paths."""
    archive = subprocess.run(["git", "archive", commit, *paths], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")


def run(folder: Path, *command: str | Path) -> str:
    """What a command prints; its complaints when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_googles(proto: Path) -> Path:
    """The folder after unzipping `googleapis-common-protos` into it, as its README says."""
    for part in ("api", "rpc", "type"):
        shutil.copytree(
            Path(get_paths()["purelib"]) / "google" / part,
            proto / "google" / part,
            ignore=shutil.ignore_patterns("*.py*"),
        )
    return proto


def test_the_released_contracts_hold_all_that_they_import(proto: Path) -> None:
    released = FileDescriptorSet.FromString((proto / "released.binpb").read_bytes())
    held = {file.name for file in released.file}
    assert {name for file in released.file for name in file.dependency} <= held
    assert {"google/rpc/status.proto", "google/rpc/error_details.proto"} <= held  # of refusals
    services = {f"{file.package}.{service.name}" for file in released.file for service in file.service}
    assert services
    assert services <= {service.full_name for service in contracts.services()}


def test_buf_builds_and_generates_from_the_released_contracts(proto: Path) -> None:
    run(proto, BIN / "buf", "build", "released.binpb")
    plugin = {"protoc_builtin": "python", "protoc_path": PROTOC, "out": "made"}
    template = json.dumps({"version": "v2", "managed": {"enabled": True}, "plugins": [plugin]})
    run(proto, BIN / "buf", "generate", "released.binpb", "--template", template)
    assert (proto / "made/rapport/cases/v1/promise_service_pb2.py").exists()


def test_protoc_generates_from_the_released_contracts(proto: Path) -> None:
    (proto / "made").mkdir()
    wanted = "rapport/cases/v1/promise_service.proto"
    run(proto, *PROTOC, "--descriptor_set_in=released.binpb", "--python_out=made", wanted)
    assert (proto / "made/rapport/cases/v1/promise_service_pb2.py").exists()


def test_buf_builds_and_lints_the_sources_with_googles_common_ones_beside_them(proto: Path) -> None:
    with_googles(proto)
    run(proto, BIN / "buf", "build")
    run(proto, BIN / "buf", "lint")


@needs_node
@pytest.mark.parametrize("how", ["the released contracts", "the sources"])
async def test_a_client_for_node_makes_and_reads_a_customer(
    start: Any, issuer: Any, proto: Path, how: str
) -> None:
    running = await start(customer, peers=NOWHERE)
    of = proto / "released.binpb" if how == "the released contracts" else with_googles(proto)
    command = ["node", NODE / "client.js", running.address, issuer.token(), of]
    done = await asyncio.to_thread(run, NODE, *command)
    answered = json.loads(done)
    assert answered["display_name"] == "Ada"
    assert answered["refused"]["reason"] == "INVALID_NAME"


def test_the_package_for_python_has_the_sources_for_contracts_of_ones_own(
    proto: Path, tmp_path: Path
) -> None:
    run(proto, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    ZipFile(wheel).extractall(tmp_path / "installed")
    (tmp_path / "own.proto").write_text(
        'syntax = "proto3"; package rapport.lending.v1; import "rapport/options/v1/options.proto";'
        "message BookLent { string title = 1 [(rapport.options.v1.data_class) = DATA_CLASS_PERSONAL]; }"
    )
    run(tmp_path, *PROTOC, "-I.", "-Iinstalled", "-oown.binpb", "own.proto")
    assert (tmp_path / "installed/rapport/options/v1/options_pb2.py").exists()


async def test_a_reason_is_read_in_python_as_the_page_says(start: Any) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/errors.md").read_text(), re.DOTALL)
    told: dict[str, Any] = {}
    exec(program, told)
    running = await start(customer, peers=NOWHERE)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.stub(CustomerServiceStub, ["customer.customers.read"]).GetCustomer(
            GetCustomerRequest(name="nobody")
        )
    assert told["error_info"](caught.value).reason == "INVALID_NAME"
