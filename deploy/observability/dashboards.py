"""Writes the dashboards of Grafana into the infra chart: `make observability` after a change here."""

import json
from typing import Any

from deploy.observability.metrics import ROOT

FOLDER = ROOT / "deploy" / "helm" / "infra" / "dashboards"
ALL = 'namespace="$namespace"'
ONE = ALL + ',job="$service"'
RATE = "[$__rate_interval]"
FAULTS = 'code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED"'
BY_ONE = ALL + ',caller=~"$caller"'
CALLED = "rapport_rpc_calls_total"
REFUSED = 'code=~"PERMISSION_DENIED|UNAUTHENTICATED|RESOURCE_EXHAUSTED"'
WRONG = 'code=~"INVALID_ARGUMENT|NOT_FOUND|FAILED_PRECONDITION|ALREADY_EXISTS|ABORTED"'
OVER = 'code="RESOURCE_EXHAUSTED"'
PAGES = "http_server_request_duration_seconds"

Panel = tuple[str, str, str, str]  # title, unit, legend, expression


def quantile(share: float, metric: str, at: str, by: str = "") -> str:
    """The duration that a share of requests does not exceed."""
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket{{{at}}}{RATE})))"


def red(at: str, by: str) -> list[Panel]:
    """Rate, errors and durations of RPCs."""
    answered = "rpc_server_duration_seconds"
    timed = at + ',method!~".*/Watch.*"'
    return [
        ("Calls", "reqps", f"{{{{{by}}}}}", f"sum by ({by}) (rate({answered}_count{{{at}}}{RATE}))"),
        (
            "Failing through our fault",
            "percentunit",
            f"{{{{{by}}}}}",
            f"sum by ({by}) (rate({answered}_count{{{at},{FAULTS}}}{RATE}))"
            f" / sum by ({by}) (rate({answered}_count{{{at}}}{RATE}))",
        ),
        ("99 of 100 calls take at most", "s", f"{{{{{by}}}}}", quantile(0.99, answered, timed, by)),
    ]


def worst(title: str, unit: str, metric: str, by: str, at: str = ALL) -> Panel:
    """A gauge that is the same in every replica."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return title, unit, legend, f"max by ({by}) ({metric}{{{at}}})"


OUTCOMES = "rapport_promise_outcomes_total"
NOTICES = 'type=~"rapport[.]notifications[.]v1[.]Notice(Sent|Failed|Suppressed|Unknown)"'
DASHBOARDS: dict[str, tuple[str, list[Panel]]] = {
    "overview": (
        "Rapport: overview",
        [
            ("Pods that answer", "short", "{{job}}", f"sum by (job) (up{{{ALL}}})"),
            (
                "Errors of the last 6 hours",
                "percentunit",
                "{{job}}",
                f"rapport:rpc_errors:ratio_rate6h{{{ALL}}}",
            ),
            (
                "Slow calls of the last 6 hours",
                "percentunit",
                "{{job}}",
                f"rapport:rpc_slow:ratio_rate6h{{{ALL}}}",
            ),
            *red(ALL, "job"),
            worst("What is amiss", "short", "rapport_warnings", "job"),
            (
                "Refused, by caller",
                "reqps",
                "{{caller}}",
                f"sum by (caller) (rate({CALLED}{{{ALL},{REFUSED}}}{RATE}))",
            ),
        ],
    ),
    "service": (
        "Rapport: one service",
        [
            *red(ONE, "method"),
            (
                "Who calls",
                "reqps",
                "{{caller}}",
                f"sum by (caller) (rate({CALLED}{{{ONE}}}{RATE}))",
            ),
            (
                "Calls to others, by how they end",
                "reqps",
                "{{method}} {{code}}",
                f"sum by (method, code) (rate(rpc_client_duration_seconds_count{{{ONE}}}{RATE}))",
            ),
            (
                "99 of 100 calls to others take at most",
                "s",
                "{{method}}",
                quantile(0.99, "rpc_client_duration_seconds", ONE, "method"),
            ),
            (
                "Database connections",
                "short",
                "{{state}}",
                f"sum by (state) (rapport_db_pool_connections{{{ONE}}})",
            ),
            ("Waiting for a connection", "short", "{{pod}}", f"rapport_db_pool_waiting{{{ONE}}}"),
            ("Event loop late by", "s", "{{pod}}", f"rapport_event_loop_lag_seconds{{{ONE}}}"),
            ("Memory", "bytes", "{{pod}}", f"process_resident_memory_bytes{{{ONE}}}"),
            ("CPU", "short", "{{pod}}", f"rate(process_cpu_seconds_total{{{ONE}}}{RATE})"),
        ],
    ),
    "callers": (
        "Rapport: who calls what",
        [
            (
                "Calls a day",
                "short",
                "{{caller}} {{job}}",
                f"sum by (caller, job) (increase({CALLED}{{{BY_ONE}}}[1d]))",
            ),
            ("Calls", "reqps", "{{method}}", f"sum by (method) (rate({CALLED}{{{BY_ONE}}}{RATE}))"),
            (
                "Calls, by how they end",
                "reqps",
                "{{caller}} {{code}}",
                f"sum by (caller, code) (rate({CALLED}{{{BY_ONE}}}{RATE}))",
            ),
            (
                "Refused a day, and why",
                "short",
                "{{caller}} {{method}} {{code}}",
                f"sum by (caller, method, code) (increase({CALLED}{{{BY_ONE},{REFUSED}}}[1d]))",
            ),
            (
                "Wrong requests a day",
                "short",
                "{{caller}} {{method}} {{code}}",
                f"sum by (caller, method, code) (increase({CALLED}{{{BY_ONE},{WRONG}}}[1d]))",
            ),
            (
                "Share refused for its quota",
                "percentunit",
                "{{caller}}",
                f"sum by (caller) (rate({CALLED}{{{BY_ONE},{OVER}}}{RATE}))"
                f" / sum by (caller) (rate({CALLED}{{{BY_ONE}}}{RATE}))",
            ),
        ],
    ),
    "events": (
        "Rapport: events, timers and work",
        [
            worst("Oldest fact that is not published", "s", "rapport_outbox_oldest_seconds", "job"),
            worst("Facts that are not published", "short", "rapport_outbox_unpublished", "job"),
            worst("Consumers are behind by", "s", "rapport_consumer_lag_seconds", "consumer"),
            worst("Events that wait", "short", "rapport_consumer_pending_events", "consumer"),
            (
                "Events, by what became of them",
                "short",
                "{{consumer}} {{outcome}}",
                f"sum by (consumer, outcome) (rate(rapport_consumer_events_total{{{ALL}}}{RATE}))",
            ),
            worst("Set aside", "short", "rapport_events_set_aside", "consumer, state"),
            worst("Oldest set aside", "s", "rapport_events_set_aside_oldest_seconds", "consumer, state"),
            worst("Timers late by", "s", "rapport_timers_late_seconds", "job"),
            worst("Work under way", "short", "rapport_work_live", "kind, state"),
            worst("Work that waits for us", "short", "rapport_work_alarms", "kind"),
            worst("Work overdue", "short", "rapport_work_overdue", "kind"),
        ],
    ),
    "business": (
        "Rapport: promises and customers",
        [
            worst("Promises under way", "short", "rapport_promises_live", "state"),
            (
                "Promises a day, by how they end",
                "short",
                "{{outcome}}",
                f"sum by (outcome) (increase({OUTCOMES}{{{ALL}}}[1d]))",
            ),
            (
                "Told before the promise broke, of a week",
                "percentunit",
                "told in time",
                f'sum(increase({OUTCOMES}{{{ALL},outcome="told_in_time"}}[7d]))'
                f' / sum(increase({OUTCOMES}{{{ALL},outcome=~"told_in_time|broken"}}[7d]))',
            ),
            (
                "Messages an hour",
                "short",
                "{{type}}",
                f"sum by (type) (increase(rapport_facts_recorded_total{{{ALL},{NOTICES}}}[1h]))",
            ),
            (
                "Facts an hour, the ten most frequent",
                "short",
                "{{type}}",
                f"topk(10, sum by (type) (increase(rapport_facts_recorded_total{{{ALL}}}[1h])))",
            ),
        ],
    ),
    "desk": (
        "Rapport: desk",
        [
            (
                "Pages",
                "reqps",
                "{{route}}",
                f"sum by (route) (rate({PAGES}_count{{{ALL}}}{RATE}))",
            ),
            (
                "19 of 20 pages take at most",
                "s",
                "{{route}}",
                quantile(0.95, PAGES, ALL, "route"),
            ),
            (
                "Failing pages",
                "reqps",
                "{{route}}",
                f'sum by (route) (rate({PAGES}_count{{{ALL},status=~"5.."}}{RATE}))',
            ),
            ("Browsers that watch", "short", "browsers", f"sum(rapport_live_viewers{{{ALL}}})"),
            (
                "Webhooks, by what became of them",
                "short",
                "{{source}} {{outcome}}",
                f"sum by (source, outcome) (rate(rapport_webhooks_received_total{{{ALL}}}{RATE}))",
            ),
            worst("Webhooks that wait", "short", "rapport_webhooks_live", "source, state"),
            worst("Oldest webhook that waits", "s", "rapport_webhooks_oldest_seconds", "source, state"),
        ],
    ),
}


def dashboard(name: str) -> dict[str, Any]:
    """One dashboard as Grafana has it."""
    title, panels = DASHBOARDS[name]
    variables: list[dict[str, Any]] = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        _variable("namespace", "label_values(rapport_warnings, namespace)"),
    ]
    if name == "service":
        variables.append(_variable("service", f"label_values(rapport_warnings{{{ALL}}}, job)"))
    if name == "callers":
        found = _variable("caller", f"label_values({CALLED}{{{ALL}}}, caller)")
        variables.append(found | {"multi": True, "includeAll": True})
    return {
        "uid": f"rapport-{name}",
        "title": title,
        "tags": ["rapport"],
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables},
        "links": [{"type": "dashboards", "tags": ["rapport"], "title": "Rapport", "asDropdown": True}],
        "panels": [_panel(number, *panel) for number, panel in enumerate(panels)],
    }


def _variable(name: str, query: str) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {"name": name, "type": "query", "datasource": source, "query": query, "refresh": 2}


def _panel(number: int, title: str, unit: str, legend: str, expr: str) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": number % 3 * 8, "y": number // 3 * 8, "w": 8, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": expr, "legendFormat": legend, "exemplar": "_bucket" in expr}],
    }


def files() -> dict[str, str]:
    """Each file and its content."""
    return {f"{name}.json": json.dumps(dashboard(name), indent=1) + "\n" for name in DASHBOARDS}


if __name__ == "__main__":
    for file, content in files().items():
        (FOLDER / file).write_text(content)
