"""Writes docs/metrics.md from the declarations in the code: `make observability` after a change of one."""

import importlib
import warnings
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import REGISTRY

from deploy.services import SERVICES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"
INTRODUCTION = """# Metrics

What `/metrics` of a service says, on its gRPC port plus 100. Made by `make observability` from the
declarations in the code (`chassis/src/chassis/telemetry/metrics.py` says by which rules they are named).
Beside these there are `process_*` and `python_*` of the Prometheus client. A scraper that asks for
OpenMetrics gets, with the buckets of `rpc_server_duration_seconds`, the trace of a recent call in each.

Where it says "the same in every replica", every pod reports what the database or the broker says: take the
maximum over the pods, not the sum. It is measured every 15 seconds or more often, whoever scrapes.
"""


@dataclass(frozen=True)
class Family:
    """A metric, as Prometheus knows it: a counter with `_total`."""

    name: str
    type: str
    labels: tuple[str, ...]
    told: str
    by: str

    @property
    def series(self) -> set[str]:
        """The names that a query may have."""
        if self.type == "histogram":
            return {f"{self.name}_{part}" for part in ("bucket", "count", "sum")}
        return {self.name}


def families() -> list[Family]:
    """Every metric of ours, by who tells it and name."""
    found: dict[str, Family] = {}
    with warnings.catch_warnings(action="ignore"):
        for by, module in (
            ("every service", "chassis.lifecycle"),
            *((each, f"{each}.service") for each in SERVICES),
        ):
            importlib.import_module(module)
            for family in _registered(by):
                found.setdefault(family.name, family)
    return list(found.values())


def _registered(by: str) -> list[Family]:
    collected = []
    for collector in tuple(REGISTRY._collector_to_names):
        describe = getattr(collector, "describe", None)
        for each in describe() if describe else ():
            if each.name.startswith(("rapport_", "rpc_", "http_")):
                name = f"{each.name}_total" if each.type == "counter" else each.name
                labels = getattr(collector, "_labelnames", None) or getattr(each, "_labelnames", ())
                collected.append(Family(name, each.type, tuple(labels), each.documentation, by))
    return sorted(collected, key=lambda family: family.name)


def page() -> str:
    """The page."""
    found = families()
    parts = [INTRODUCTION]
    for by in dict.fromkeys(each.by for each in found):
        parts.append(f"\n## Of {by}\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n")
        for each in found:
            if each.by == by:
                labels = " ".join(f"`{label}`" for label in each.labels)
                parts.append(f"| `{each.name}` | {each.type} | {labels} | {each.told} |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
