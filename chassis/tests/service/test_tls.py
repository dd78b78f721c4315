"""A service whose certificates and secrets are files, as a pod has them."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rapport_testing.certificates import Authority, write
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.wait import eventually


async def test_with_certificates_grpc_speaks_tls_and_health_stays_plain(run: Any, tmp_path: Path) -> None:
    authority = Authority()
    process = await run(RAPPORT_TLS_DIR=str(authority.issue(tmp_path / "tls", "loyalty")))
    await process.until_ready()
    own = authority.issue(tmp_path / "own", "cases")
    ca, key, shown = ((own / name).read_bytes() for name in ("ca.crt", "tls.key", "tls.crt"))
    credentials = grpc.ssl_channel_credentials(ca, key, shown)
    async with grpc.aio.secure_channel(f"127.0.0.1:{process.grpc_port}", credentials) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert "rapport_certificate_expiry_timestamp_seconds" in process.get("/metrics")[1]


async def test_a_folder_without_certificates_is_a_wrong_setting(run: Any, tmp_path: Path) -> None:
    process = await run(provisioned=False, RAPPORT_TLS_DIR=str(tmp_path))
    assert await process.exit_code() == 2
    assert "RAPPORT_TLS_DIR: " in process.said()
    assert "must hold ca.crt, tls.crt and tls.key" in process.said()
    assert "Traceback" not in process.said()


async def test_a_new_password_of_the_database_is_taken_while_the_service_runs(
    run: Any, infrastructure: Infrastructure, tmp_path: Path
) -> None:
    """It is changed, the file follows, and everybody is cut off: the service comes back by itself."""
    at, role = urlsplit(run.url), "rotated"
    file = tmp_path / "url"
    await infrastructure.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'one' IN ROLE {at.username}")
    try:
        here = f"{role}:{{}}@{at.hostname}:{at.port}"
        write(file, at._replace(netloc=here.format("one")).geturl().encode())
        process = await run(RAPPORT_DATABASE_URL=None, RAPPORT_DATABASE_URL_FILE=str(file))
        await process.until_ready()
        await infrastructure.execute(f"ALTER ROLE {role} PASSWORD 'two'")
        write(file, at._replace(netloc=here.format("two")).geturl().encode())
        admin = await asyncpg.connect(infrastructure.postgres_url)
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)

        async def back() -> bool:
            found = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1"
            return int(await admin.fetchval(found, role)) > 0 and process.get("/health/ready")[0] == 200

        await eventually(back, 60)
        await admin.close()
        assert process.process.poll() is None
        process.process.kill()
        process.process.wait()
    finally:
        await infrastructure.execute(f"DROP ROLE {role}")
