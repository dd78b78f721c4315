"""Write values.yaml and values.schema.json of each service's chart from those of the generic chart `service`.

A chart must hold all its values, so that `helm show values` shows them; the source of them is one. Run this
after a change there: `python deploy/helm/generate.py`. A test fails when the charts differ.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).parent
# What differs from the generic chart, as lines of its values.yaml and what stands there instead.
OVERRIDES: Mapping[str, Mapping[str, str]] = {
    "desk": {
        "settings: {}": """settings:
  # Where the trace store answers Jaeger's query API, http://jaeger-query:16686. Empty: no traces are shown.
  traces_url: ""
  # Where the trace UI shows one, https://traces.example.org/trace/{trace_id}. Empty for none.
  trace_link: \"\"""",
        "egressPorts: [5432, 4222, 4317, 443]": "egressPorts: [5432, 4222, 4317, 443, 16686]",
    },
    "notifications": {
        "egressPorts: [5432, 4222, 4317, 443]": "egressPorts: [5432, 4222, 4317, 443, 25, 465, 587]",
    },
}

PORTS = {"customer": 7001, "cases": 7002, "loyalty": 7003, "notifications": 7004, "desk": 7005}
WEB_PORTS = {"desk": 8080}
# Whom each calls: it needs their addresses, and a token of its own.
CALLS = {
    "customer": ("cases", "loyalty", "notifications"),
    "cases": ("notifications",),
    "loyalty": ("cases",),
    "notifications": ("cases", "customer"),
    "desk": ("customer", "cases", "loyalty", "notifications", "desk"),
}
UNSET = '    existingSecret: ""\n    # The key of the token'


def charts() -> Iterator[tuple[Path, str]]:
    """Each generated file and its content."""
    values = (HERE / "service" / "values.yaml").read_text()
    schema = (HERE / "service" / "values.schema.json").read_text()
    for service, calls in CALLS.items():
        peers = "".join(f"\n  {name}: dns:///{name}:{PORTS[name]}" for name in calls)
        token = {UNSET: UNSET.replace('""', f"{service}-token")}
        own = {
            "port: 7000": f"port: {PORTS[service]}",
            'name: ""\n# The gRPC': f"name: {service}\n# The gRPC",
            "existingSecret: rapport-database\n": f"existingSecret: {service}-database\n",
            "rapport-database-owner": f"{service}-database-owner",
            "existingSecret: rapport-nats\n": f"existingSecret: {service}-nats\n",
            "webPort: 0": f"webPort: {WEB_PORTS.get(service, 0)}",
            "\npeers: {}": f"\npeers:{peers}",
            **token,
            **OVERRIDES.get(service, {}),
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
