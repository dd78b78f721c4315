"""Migrations block nobody and leave the last release what it runs on: squawk reads each statement of them."""

import subprocess
import sys
from io import StringIO
from pathlib import Path
from runpy import run_path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from chassis.db.migrate import CHASSIS, GUARDS

ROOT = Path(__file__).parents[2]
SQUAWK = Path(sys.executable).parent / "squawk"
REVISIONS = sorted([*ROOT.glob("services/*/src/*/migrations/versions/*.py"), *CHASSIS.glob("versions/*.py")])
LEFT_OUT = {
    "prefer-bigint-over-int": "attempts and days stay small",
    "prefer-bigint-over-smallint": "and so do numbers of shards",
    "prefer-robust-stmts": "a revision is one transaction; what is outside of it drops what is half made",
    "transaction-nesting": "what is made outside of it ends it and begins another, as Alembic writes it",
    "ban-uncommitted-transaction": "which Alembic then commits",
}


def statements(revision: Path) -> str:
    """What a revision executes, under the time limits that it is executed under."""
    upgrade = run_path(str(revision))["upgrade"]
    written = StringIO()
    written.writelines(f"SET {name} = '{value}';\n" for name, value in GUARDS.items())
    options = {"as_sql": True, "output_buffer": written}
    with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
        upgrade()
    return written.getvalue()


def findings(sql: str) -> str:
    """What squawk says against it; nothing when it may be released."""
    command = [SQUAWK, "--assume-in-transaction", "--pg-version=15", "--reporter=gcc"]
    command += [f"--exclude={','.join(LEFT_OUT)}", "--stdin-filepath=revision.sql"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "versions", sorted({path.parent for path in REVISIONS}), ids=lambda path: path.parts[-4]
)
def test_revisions_follow_each_other_in_one_line(versions: Path) -> None:
    """Of two with one number Alembic leaves one out, and only warns."""
    found = [run_path(str(each)) for each in versions.glob("*.py")]
    line, after = [None], {each["down_revision"]: each["revision"] for each in found}
    while line[-1] in after:
        line.append(after[line[-1]])
    assert sorted(line[1:]) == sorted(each["revision"] for each in found)


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda path: path.stem)
def test_a_revision_blocks_nobody_and_takes_nothing_that_the_last_release_needs(revision: Path) -> None:
    assert findings(statements(revision)) == ""


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("ALTER TABLE promises RENAME COLUMN kind TO sort;", "renaming-column"),
        ("ALTER TABLE promises RENAME TO pledges;", "renaming-table"),
        ("ALTER TABLE promises DROP COLUMN kind;", "ban-drop-column"),
        ("DROP TABLE promises;", "ban-drop-table"),
        ("ALTER TABLE promises ADD COLUMN sort text NOT NULL;", "adding-required-field"),
        ("ALTER TABLE promises ALTER COLUMN kind TYPE int;", "changing-column-type"),
        ("ALTER TABLE promises ALTER COLUMN note SET NOT NULL;", "adding-not-nullable-field"),
        ("CREATE INDEX promises_kind ON promises (kind);", "require-concurrent-index-creation"),
        ("ALTER TABLE promises ADD CHECK (kind <> '');", "constraint-missing-not-valid"),
    ],
)
def test_what_would_stop_the_last_release_or_its_callers_is_found(sql: str, rule: str) -> None:
    assert rule in findings("".join(f"SET {name} = '{value}';\n" for name, value in GUARDS.items()) + sql)
