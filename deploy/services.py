"""The services that are released together: those with a chart of their own."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICES = sorted(
    path.name for path in (ROOT / "services").iterdir() if (ROOT / "deploy/helm" / path.name).is_dir()
)
TELLING = [name for name in SERVICES if (ROOT / "proto/rapport" / name).is_dir()]  # with contracts
