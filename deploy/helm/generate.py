"""Write values.yaml and values.schema.json of each service's chart from those of the generic chart `service`.

A chart must hold all its values, so that `helm show values` shows them; the source of them is one. Run this
after a change there: `python deploy/helm/generate.py`. A test fails when the charts differ.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).parent
# What differs from the generic chart, as lines of its values.yaml and what stands there instead.
OVERRIDES: Mapping[str, Mapping[str, str]] = {
    "customer": {"port: 7000": "port: 7001"},
    "cases": {"port: 7000": "port: 7002"},
    "loyalty": {"port: 7000": "port: 7003"},
    "notifications": {
        "port: 7000": "port: 7004",
        "egressPorts: [5432, 4222, 4317, 443]": "egressPorts: [5432, 4222, 4317, 443, 25, 465, 587]",
    },
}

# Services that call others and so need a token of their own; and the lines that give it.
CALLERS = ("customer", "cases", "notifications")
UNSET = '    existingSecret: ""\n    # The key of the token'


def charts() -> Iterator[tuple[Path, str]]:
    """Each generated file and its content."""
    values = (HERE / "service" / "values.yaml").read_text()
    schema = (HERE / "service" / "values.schema.json").read_text()
    for service, overrides in OVERRIDES.items():
        own = {
            'name: ""\n# The gRPC': f"name: {service}\n# The gRPC",
            "rapport-database": f"{service}-database",
            "existingSecret: rapport-nats\n": f"existingSecret: {service}-nats\n",
            **({UNSET: UNSET.replace('""', f"{service}-token")} if service in CALLERS else {}),
            **overrides,
        }
        text = values
        for old, new in own.items():
            if text.count(old) != 1:
                raise ValueError(f"service/values.yaml must hold {old!r} once")
            text = text.replace(old, new)
        yield HERE / service / "values.yaml", text
        yield HERE / service / "values.schema.json", schema


if __name__ == "__main__":
    for path, content in charts():
        path.write_text(content)
