"""PostgreSQL over TLS: Debian's, for that of the wheel is built without."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import pytest

from chassis.clock import Clock
from chassis.db.database import Database
from chassis.db.failures import DRIVER_ERRORS
from chassis.db.migrate import migrate
from chassis.events.facts import FactCodec
from rapport.cases.v1 import cases_events_pb2
from rapport_testing.certificates import Authority
from rapport_testing.engines.postgres import Postgres, owner_of
from rapport_testing.infrastructure import FAST

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
MIGRATIONS = Path(__file__).parent.parent / "migrations"
# The administrator makes databases as in other tests; all others need TLS and a certificate of the authority.
HBA = """
host all postgres 127.0.0.1/32 scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
"""

pytestmark = pytest.mark.skipif(not BINARIES, reason="Debian's PostgreSQL is not installed: postgresql")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
async def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    folder = tmp_path_factory.mktemp("tls")
    own = authority.issue(folder / "server", "postgres")
    names = {"ssl_cert_file": "tls.crt", "ssl_key_file": "tls.key", "ssl_ca_file": "ca.crt"}
    options = {"ssl": "on", **names}
    made = Postgres(folder / "postgres", options=FAST | options, binaries=BINARIES[-1].parent)
    made.prepare()
    owner = made.data.stat()
    for name in names.values():
        shutil.copy(own / name, made.data / name)
        os.chown(made.data / name, owner.st_uid, owner.st_gid)
    (made.data / "pg_hba.conf").write_text(HBA)
    made.spawn()
    made.wait()
    try:
        await made.create_database("cases")
        yield made
    finally:
        made.stop()


@pytest.fixture
def own(authority: Authority, tmp_path: Path) -> Path:
    return authority.issue(tmp_path / "cases", "cases")


def database(url: str | Callable[[], str], tls_dir: Path | None) -> Database:
    return Database(url, "cases", FactCodec(cases_events_pb2), Clock(), 4, tls_dir)


async def encrypted(db: Database) -> str:
    """The name in the certificate that the server was shown."""
    connection = await db.dedicated()
    try:
        row = await connection.fetchrow("SELECT * FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert row["ssl"]
        return str(row["client_dn"])
    finally:
        await connection.close()


async def test_a_database_is_migrated_and_used_over_tls(server: Postgres, own: Path) -> None:
    await migrate(server.url_for("cases", owner_of("cases")), MIGRATIONS, "cases", {}, own)
    db = database(server.url_for("cases"), own)
    await db.open()
    assert await encrypted(db) == "/CN=cases"
    assert await db.problem() == ""
    await db.close()


async def test_a_url_may_say_it_too(server: Postgres, own: Path) -> None:
    files = {"sslrootcert": own / "ca.crt", "sslcert": own / "tls.crt", "sslkey": own / "tls.key"}
    more = "?" + urlencode({"sslmode": "verify-full", **files})
    await migrate(server.url_for("cases", owner_of("cases")) + more, MIGRATIONS, "cases")
    assert await encrypted(database(server.url_for("cases") + more, None)) == "/CN=cases"


async def test_a_server_of_another_authority_is_not_told_the_password(
    server: Postgres, tmp_path: Path
) -> None:
    strange = Authority("other").issue(tmp_path / "strange", "cases")
    with pytest.raises(DRIVER_ERRORS, match="certificate verify failed"):
        await database(server.url_for("cases"), strange).dedicated()


async def test_who_shows_no_certificate_is_refused(server: Postgres, own: Path) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await database(server.url_for("cases"), None).dedicated()
    for name in ("tls.crt", "tls.key"):
        (own / name).unlink()
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await database(server.url_for("cases"), own).dedicated()


async def test_a_new_certificate_and_password_are_those_of_the_next_connection(
    server: Postgres, authority: Authority, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = database(lambda: server.url_for("cases"), own)
    await db.open()
    admin = await asyncpg.connect(server.url)
    try:
        await admin.execute("ALTER ROLE cases PASSWORD 'new'")
        monkeypatch.setattr(server, "role_password", lambda role: "new")
        authority.issue(own, "renewed")
        assert await encrypted(db) == "/CN=renewed"
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1  # those that are open stay so
    finally:
        await admin.close()
        await db.close()
