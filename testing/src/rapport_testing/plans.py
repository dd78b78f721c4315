"""What a statement reads, by its plan: of that tests may claim something, and not of how long it takes."""

import json
from collections.abc import Iterator
from typing import Any


def rows_read(plan: str, table: str) -> int:
    """The most rows that a scan of a table looked at, by `EXPLAIN (ANALYZE, FORMAT JSON)`."""

    def scans(node: dict[str, Any]) -> Iterator[int]:
        if node.get("Relation Name") == table:
            yield node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
        for inner in node.get("Plans", ()):
            yield from scans(inner)

    return max(scans(json.loads(plan)[0]["Plan"]))
