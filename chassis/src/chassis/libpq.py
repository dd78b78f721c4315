"""Variables of libpq, which the database driver reads too."""

import os


def ignore_variables() -> None:
    """Forget `PGHOST`, `PGSSLMODE` and all their like in this process: our URLs say all that counts."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
