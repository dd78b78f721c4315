"""Dashboards ask what Prometheus can answer, of metrics that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.observability.dashboards import FOLDER, files
from deploy.observability.metrics import families

SCRAPED = ("namespace", "job", "pod")  # labels that whoever scrapes adds
Render = Callable[..., list[dict[str, Any]]]


def panels() -> list[dict[str, Any]]:
    return [panel for text in files().values() for panel in json.loads(text)["panels"]]


def test_they_are_up_to_date() -> None:
    kept = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    assert kept == files(), "run `make observability`"


def test_every_panel_has_a_title_a_unit_a_legend_and_the_chosen_source() -> None:
    for panel in panels():
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["legendFormat"] for target in panel["targets"])


def test_they_ask_for_metrics_that_exist() -> None:
    exist = {name for family in families() for name in family.series}
    for panel in panels():
        for target in panel["targets"]:
            asked = re.findall(r"\b((?:rapport|rpc|http)_[a-z_]+)\{", target["expr"])
            assert set(asked) <= exist, panel["title"]


def test_they_ask_for_labels_that_the_metric_has() -> None:
    given = {name: {*family.labels, *SCRAPED} for family in families() for name in family.series}
    for panel in panels():
        for target in panel["targets"]:
            for metric, chosen in re.findall(r"\b((?:rapport|rpc|http)_[a-z_]+)\{([^}]*)\}", target["expr"]):
                asked = set(re.findall(r"([a-z_]+)(?:=~|!~|!=|=)", chosen))
                assert asked <= given[metric], panel["title"]
            # Of one metric alone, what it is told apart by.
            metrics = set(re.findall(r"\b((?:rapport|rpc|http)_[a-z_]+)\{", target["expr"]))
            for by in re.findall(r" by \(([a-z_, ]+)\)", target["expr"]):
                for metric in metrics:
                    assert set(by.split(", ")) <= given[metric] | {"le"}, panel["title"]


def test_prometheus_can_read_every_question(tmp_path: Path) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("no promtool: install Debian's package `prometheus`")
    expressions = [target["expr"] for panel in panels() for target in panel["targets"]]
    rules = [
        {"record": f"panel:{number}", "expr": expr.replace("$__rate_interval", "5m")}
        for number, expr in enumerate(expressions)
    ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    checked = subprocess.run(
        [promtool, "check", "rules", "--lint=none", tmp_path / "rules.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_grafana_finds_them_in_the_cluster(render: Render) -> None:
    made = [
        each
        for each in render("infra", {"dashboards": {"enabled": True}})
        if each["metadata"]["labels"].get("grafana_dashboard") == "1"
    ]
    found = {name: json.loads(text) for each in made for name, text in each["data"].items()}
    assert found == {f"rapport-{name}": json.loads(text) for name, text in files().items()}
