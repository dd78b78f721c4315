"""Write values.yaml and values.schema.json of each service's chart from those of the generic chart `service`.

A chart must hold all its values, so that `helm show values` shows them; the source of them is one. VALUES.md
is written too, from the comments. Run this after a change there: `python deploy/helm/generate.py`. A test
fails when they differ.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from rapport_tools.local.installed import load_services

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
    "customer": {
        "settings: {}": """settings:
  # Who looks for what is harmful in files of customers: http://scanner:8080/scan. Its port must be let out by
  # networkPolicy.egressPorts (443 is), or to the scanner alone by networkPolicy.egress. Empty: nobody looks.
  attachment_scanner_url: \"\"""",
    },
    "notifications": {
        "egressPorts: [5432, 4222, 4317, 443]": "egressPorts: [5432, 4222, 4317, 443, 25, 465, 587]",
    },
}

# Those with a chart of their own; any other has that of `service`, and values.
SERVICES = [each for each in load_services() if (HERE / each.name).is_dir()]
PORTS = {each.name: each.port for each in SERVICES}
UNSET = '    existingSecret: ""\n    # The key of the token'


def charts() -> Iterator[tuple[Path, str]]:
    """Each generated file and its content."""
    values = (HERE / "service" / "values.yaml").read_text()
    schema = (HERE / "service" / "values.schema.json").read_text()
    for each in SERVICES:
        service = each.name
        peers = "".join(f"\n  {name}: dns:///{name}:{PORTS[name]}" for name in each.calls)
        token = {UNSET: UNSET.replace('""', f"{service}-token")}
        own = {
            "port: 7000": f"port: {each.port}",
            'name: ""\n# The gRPC': f"name: {service}\n# The gRPC",
            "webPort: 0": f"webPort: {each.web_port}",
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


PAGE = """# Values

What each chart can be told, made by `python deploy/helm/generate.py` from the comments in its values.yaml.
The charts of the services have the values of `service`, with defaults of their own. [README](README.md).
"""


def documented(chart: str) -> Iterator[tuple[str, str, Any]]:
    """Each value of a chart that has a comment: its path, the comment, its default."""
    text = (HERE / chart / "values.yaml").read_text()
    values = yaml.safe_load(text)
    path: list[str] = []
    said: list[str] = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if comment := re.match(r"\s*# ?(.*)", line):
            said.append(comment[1])
        elif key := re.match(r"\s*([\w./$]+):", line):
            path = [*path[: indent // 2], key[1]]
            above = reduce(lambda at, name: at.get(name) if isinstance(at, dict) else None, path[:-1], values)
            if said and isinstance(above, dict):
                yield ".".join(path), " ".join(said), above[path[-1]]
            said = []
        else:
            said = []


def plain(said: str) -> str:
    """A comment as Markdown: what stands in angle brackets is no HTML."""
    return re.sub(r"(`[^`]*`)|<", lambda found: found[1] or "&lt;", said)


def page() -> str:
    """VALUES.md."""
    parts = [PAGE]
    for chart in ("service", "rapport", "infra", "nats"):
        parts.append(f"\n## {chart}\n\n| value | default | |\n|---|---|---|\n")
        for path, said, default in documented(chart):
            shown = "" if isinstance(default, dict) and default else f"`{json.dumps(default)}`"
            parts.append(f"| `{path}` | {shown} | {plain(said)} |\n")
    return "".join(parts)


if __name__ == "__main__":
    for file, content in charts():
        file.write_text(content)
    (HERE / "VALUES.md").write_text(page())
